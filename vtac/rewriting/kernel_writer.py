"""Writes the body of a kernel statement by statement: loops, conditions, memory at flat offsets, fragments."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import contextmanager
from math import prod

from xdsl.dialects import arith, memref, scf, vector
from xdsl.dialects.builtin import (
    AnyFloat,
    BytesAttr,
    DenseIntOrFPElementsAttr,
    FloatAttr,
    MemRefType,
    NoneAttr,
    StridedLayoutAttr,
    StringAttr,
    VectorType,
    f32,
)
from xdsl.ir import Attribute, Block, Operation, SSAValue

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.nest import element_type_of, memref_type_of, shape_of, strides_of
from vtac.dialects.mma import Tiles, TilesOp, TilesType
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.wmma import FragmentsOp, FragmentType
from vtac.dialects.wmma.attributes import Fragment
from vtac.rewriting.edits import append
from vtac.rewriting.index_values import HostValues

_BYTES = {"f16": 2, "bf16": 2, "f32": 4}


class KernelWriter:
    """Appends to a block; within `loop` and `when`, to theirs. `extents` are those of all loops so far."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.extents: dict[Hashable, int] = {}

    def add(self, op: Operation) -> SSAValue:
        """An operation of one result."""
        append(op, self.block)
        return op.results[0]

    def do(self, op: Operation) -> None:
        """An operation without results."""
        append(op, self.block)

    @contextmanager
    def loop(self, extent: int, name: str, kind: LoopKind = LoopKind.SERIAL) -> Generator[Linear]:
        """Iterations from 0 on; what is written meanwhile is repeated by them."""
        op = ForOp.get(extent, name, kind)
        self.extents[op.induction_variable] = extent
        append(op, self.block)
        with self._inside(op.body.block):
            yield Linear.variable(op.induction_variable)

    @contextmanager
    def when(self, *conditions: Linear) -> Generator[None]:
        """What is written meanwhile is done where expressions are 0 or more; those that always are decide nothing."""
        condition = self.holds(*conditions)
        if condition is None:
            yield
            return
        inside = Block()
        with self._inside(inside):
            yield
        append(scf.YieldOp(), inside)
        append(scf.IfOp(condition, [], [inside]), self.block)

    @contextmanager
    def _inside(self, block: Block) -> Generator[None]:
        outer, self.block = self.block, block
        yield
        self.block = outer

    def holds(self, *conditions: Linear) -> SSAValue | None:
        """Whether expressions are 0 or more; None where they always are."""
        values = HostValues(self.extents)
        found: SSAValue | None = None
        for condition in conditions:
            if condition.bounds(self.extents)[0] < 0:
                found = values.both(found, values.at_least(values.value(condition), 0))
        append(values.operations, self.block)
        return found

    def chosen(
        self, condition: SSAValue | None, value: Callable[[], SSAValue], otherwise: Callable[[], SSAValue]
    ) -> SSAValue:
        """One value where a condition holds, which is not computed elsewhere, else another."""
        if condition is None:
            return value()
        branches: list[Block] = []
        for write in (value, otherwise):
            branches.append(Block())
            with self._inside(branches[-1]):
                result = write()
            append(scf.YieldOp(result), branches[-1])
        return self.add(scf.IfOp(condition, [result.type], [branches[0]], [branches[1]]))

    def index(self, expression: Linear) -> SSAValue:
        values = HostValues(self.extents)
        result = values.materialise(values.value(expression))
        append(values.operations, self.block)
        return result

    def number(self, value: float, kind: AnyFloat = f32) -> SSAValue:
        return self.add(arith.ConstantOp(FloatAttr(value, kind)))

    def buffer(self, name: str, shape: Sequence[int], element: Attribute, scope: str, pitch: int = 0) -> SSAValue:
        """Memory of a scope as a view of one dimension; rows of two dimensions start `pitch` elements apart."""
        layout = StridedLayoutAttr([pitch, 1], 0) if pitch else NoneAttr()
        kind = MemRefType(element, shape, layout, StringAttr(scope))
        op = memref.AllocOp([], [], kind)
        op.memref.name_hint = name
        return self.flat(self.add(op))

    def flat(self, buffer: SSAValue) -> SSAValue:
        """A buffer as one dimension."""
        kind = memref_type_of(buffer)
        if len(shape_of(buffer)) == 1:
            return buffer
        total = prod(kind.get_shape()[:1]) * prod(strides_of(buffer)[:1])
        whole = MemRefType(kind.element_type, [total], memory_space=kind.memory_space)
        view = memref.ReinterpretCastOp(buffer, [], [], [], [0], [total], [1], whole)
        view.result.name_hint = buffer.name_hint
        return self.add(view)

    def fragments(self, name: str, record: Fragment) -> SSAValue:
        op = FragmentsOp(result_types=[FragmentType(record)])
        op.fragments.name_hint = name
        return self.add(op)

    def tiles(self, name: str, record: Tiles) -> SSAValue:
        """Tiles in the registers of a warp's lanes."""
        op = TilesOp(result_types=[TilesType(record)])
        op.tiles.name_hint = name
        return self.add(op)

    def load(self, buffer: SSAValue, place: Linear, lanes: int = 1) -> SSAValue:
        """One element, or a vector of neighbours."""
        index = self.index(place)
        if lanes == 1:
            return self.add(memref.LoadOp.get(buffer, [index]))
        return self.add(vector.LoadOp(buffer, [index], VectorType(element_type_of(buffer), [lanes])))

    def store(self, value: SSAValue, buffer: SSAValue, place: Linear) -> None:
        index = self.index(place)
        if isinstance(value.type, VectorType):
            self.do(vector.StoreOp(value, buffer, [index]))
        else:
            self.do(memref.StoreOp.get(value, buffer, [index]))

    def zeros(self, element: AnyFloat, lanes: int) -> SSAValue:
        """The number 0, or a vector of it."""
        if lanes == 1:
            return self.number(0.0, element)
        kind = VectorType(element, [lanes])
        contents = BytesAttr(bytes(lanes * _BYTES[str(element)]))
        return self.add(arith.ConstantOp(DenseIntOrFPElementsAttr(kind, contents)))
