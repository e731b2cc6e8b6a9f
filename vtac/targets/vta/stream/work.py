"""How long a stream becomes, told from the loops around its operations before it is written."""

from __future__ import annotations

from math import prod

from xdsl.dialects import func, scf
from xdsl.ir import Block, Operation
from xdsl.traits import SymbolTable

from vtac.analysis.expressions.trips import constant_trips
from vtac.analysis.ir.locations import location_of
from vtac.analysis.vta.kernel_shapes import micro_op_limit
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.vta.kernels import KernelOp
from vtac.errors import CompileError
from vtac.limits import INSTRUCTION_BYTES, ITERATIONS, MEMORY, shown


def refuse_too_long(function: func.FuncOp, config: VTAConfig) -> None:
    """Raises `CompileError` for a stream whose writing would take more than the limits allow.

    Loops whose bounds are no constants count once; what they issue is counted while it is written.
    """
    name, issued = function.sym_name.data, 0
    most, most_micro_ops = ITERATIONS.value, micro_op_limit(config)
    for op, times in _Executed().of(function.body.block, 1):
        if times > most:
            raise CompileError(f"function '{name}' runs '{op.name}' in {ITERATIONS.refusal(times)}", location_of(op))
        if op.name.startswith("vta."):
            issued += times
            if isinstance(op, KernelOp):
                _refuse_micro_ops(op, most_micro_ops)
    refuse_instructions(issued, name, location_of(function))


def refuse_instructions(count: int, name: str, location: str = "") -> None:
    """Raises `CompileError` for more instructions than fit into memory while they are written."""
    found = MEMORY.refusal(count * INSTRUCTION_BYTES)
    if found:
        raise CompileError(
            f"the stream of '{name}' has {count:,} instructions or more, about {INSTRUCTION_BYTES:,} bytes each while "
            f"they are written, {found}: choose larger tiles",
            location,
        )


def _refuse_micro_ops(op: KernelOp, most: int) -> None:
    count = prod(op.micro_extents)
    if count > most:
        raise CompileError(
            f"'{op.name}' lists {shown(count)} micro-ops; the micro-op memory holds {most:,}: choose smaller tiles",
            location_of(op),
        )


class _Executed:
    """Operations that a function executes, with how often as far as bounds are constants; kernels are read once."""

    def __init__(self) -> None:
        self._kernels: dict[Operation, list[tuple[Operation, int]]] = {}

    def of(self, body: Block, times: int) -> list[tuple[Operation, int]]:
        """Every operation of a block, those of the kernels that it calls in their places."""
        found: list[tuple[Operation, int]] = []
        self._add(body, times, found)
        return found

    def _add(self, body: Block, times: int, found: list[tuple[Operation, int]]) -> None:
        for op in body.ops:
            found.append((op, times))
            if type(op) is func.CallOp:
                found += [(inner, inside * times) for inner, inside in self._called(op)]
                continue
            inside = times * constant_trips(op) if type(op) is scf.ForOp else times
            for region in op.regions:
                for block in region.blocks:
                    self._add(block, inside, found)

    def _called(self, call: func.CallOp) -> list[tuple[Operation, int]]:
        callee = SymbolTable.lookup_symbol(call, call.callee)
        if not isinstance(callee, func.FuncOp) or not callee.body.blocks:
            return []
        known = self._kernels.get(callee)
        if known is None:
            known = self._kernels[callee] = self.of(callee.body.block, 1)
        return known
