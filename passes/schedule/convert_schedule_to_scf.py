"""convert-schedule-to-scf: host loops as scf.for, stages dissolved."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, scf
from xdsl.dialects.builtin import IndexType, IntegerAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from vtac.analysis.locations import location_of
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.vta.synchronisation import StageOp
from vtac.errors import CompileError


@dataclass(frozen=True)
class ConvertScheduleToScf(ModulePass):
    """Turn host loops into scf.for; drop loops of one iteration and stage groups.

    requires: only vta ops and host values inside loops; virtual threads injected.
    ensures:  func, scf, arith, affine and vta ops only; loop bounds are constants at the
              start of the function.
    declines: loops bound to GPU indices, or virtual threads that are still loops.
    """

    name = "convert-schedule-to-scf"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                _Converter(function).convert()


class _Converter:
    def __init__(self, function: FuncOp) -> None:
        self.entry = function.body.block
        self.constants: dict[int, SSAValue] = {}

    def convert(self) -> None:
        self._convert_body(self.entry)
        for value in reversed(self.constants.values()):
            first, constant = self.entry.first_op, value.owner
            if isinstance(constant, Operation):
                if first is None:
                    self.entry.add_op(constant)
                else:
                    self.entry.insert_op_before(constant, first)

    def _constant(self, value: int) -> SSAValue:
        if value not in self.constants:
            constant = arith.ConstantOp(IntegerAttr(value, IndexType()))
            constant.result.name_hint = f"c{value}"
            self.constants[value] = constant.result
        return self.constants[value]

    def _convert_body(self, body: Block) -> None:
        for child in list(body.ops):
            if isinstance(child, StageOp):
                _dissolve(child, body)
        for child in list(body.ops):
            for region in child.regions:
                for block in region.blocks:
                    self._convert_body(block)
            if isinstance(child, ForOp):
                self._convert_loop(child, body)

    def _convert_loop(self, loop: ForOp, body: Block) -> None:
        if loop.loop_kind.is_bound:
            what = "virtual threads" if loop.loop_kind is LoopKind.CTHREAD else loop.loop_kind.value
            raise CompileError(
                f"loop '{loop.loop_name}' still stands for {what}: it is no host loop", location_of(loop)
            )
        if loop.trip_count == 1:
            loop.induction_variable.replace_all_uses_with(self._constant(0))
            _dissolve(loop, body)
            return
        inner = loop.body.detach_block(0)
        inner.add_op(scf.YieldOp())
        start, stop, step = (self._constant(bound) for bound in (0, loop.trip_count, 1))
        converted = scf.ForOp(start, stop, step, [], Region(inner))
        converted.location = loop.location
        converted.attributes = dict(loop.attributes)
        body.insert_op_before(converted, loop)
        loop.detach()


def _dissolve(op: ForOp | StageOp, body: Block) -> None:
    """Put what an op holds where it stands."""
    for child in list(op.body.block.ops):
        child.detach()
        body.insert_op_before(child, op)
    op.detach()
    op.erase()
