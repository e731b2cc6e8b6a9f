"""Statements of the tma level as CUDA C++: tensor maps as parameters, mbarriers by their addresses."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count

from xdsl.dialects import memref, scf
from xdsl.dialects.builtin import i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.kernels.gpu_indices import whole
from vtac.analysis.nests.nest import element_type_of, shape_of
from vtac.dialects import tma, wgmma
from vtac.dialects.tensor_maps import TensorMap
from vtac.dialects.tma.declared import ROLES
from vtac.dialects.wmma.declared import SHARED_OFFSET
from vtac.targets.cuda.emit.expressions import AND, PRODUCT, parameter_name
from vtac.targets.cuda.emit.tma_instructions import (
    ARRIVE,
    ARRIVE_CLUSTER,
    CLUSTER_ARRIVE,
    CLUSTER_WAIT,
    COMMIT_STORES,
    EXPECT,
    FENCE,
    FUNCTIONS,
    INIT,
    PUBLISH,
    WAIT,
    WAIT_CLUSTER,
    load_name,
    load_text,
    registers_name,
    registers_text,
    store_name,
    store_text,
    wait_stores_name,
    wait_stores_text,
)
from vtac.targets.cuda.emit.types import element_bytes
from vtac.targets.cuda.emit.wgmma_statements import WgmmaStatementPrinter

_BY_ADDRESS = (tma.InitOp, tma.ArriveOp, tma.ArriveExpectOp, tma.WaitOp, tma.LoadOp, tma.StoreOp)
_BARRIER_BYTES = 8


def kernel_maps(kernel: FuncOp) -> dict[TensorMap, str]:
    """The tensor maps of a kernel and their names, in the order of its loads and stores."""
    found: dict[TensorMap, str] = {}
    taken = {parameter_name(argument) for argument in kernel.body.block.args}
    for op in kernel.walk():
        if isinstance(op, tma.LoadOp | tma.StoreOp) and map_of(op) not in found:
            name = f"{map_of(op).array}_map"
            numbered = (f"{name}_{number}" for number in count(2))
            found[map_of(op)] = next(one for one in chain([name], numbered) if one not in taken)
            taken.add(found[map_of(op)])
    return found


def map_of(op: tma.LoadOp | tma.StoreOp) -> TensorMap:
    """The map of a load or store, of a parameter by its name in the text."""
    array = op.source if isinstance(op, tma.LoadOp) else op.target
    return op.boxes.data.map_of(parameter_name(whole(array)), element_type_of(array))


def _is_told(choice: scf.IfOp) -> bool:
    """Whether one lane has to tell its warp a condition, as products of warpgroups depend on it.

    That of roles, where products stand under a condition of their own; and that of the products, where one lane asks
    for the boxes of a cluster and no barrier follows. Elsewhere compilers see that warps do not part.
    """
    if ROLES.is_on(choice):
        choices = [op for op in choice.walk() if isinstance(op, scf.IfOp) and op is not choice]
        return any(_multiplies(one) for one in choices)
    around = choice.parent_op()
    while around is not None and not isinstance(around, FuncOp):
        if ROLES.is_on(around):
            return False
        around = around.parent_op()
    in_cluster = around is not None and any(isinstance(op, tma.ClusterWaitOp) for op in around.walk())
    return in_cluster and _multiplies(choice)


def _multiplies(choice: scf.IfOp) -> bool:
    return any(isinstance(op, wgmma.MmaAsyncOp) for op in choice.walk())


class TmaStatementPrinter(WgmmaStatementPrinter):
    """Prints kernels of the wmma, the mma, the wgmma and the tma level."""

    def __init__(self, reserved: Sequence[str], maps: dict[TensorMap, str]) -> None:
        super().__init__([*reserved, *maps.values()])
        self._maps = maps

    def print_pure(self, op: Operation) -> bool:
        if isinstance(op, tma.ElectOp):
            z = op.z.value.data
            self.inline[op.elected] = (f"threadIdx.x == 0 && threadIdx.y == 0 && threadIdx.z == {z}", AND)
            return True
        return super().print_pure(op)

    def _test(self, op: scf.IfOp) -> str:
        """The condition of a choice; as one lane of each warp tells it where products of warpgroups depend on it.

        Compilers know then that warps do not part at it, and let products of warpgroups in it run asynchronously.
        """
        tested = super()._test(op)
        return f"__shfl_sync(~0u, {tested}, 0)" if _is_told(op) else tested

    def _warp(self, op: Operation, depth: int) -> bool:
        if super()._warp(op, depth):
            return True
        if isinstance(op, tma.InitOp):
            self._call(INIT, [self._barrier(op.barriers, op.index), str(op.arrivals.value.data)], depth)
        elif isinstance(op, tma.FenceInitOp):
            self._call(FENCE, [], depth)
        elif isinstance(op, tma.ArriveOp):
            self._arrive(op, depth)
        elif isinstance(op, tma.ArriveExpectOp):
            self._call(EXPECT, [self._barrier(op.barriers, op.index), str(op.bytes.value.data)], depth)
        elif isinstance(op, tma.WaitOp):
            name = WAIT if op.cluster is None else WAIT_CLUSTER
            self._call(name, [self._barrier(op.barriers, op.index), self.text(op.parity)], depth)
        elif isinstance(op, tma.ClusterArriveOp | tma.ClusterWaitOp):
            self._call(CLUSTER_ARRIVE if isinstance(op, tma.ClusterArriveOp) else CLUSTER_WAIT, [], depth)
        elif isinstance(op, tma.LoadOp):
            self._load(op, depth)
        elif isinstance(op, tma.SetmaxnregOp):
            action, count = op.action.data, op.count.value.data
            self._called[registers_name(action, count)] = registers_text(action, count)
            self._line(f"{registers_name(action, count)}();", depth)
        else:
            return self._stores(op, depth)
        return True

    def _stores(self, op: Operation, depth: int) -> bool:
        """Operations of boxes that a warp stores; False for any other."""
        if isinstance(op, tma.PublishOp):
            self._call(PUBLISH, [], depth)
        elif isinstance(op, tma.StoreOp):
            self._store(op, depth)
        elif isinstance(op, tma.CommitStoresOp):
            self._call(COMMIT_STORES, [], depth)
        elif isinstance(op, tma.WaitStoresOp):
            groups, only_reads = op.groups.value.data, op.read is not None
            name = wait_stores_name(groups, only_reads=only_reads)
            self._called[name] = wait_stores_text(groups, only_reads=only_reads)
            self._line(f"{name}();", depth)
        else:
            return False
        return True

    def _call(self, name: str, arguments: Sequence[str], depth: int) -> None:
        self._called[name] = FUNCTIONS[name]
        self._line(f"{name}({', '.join(arguments)});", depth)

    def _barrier(self, barriers: SSAValue, index: SSAValue) -> str:
        return f"{self._addresses[whole(barriers)]} + {_BARRIER_BYTES} * {self.text(index, PRODUCT + 1)}"

    def _arrive(self, op: tma.ArriveOp, depth: int) -> None:
        place = self._barrier(op.barriers, op.index)
        if op.blocks is None:
            self._call(ARRIVE, [place], depth)
        else:
            self._call(ARRIVE_CLUSTER, [place, str(op.blocks.value.data)], depth)

    def _load(self, op: tma.LoadOp, depth: int) -> None:
        dimensions, of_pixels, multicast = len(op.coordinates), bool(op.offsets), op.mask is not None
        name = load_name(dimensions, of_pixels=of_pixels, multicast=multicast)
        self._called[name] = load_text(dimensions, of_pixels=of_pixels, multicast=multicast)
        width = element_bytes(element_type_of(op.target))
        place = f"{self._addresses[whole(op.target)]} + {width} * {self.text(op.offset, PRODUCT + 1)}"
        places = [self.text(one) for one in (*op.coordinates, *op.offsets)]
        arguments = [place, self._maps[map_of(op)], *places, self._barrier(op.barriers, op.index)]
        arguments += [str(op.mask.value.data)] if op.mask is not None else []
        self._line(f"{name}({', '.join(arguments)});", depth)

    def _store(self, op: tma.StoreOp, depth: int) -> None:
        name = store_name(len(op.coordinates))
        self._called[name] = store_text(len(op.coordinates))
        width = element_bytes(element_type_of(op.source))
        place = f"{self._addresses[whole(op.source)]} + {width} * {self.text(op.offset, PRODUCT + 1)}"
        coordinates = [self.text(one) for one in op.coordinates]
        self._line(f"{name}({', '.join([place, self._maps[map_of(op)], *coordinates])});", depth)

    def _array(self, op: memref.AllocOp, depth: int) -> None:
        asked_for = any(isinstance(use.operation, _BY_ADDRESS) for use in op.memref.uses)
        if asked_for and element_type_of(op.memref) == i64:
            self._mbarriers(op, depth)
        else:
            super()._array(op, depth)
        if asked_for and op.memref not in self._addresses:
            self._address(op.memref, depth)

    def _mbarriers(self, op: memref.AllocOp, depth: int) -> None:
        """An array of mbarriers, in the launch's shared memory where the other arrays are."""
        (count,), offset = shape_of(op.memref), SHARED_OFFSET.get(op)
        name = self.name(op.memref, "mbarriers")
        if offset is None:
            self._line(f"__shared__ __align__(8) unsigned long long {name}[{count}];", depth)
            return
        place = f"reinterpret_cast<unsigned long long *>(shared_memory + {offset})"
        self._line(f"unsigned long long *const {name} = {place};  // {count} elements", depth)
