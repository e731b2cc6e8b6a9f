"""The calls that operations of the vta dialect are on a stream builder, as steps of the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat

from xdsl.dialects.affine import ApplyOp
from xdsl.ir import Operation

from vtac.analysis.ir.locations import location_of
from vtac.dialects.hardware import MemoryName
from vtac.dialects.vta.kernels import AluOp, GemmOp, KernelOp
from vtac.dialects.vta.memory import Load2DOp, Store2DOp
from vtac.dialects.vta.synchronisation import DepPopOp, DepPushOp, SyncOp
from vtac.errors import CompileError
from vtac.targets.vta.isa.instructions import AluOpcode, Memory
from vtac.targets.vta.stream.host_arithmetic import ARITHMETIC
from vtac.targets.vta.stream.host_values import HostValues, Step, row_of
from vtac.targets.vta.stream.kernel_code import alu_loops, gemm_loops, micro_ops_of
from vtac.targets.vta.stream.stream_builder import COMPUTE, LOAD, STORE, Row, StreamBuilder

_STAGES = {"load": LOAD, "compute": COMPUTE, "store": STORE}
_MEMORIES = {"inp": Memory.INP, "wgt": Memory.WGT, "acc": Memory.ACC, "acc8": Memory.ACC_8BIT, "out": Memory.OUT}
_ELEMENTS: dict[str, MemoryName] = {"inp": "inp", "wgt": "wgt", "acc": "acc", "acc8": "out", "out": "out"}
"""The memory whose elements a transfer counts in DRAM."""
_TAKEN = f"of arith {', '.join(sorted(op.name.removeprefix('arith.') for op in ARITHMETIC if op is not ApplyOp))}"


def refuse_unplaced(op: Load2DOp | Store2DOp | KernelOp) -> None:
    """Raises `CompileError` for an operation that names a buffer on the chip: these have no addresses here."""
    is_placed = not op.buffers if isinstance(op, KernelOp) else op.on_chip is None
    if not is_placed:
        raise CompileError(
            f"'{op.name}' names a buffer on the chip, which has no address yet: run vta-place-buffers, or count tiles "
            "from the start of the memory",
            location_of(op),
        )


@dataclass(frozen=True)
class HostCalls:
    """Calls on a stream builder with values of one host function."""

    stream: StreamBuilder
    values: HostValues

    def step(self, op: Operation, site: int, shape: tuple[int, ...] | None) -> Step:
        """The call of an operation, the `site` of what it issues.

        A transfer with a `shape` is one of a nest of loops of that shape, whose values are arrays. Raises
        `CompileError` for an operation that is none of the VTA's.
        """
        if type(op) is Load2DOp:
            return self._load(op, site, shape)
        if type(op) is Store2DOp:
            return self._store(op, site, shape)
        if type(op) is GemmOp:
            return self._gemm(op, site)
        if type(op) is AluOp:
            return self._alu(op, site)
        if type(op) is DepPushOp or type(op) is DepPopOp:
            source, target = _STAGES[op.source.data], _STAGES[op.target.data]
            pass_token = self.stream.push if type(op) is DepPushOp else self.stream.pop
            return lambda _: pass_token(site, source, target)
        if type(op) is SyncOp:
            finish = self.stream.finish if op.dataflow is None else self.stream.finish_dataflow
            return lambda _: finish(site)
        raise CompileError(
            f"'{op.name}' cannot run on the VTA or its host; only vta, scf, arith and affine ops can, {_TAKEN}: run "
            "the lowering passes, and map every block to a unit",
            location_of(op),
        )

    def _load(self, op: Load2DOp, site: int, shape: tuple[int, ...] | None) -> Step:
        amounts = map(self.values.amount, op.amounts())
        dram, x_size, y_size, x_stride, left, top, right, bottom, sram = amounts
        stage = COMPUTE if op.memory.data in ("acc", "acc8") else LOAD
        one, many = partial(self.stream.load, site, stage), partial(self.stream.loads, site, stage)
        fields = (sram, dram, y_size, x_size, x_stride, top, bottom, left, right)
        return self._transfer(op, one if shape is None else partial(many, shape), fields)

    def _store(self, op: Store2DOp, site: int, shape: tuple[int, ...] | None) -> Step:
        sram, dram, x_size, y_size, x_stride = map(self.values.amount, op.amounts())
        one, many = partial(self.stream.store, site), partial(self.stream.stores, site)
        fields = (sram, dram, y_size, x_size, x_stride, *repeat(self.values.constant(0), 4))
        return self._transfer(op, one if shape is None else partial(many, shape), fields)

    def _transfer(self, op: Load2DOp | Store2DOp, call: Callable[[Row], None], fields: Sequence[int]) -> Step:
        """A call with the row of a transfer; `fields` are the places of all but its memory, DRAM from the buffer on."""
        memory = op.memory.data
        refuse_unplaced(op)
        unit, address = self.stream.config.element_bytes(_ELEMENTS[memory]), self.values.address(op.buffer)
        sram, dram, *others = fields
        tile = self.values.new_place()
        row = row_of([self.values.constant(int(_MEMORIES[memory])), sram, tile, *others])

        def step(values: list[int]) -> None:
            base, between = divmod(values[address], unit)
            if between:
                raise CompileError(
                    f"'{op.name}' counts {memory} tiles of {unit} bytes from byte {values[address]:,}, within "
                    f"one: a buffer that starts at a multiple of {unit} bytes is required",
                    location_of(op),
                )
            values[tile] = base + values[dram]
            call(row(values))

        return step

    def _gemm(self, op: GemmOp, site: int) -> Step:
        refuse_unplaced(op)
        captures, micro_ops = row_of(list(map(self.values.place, op.captures))), micro_ops_of(op)
        reset, loops, gemm = op.reset is not None, gemm_loops(op), self.stream.gemm
        return lambda values: gemm(site, captures(values), micro_ops, reset, loops)

    def _alu(self, op: AluOp, site: int) -> Step:
        refuse_unplaced(op)
        captures, micro_ops = row_of(list(map(self.values.place, op.captures))), micro_ops_of(op)
        opcode, loops, alu = AluOpcode[op.opcode.data.upper()], alu_loops(op), self.stream.alu
        immediate = None if op.immediate is None else op.immediate.value.data
        return lambda values: alu(site, captures(values), micro_ops, opcode, immediate, loops)
