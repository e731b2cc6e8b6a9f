"""A vta function as a Python function over a stream builder.

Host loops run once, at compile time, so they are turned into Python source: each host value
becomes a variable, each vta op a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from xdsl.dialects import affine, arith, func, memref, scf
from xdsl.dialects.builtin import IntegerAttr, IntegerType
from xdsl.ir import Block, Operation, SSAValue
from xdsl.traits import SymbolTable

from vtac.analysis.locations import location_of
from vtac.analysis.nest import element_type_of
from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.dialects.packing.declared import PLACES, layer_name
from vtac.dialects.vta.kernels import AluOp, GemmOp, KernelOp
from vtac.dialects.vta.memory import Load2DOp, Store2DOp
from vtac.dialects.vta.synchronisation import DepPopOp, DepPushOp, SyncOp
from vtac.errors import CompileError
from vtac.targets.vta.isa.instructions import AluOpcode, Memory
from vtac.targets.vta.stream.kernel_code import alu_loops, gemm_loops, micro_op_list, python_expression
from vtac.targets.vta.stream.layout import Names
from vtac.targets.vta.stream.stream_builder import COMPUTE, LOAD, STORE, StreamBuilder

StreamWriter = Callable[[StreamBuilder], None]

_STAGES = {"load": LOAD, "compute": COMPUTE, "store": STORE}
_BINARY: dict[type[Operation], str] = {
    arith.AddiOp: "{} + {}",
    arith.SubiOp: "{} - {}",
    arith.MuliOp: "{} * {}",
    arith.MaxSIOp: "max({}, {})",
    arith.MinSIOp: "min({}, {})",
    arith.AndIOp: "{} & {}",
    arith.OrIOp: "{} | {}",
}
_OF_THE_HOST = (*_BINARY, arith.ConstantOp, arith.CmpiOp, affine.ApplyOp, scf.ForOp, scf.IfOp, scf.YieldOp)
"""Operations that call nothing."""
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
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

    `calls` names the calls of kernels in program order, `places` says for each which places in the source it
    stands for instead of those of the kernel, `kernels` their Python functions.
    """

    functions: list[str] = field(default_factory=list[str])
    sites: list[Site] = field(default_factory=list[Site])
    calls: list[str] = field(default_factory=list[str])
    kernels: dict[str, str] = field(default_factory=dict[str, str])
    places: list[Mapping[str, str]] = field(default_factory=list[Mapping[str, str]])
    labels: Names = field(default_factory=Names)

    def compile(self) -> StreamWriter:
        """The function that makes the calls on a stream builder."""
        source = "\n".join(self.functions)
        names: dict[str, object] = {}
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


def _only_transfer(loop: scf.ForOp) -> Load2DOp | Store2DOp | None:
    """The load or store that all other operations in a loop are arithmetic of; None where there is another call."""
    found: Load2DOp | Store2DOp | None = None
    for op in loop.walk():
        if isinstance(op, Load2DOp | Store2DOp) and found is None:
            found = op
        elif not isinstance(op, _OF_THE_HOST):
            return None
    return found


