"""vta-group-stages: wrap what one unit does in a row in a vta.stage."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import IndexType, IntegerAttr, ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation
from xdsl.passes import ModulePass

from vtac.analysis.locations import location_of
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.vta.kernels import KernelOp
from vtac.dialects.vta.memory import Load2DOp, Store2DOp
from vtac.dialects.vta.synchronisation import Stage, StageOp
from vtac.errors import CompileError

_ONE_AFTER_ANOTHER = (LoopKind.SERIAL, LoopKind.CTHREAD)
"""Kinds of loops that a single iteration makes equal to no loop at all."""


@dataclass(frozen=True)
class VtaGroupStages(ModulePass):
    """Find the largest pieces of a program that one unit executes alone.

    requires: every block lowered to vta ops.
    ensures:  each load, store and kernel stands in a vta.stage; a stage takes whole loops
              and neighbours of the same unit; loops of virtual threads stay outside. Loops
              of one iteration are gone: nothing goes round them, so they need no tokens.
    declines: a block that no directive mapped to a unit.
    """

    name = "vta-group-stages"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in op.ops:
            if isinstance(function, FuncOp) and function.body.blocks:
                _dissolve_unit_loops(function.body.block)
                _group(function.body.block)


def _dissolve_unit_loops(body: Block) -> None:
    """Put what loops of one iteration hold where they stand."""
    for child in list(body.ops):
        for region in child.regions:
            for block in region.blocks:
                _dissolve_unit_loops(block)
        if not isinstance(child, ForOp) or child.trip_count > 1 or child.loop_kind not in _ONE_AFTER_ANOTHER:
            continue
        if child.induction_variable.uses:
            zero = ConstantOp(IntegerAttr(0, IndexType()))
            body.insert_op_before(zero, child)
            child.induction_variable.replace_all_uses_with(zero.result)
        for inner in list(child.body.block.ops):
            inner.detach()
            body.insert_op_before(inner, child)
        child.detach()
        child.erase()


def own_stage(op: Operation) -> Stage | None:
    """The unit that executes an op itself; None for ops of the host."""
    if isinstance(op, Load2DOp):
        return "compute" if op.memory.data in ("acc", "acc8") else "load"
    if isinstance(op, Store2DOp):
        return "store"
    return "compute" if isinstance(op, KernelOp) else None


def _stages(op: Operation) -> set[Stage]:
    """Every unit at work inside an op."""
    found: set[Stage] = set()
    for inner in op.walk():
        stage = own_stage(inner)
        if stage is not None:
            found.add(stage)
        if isinstance(inner, BlockOp):
            raise CompileError(
                f"block '{inner.block_name}' is mapped to no unit of the VTA; give a loop of it to one with dma_copy, "
                "alu or tensorize",
                location_of(inner),
            )
    return found


def _group(body: Block) -> None:
    group: StageOp | None = None
    for child in list(body.ops):
        stages = _stages(child)
        if not stages:
            if group is not None and not child.results:
                group = None
            elif group is not None:
                child.detach()
                body.insert_op_before(child, group)
            continue
        if len(stages) > 1 or _has_virtual_threads(child):
            group = None
            for region in child.regions:
                _group(region.block)
            continue
        (stage,) = stages
        if group is None or group.stage.data != stage:
            group = StageOp.get(stage)
            body.insert_op_before(group, child)
        child.detach()
        group.body.block.add_op(child)


def _has_virtual_threads(op: Operation) -> bool:
    return any(isinstance(inner, ForOp) and inner.loop_kind is LoopKind.CTHREAD for inner in op.walk())
