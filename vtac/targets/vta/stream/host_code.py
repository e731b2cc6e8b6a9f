"""A vta function as a Python function over a stream builder.

Host loops run once, at compile time, so they are turned into Python source: each host value
becomes a variable, each vta op a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import cast

import numpy as np
from xdsl.dialects import arith, func, memref, scf
from xdsl.dialects.builtin import IntegerAttr, IntegerType
from xdsl.ir import Block, Operation, SSAValue
from xdsl.traits import SymbolTable

from vtac.analysis.locations import location_of
from vtac.analysis.nest import element_type_of
from vtac.analysis.trips import bounds_of
from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.dialects.packing.declared import PLACES, layer_name
from vtac.dialects.vta.kernels import AluOp, GemmOp
from vtac.dialects.vta.memory import Load2DOp, Store2DOp
from vtac.dialects.vta.synchronisation import DepPopOp, DepPushOp, SyncOp
from vtac.errors import CompileError
from vtac.targets.vta.isa.instructions import AluOpcode, Memory
from vtac.targets.vta.stream.host_arithmetic import ARITHMETIC, python_arithmetic
from vtac.targets.vta.stream.kernel_code import MicroOps, alu_loops, gemm_loops
from vtac.targets.vta.stream.layout import Names
from vtac.targets.vta.stream.stream_builder import COMPUTE, LOAD, STORE, StreamBuilder

StreamWriter = Callable[[StreamBuilder], None]

_STAGES = {"load": LOAD, "compute": COMPUTE, "store": STORE}
_SILENT: set[type[Operation]] = {scf.YieldOp, func.ReturnOp, memref.GetGlobalOp, memref.AllocOp}
"""Operations of which nothing is written."""
_HOST_ONLY = ARITHMETIC | _SILENT
_AS_ARRAYS = 64
"""Iterations from which on a nest that transfers is issued as arrays."""
_LOAD_MEMORIES = {"inp": Memory.INP, "wgt": Memory.WGT, "acc": Memory.ACC, "acc8": Memory.ACC_8BIT}
_ELEMENTS: dict[str, MemoryName] = {"inp": "inp", "wgt": "wgt", "acc": "acc", "acc8": "out"}
"""The memory whose elements a load counts in DRAM."""


@dataclass(frozen=True, slots=True)
class Site:
    """The op behind a call: its name and source location."""

    op: str
    location: str


@dataclass
class HostCode:
    """Python source of a function and its kernels, and the ops its calls stand for.

    `micro_ops` are those of its GEMMs and ALUs. `calls` names the calls of kernels in program order, `places` says for
    each which places in the source it stands for instead of those of the kernel, `kernels` their Python functions.
    """

    functions: list[str] = field(default_factory=list[str])
    micro_ops: list[MicroOps] = field(default_factory=list[MicroOps])
    sites: list[Site] = field(default_factory=list[Site])
    calls: list[str] = field(default_factory=list[str])
    kernels: dict[str, str] = field(default_factory=dict[str, str])
    places: list[Mapping[str, str]] = field(default_factory=list[Mapping[str, str]])
    labels: Names = field(default_factory=Names)

    def compile(self) -> StreamWriter:
        """The function that makes the calls on a stream builder."""
        source = "\n".join(self.functions)
        names: dict[str, object] = {"np": np, "micro_ops": self.micro_ops}
        exec(compile(source, "<host program>", "exec"), names)
        return names["program"]  # pyright: ignore[reportReturnType]


def generate(function: func.FuncOp, addresses: Mapping[SSAValue, int], config: VTAConfig) -> HostCode:
    """Host code of a function of scf, arith, affine and vta ops, and of the kernels that it calls.

    `addresses` gives the byte address of every DRAM buffer the function uses. Raises
    `CompileError` for an op of another kind.
    """
    code = HostCode()
    generator = _Generator(code, {value: str(address) for value, address in addresses.items()}, config)
    generator.function(function, "program")
    return code


def _nest_of_a_transfer(loop: scf.ForOp) -> list[tuple[scf.ForOp, range]]:
    """The loops around a load or store and their bounds, which are constants; none where they hold other calls."""
    found: list[tuple[scf.ForOp, range]] = []
    inner: list[Operation] = [loop]
    while len(inner) == 1 and isinstance(inner[0], scf.ForOp):
        bounds = bounds_of(inner[0])
        if bounds is None:
            return []
        found.append((inner[0], bounds))
        inner = [op for op in inner[0].body.block.ops if type(op) not in _HOST_ONLY]
    return found if len(inner) == 1 and isinstance(inner[0], Load2DOp | Store2DOp) else []


class _Generator:
    """Writes one Python function; `addresses` are Python expressions, in bytes."""

    def __init__(self, code: HostCode, addresses: Mapping[SSAValue, str], config: VTAConfig) -> None:
        self.code = code
        self.config = config
        self.addresses = dict(addresses)
        self.names: dict[SSAValue, str] = {}
        self.lines: list[str] = []
        self.shape: tuple[int, ...] | None = None
        """In a nest of which all iterations are computed at once, as arrays, how often each loop runs."""

    def function(self, function: func.FuncOp, name: str, parameters: Sequence[str] = ()) -> None:
        self._line(f"def {name}({', '.join(('stream', *parameters))}):", 0)
        self.body(function.body.block, 1)
        self.code.functions.append("\n".join(self.lines))

    def body(self, block: Block, depth: int) -> None:
        before = len(self.lines)
        for op in block.ops:
            self._op(op, depth)
        if len(self.lines) == before:
            self._line("pass", depth)

    def _line(self, text: str, depth: int) -> None:
        self.lines.append("    " * depth + text)

    def _name(self, value: SSAValue) -> str:
        if value not in self.names:
            self.names[value] = f"v{len(self.names)}"
        return self.names[value]

    def _amount(self, amount: SSAValue | int) -> str:
        return str(amount) if isinstance(amount, int) else self._name(amount)

    def _op(self, op: Operation, depth: int) -> None:
        computed = python_arithmetic(op, self._name, of_arrays=self.shape is not None)
        if computed is not None:
            self._line(f"{self._name(op.results[0])} = {computed}", depth)
        elif type(op) is arith.ConstantOp and isinstance(op.value, IntegerAttr):
            self.names[op.result] = str(op.value.value.data)
        elif type(op) is scf.ForOp:
            self._loop(op, depth)
        elif type(op) is scf.IfOp:
            self._choice(op, depth)
        elif type(op) is func.CallOp:
            self._call_kernel(op, depth)
        elif type(op) is memref.ReinterpretCastOp:
            (offset,) = op.static_offsets.get_values()
            moved = offset * cast(IntegerType, element_type_of(op.source)).width.data // 8
            self.addresses[op.result] = str(int(self._address(op.source)) + moved)
        elif type(op) not in _SILENT:
            self._call(op, depth)

    def _loop(self, op: scf.ForOp, depth: int) -> None:
        nest = _nest_of_a_transfer(op)
        if nest and prod(len(bounds) for _, bounds in nest) >= _AS_ARRAYS:
            self._transfers(nest, depth)
            return
        bounds = ", ".join(self._name(value) for value in (op.lb, op.ub, op.step))
        self._line(f"for {self._name(op.body.block.args[0])} in range({bounds}):", depth)
        self.body(op.body.block, depth + 1)

    def _transfers(self, nest: Sequence[tuple[scf.ForOp, range]], depth: int) -> None:
        """A nest around one transfer, all iterations at once: indices are arrays, of one dimension for each loop."""
        self.shape = tuple(len(bounds) for _, bounds in nest)
        for inside, (loop, bounds) in zip(reversed(range(len(nest))), nest, strict=True):
            indices = f"np.arange({bounds.start}, {bounds.stop}, {bounds.step})[:{', None' * inside}]"
            self._line(f"{self._name(loop.body.block.args[0])} = {indices}", depth)
            for op in loop.body.block.ops:
                if type(op) is not scf.ForOp:
                    self._op(op, depth)
        self.shape = None

    def _transfer(self, unit: str, caller: str, row: str, depth: int) -> None:
        """The call for one transfer, or for those of a nest."""
        if self.shape is None:
            self._line(f"stream.{unit}({caller}, {row})", depth)
        else:
            self._line(f"stream.{unit}s({caller}, {self.shape}, {row})", depth)

    def _choice(self, op: scf.IfOp, depth: int) -> None:
        self._line(f"if {self._name(op.cond)}:", depth)
        self.body(op.true_region.block, depth + 1)
        if op.false_region.blocks:
            self._line("else:", depth)
            self.body(op.false_region.block, depth + 1)

    def _call_kernel(self, op: func.CallOp, depth: int) -> None:
        """Kernels are functions of the addresses of their buffers, written when first called."""
        name = op.callee.string_value()
        if name not in self.code.kernels:
            self.code.kernels[name] = f"kernel_{len(self.code.kernels)}"
            kernel = SymbolTable.lookup_symbol(op, op.callee)
            if not isinstance(kernel, func.FuncOp) or not kernel.body.blocks:
                raise CompileError(f"call of '{name}', which is no function with a body", location_of(op))
            parameters = [f"a{number}" for number in range(len(kernel.body.block.args))]
            addresses: dict[SSAValue, str] = dict(zip(kernel.body.block.args, parameters, strict=True))
            _Generator(self.code, addresses, self.config).function(kernel, self.code.kernels[name], parameters)
        self._line(f"stream.enter({len(self.code.calls)})", depth)
        self.code.calls.append(self.code.labels.take(layer_name(op)))
        self.code.places.append(PLACES.get(op) or {})
        operands = ", ".join(self._address(operand) for operand in op.arguments)
        self._line(f"{self.code.kernels[name]}(stream, {operands})", depth)

    def _call(self, op: Operation, depth: int) -> None:
        site = len(self.code.sites)
        self.code.sites.append(Site(op.name, location_of(op)))
        if type(op) is Load2DOp:
            self._load(op, site, depth)
        elif type(op) is Store2DOp:
            sram, dram, x_size, y_size, x_stride = map(self._amount, op.amounts())
            base = self._tile_address(op.buffer, "out")
            row = f"({Memory.OUT:d}, {sram}, {base} + {dram}, {y_size}, {x_size}, {x_stride}, 0, 0, 0, 0)"
            self._transfer("store", str(site), row, depth)
        elif type(op) is GemmOp or type(op) is AluOp:
            self._kernel(op, site, depth)
        elif type(op) is DepPushOp or type(op) is DepPopOp:
            call = "push" if type(op) is DepPushOp else "pop"
            self._line(f"stream.{call}({site}, {_STAGES[op.source.data]}, {_STAGES[op.target.data]})", depth)
        elif type(op) is SyncOp:
            self._line(f"stream.{'finish_dataflow' if op.dataflow is not None else 'finish'}({site})", depth)
        else:
            raise CompileError(
                f"'{op.name}' cannot run on the VTA or its host; only vta, scf, arith and affine ops can: "
                "run the lowering passes, and map every block to a unit",
                location_of(op),
            )

    def _tile_address(self, buffer: SSAValue, memory: MemoryName) -> str:
        """A buffer's address in elements of a memory."""
        address, size = self._address(buffer), self.config.element_bytes(memory)
        return str(int(address) // size) if address.isdecimal() else f"{address} // {size}"

    def _address(self, buffer: SSAValue) -> str:
        if buffer not in self.addresses:
            owner = buffer.owner
            where = location_of(owner) if isinstance(owner, Operation) else ""
            raise CompileError("a transfer names a buffer that has no address in DRAM", where)
        return self.addresses[buffer]

    def _load(self, op: Load2DOp, site: int, depth: int) -> None:
        memory = op.memory.data
        dram, x_size, y_size, x_stride, xp0, yp0, xp1, yp1, sram = map(self._amount, op.amounts())
        base = self._tile_address(op.buffer, _ELEMENTS[memory])
        row = (
            f"({_LOAD_MEMORIES[memory]:d}, {sram}, {base} + {dram}, {y_size}, {x_size}, {x_stride}, "
            f"{yp0}, {yp1}, {xp0}, {xp1})"
        )
        self._transfer("load", f"{site}, {COMPUTE if memory in ('acc', 'acc8') else LOAD}", row, depth)

    def _kernel(self, op: GemmOp | AluOp, site: int, depth: int) -> None:
        captures = "".join(f"{self._name(value)}, " for value in op.captures)
        given = f"{site}, ({captures}), micro_ops[{len(self.code.micro_ops)}]"
        self.code.micro_ops.append(MicroOps(op.indices.data, op.micro_extents))
        if type(op) is GemmOp:
            self._line(f"stream.gemm({given}, {op.reset is not None}, {gemm_loops(op)})", depth)
        elif type(op) is AluOp:
            immediate = None if op.immediate is None else op.immediate.value.data
            opcode = AluOpcode[op.opcode.data.upper()]
            self._line(f"stream.alu({given}, {opcode:d}, {immediate}, {alu_loops(op)})", depth)