class _Generator:
    """Writes one Python function; `addresses` are Python expressions, in bytes."""

    def __init__(self, code: HostCode, addresses: Mapping[SSAValue, str], config: VTAConfig) -> None:
        self.code = code
        self.config = config
        self.addresses = dict(addresses)
        self.names: dict[SSAValue, str] = {}
        self.lines: list[str] = []
        self.collecting = False

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
        if isinstance(op, arith.ConstantOp) and isinstance(op.value, IntegerAttr):
            self.names[op.result] = str(op.value.value.data)
        elif type(op) in _BINARY:
            left, right = (self._name(operand) for operand in op.operands)
            self._line(f"{self._name(op.results[0])} = {_BINARY[type(op)].format(left, right)}", depth)
        elif isinstance(op, arith.CmpiOp) and op.predicate.value.data < len(_COMPARISONS):
            sign = _COMPARISONS[op.predicate.value.data]
            self._line(f"{self._name(op.result)} = {self._name(op.lhs)} {sign} {self._name(op.rhs)}", depth)
        elif isinstance(op, affine.ApplyOp):
            expression = python_expression(op.map.data.results[0], [self._name(value) for value in op.mapOperands], [])
            self._line(f"{self._name(op.result)} = {expression}", depth)
        elif isinstance(op, scf.ForOp):
            self._loop(op, depth)
        elif isinstance(op, scf.IfOp):
            self._choice(op, depth)
        elif isinstance(op, func.CallOp):
            self._call_kernel(op, depth)
        elif isinstance(op, memref.ReinterpretCastOp):
            (offset,) = op.static_offsets.get_values()
            moved = offset * cast(IntegerType, element_type_of(op.source)).width.data // 8
            self.addresses[op.result] = str(int(self._address(op.source)) + moved)
        elif not isinstance(op, scf.YieldOp | func.ReturnOp | memref.GetGlobalOp | memref.AllocOp):
            self._call(op, depth)

    def _loop(self, op: scf.ForOp, depth: int) -> None:
        """A loop; one over a single transfer collects what it transfers, which is issued at once after it."""
        transfer = None if self.collecting else _only_transfer(op)
        if transfer is not None:
            self._line("rows = []", depth)
            self.collecting = True
        bounds = ", ".join(self._name(value) for value in (op.lb, op.ub, op.step))
        self._line(f"for {self._name(op.body.block.args[0])} in range({bounds}):", depth)
        self.body(op.body.block, depth + 1)
        if transfer is not None:
            self.collecting = False
            self._transfer(transfer, len(self.code.sites) - 1, "rows", depth)

    def _transfer(self, op: Load2DOp | Store2DOp, site: int, rows: str, depth: int) -> None:
        """Of one row, or in `rows` those that a loop has collected."""
        many = "s" if rows == "rows" else ""
        if self.collecting:
            self._line(f"rows.append({rows})", depth)
        elif isinstance(op, Store2DOp):
            self._line(f"stream.store{many}({site}, {rows})", depth)
        else:
            stage = COMPUTE if op.memory.data in ("acc", "acc8") else LOAD
            self._line(f"stream.load{many}({site}, {stage}, {rows})", depth)

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
        if isinstance(op, Load2DOp):
            self._load(op, site, depth)
        elif isinstance(op, Store2DOp):
            sram, dram, x_size, y_size, x_stride = (self._amount(amount) for amount in op.amounts())
            base = self._tile_address(op.buffer, "out")
            row = f"({Memory.OUT:d}, {sram}, {base} + {dram}, {y_size}, {x_size}, {x_stride}, 0, 0, 0, 0)"
            self._transfer(op, site, row, depth)
        elif isinstance(op, KernelOp):
            self._kernel(op, site, depth)
        elif isinstance(op, DepPushOp | DepPopOp):
            call = "push" if isinstance(op, DepPushOp) else "pop"
            self._line(f"stream.{call}({site}, {_STAGES[op.source.data]}, {_STAGES[op.target.data]})", depth)
        elif isinstance(op, SyncOp):
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
        dram, x_size, y_size, x_stride, xp0, yp0, xp1, yp1, sram = (self._amount(amount) for amount in op.amounts())
        base = self._tile_address(op.buffer, _ELEMENTS[memory])
        row = (
            f"({_LOAD_MEMORIES[memory]:d}, {sram}, {base} + {dram}, {y_size}, {x_size}, {x_stride}, "
            f"{yp0}, {yp1}, {xp0}, {xp1})"
        )
        self._transfer(op, site, row, depth)

    def _kernel(self, op: KernelOp, site: int, depth: int) -> None:
        captures = "".join(f"{self._name(value)}, " for value in op.captures)
        head = f"stream.{'gemm' if isinstance(op, GemmOp) else 'alu'}({site}, ({captures}), {micro_op_list(op)}"
        if isinstance(op, GemmOp):
            self._line(f"{head}, {op.reset is not None}, {gemm_loops(op)})", depth)
        elif isinstance(op, AluOp):
            immediate = None if op.immediate is None else op.immediate.value.data
            opcode = AluOpcode[op.opcode.data.upper()]
            self._line(f"{head}, {opcode:d}, {immediate}, {alu_loops(op)})", depth)
