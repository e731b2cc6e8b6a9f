"""Where each intermediate buffer belongs, and how small it can be there: a plan for a whole function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Block, Operation, SSAValue

from vtac.analysis.expressions.linear import Extents, Linear
from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.walks import operations_under
from vtac.analysis.nests.accesses import all_indices_of, unit_variables
from vtac.analysis.nests.nest import Surroundings, blocks_under, buffer_name, shape_of
from vtac.analysis.nests.regions import Known, region_of
from vtac.dialects.declared import taken_by
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.errors import CompileError


@dataclass(frozen=True)
class Placement:
    """The innermost body that holds all uses of a buffer, and the buffer's shape there, in elements."""

    body: Block
    shape: list[int]


@dataclass
class Compaction:
    """What becomes of the buffers of a function, and the indices at which its blocks then access theirs.

    `placements` has no entry for a buffer that nothing reads or writes. `indices` has, per
    block, one list of expressions over loop variables per access, inputs first, output last.
    """

    placements: dict[AllocOp, Placement] = field(default_factory=dict[AllocOp, Placement])
    indices: dict[BlockOp, list[list[Linear]]] = field(default_factory=dict[BlockOp, list[list[Linear]]])
    around: Surroundings = field(default_factory=Surroundings)
    """The loops around the blocks."""


def _check_users(allocation: AllocOp) -> None:
    """Raises `CompileError` for a buffer that others than blocks use, whose regions nobody knows."""
    for use in allocation.memref.uses:
        if not isinstance(use.operation, BlockOp):
            raise CompileError(
                f"schedule-compact-buffers: buffer '{buffer_name(allocation.memref)}' is used by "
                f"'{use.operation.name}'; it takes buffers that blocks alone use, before they are lowered",
                location_of(use.operation),
            )


def plan_compaction(function: FuncOp) -> Compaction:
    """The plan for a function. Raises `CompileError` for a block with an init."""
    plan = Compaction()
    for block in blocks_under(function):
        if block.init is not None:
            raise CompileError(
                f"schedule-compact-buffers: block '{block.block_name}' has an init; "
                "run schedule-decompose-reductions first",
                location_of(block),
            )
        plan.indices[block] = _indices_without_unit_loops(block, plan.around.extents(block))
    for allocation in [child for child in operations_under(function) if isinstance(child, AllocOp)]:
        _check_users(allocation)
        accesses = _accesses(allocation.memref)
        if accesses:
            plan.placements[allocation] = _place(allocation.memref, accesses, plan)
    return plan


def _indices_without_unit_loops(block: BlockOp, extents: Extents) -> list[list[Linear]]:
    """Loops of one iteration contribute nothing to an index, nor do those that a guard holds at the first."""
    return all_indices_of(block, extents, unit_variables(block, extents))


def _place(buffer: SSAValue, accesses: list[tuple[BlockOp, int]], plan: Compaction) -> Placement:
    """The hull of what is accessed in one iteration of the loops around the uses; accesses become relative to it."""
    body = _common_body([block for block, _ in accesses], plan.around)
    if _is_padded(accesses):
        return Placement(body, list(shape_of(buffer)))
    region = region_of(buffer, accesses, body, known=Known(plan.around, plan.indices))
    for block, position in accesses:
        indices = plan.indices[block]
        indices[position] = [index - interval.base for index, interval in zip(indices[position], region, strict=True)]
    return Placement(body, [interval.extent for interval in region])


def _accesses(buffer: SSAValue) -> list[tuple[BlockOp, int]]:
    found: list[tuple[BlockOp, int]] = []
    for use in buffer.uses:
        block = use.operation
        if isinstance(block, BlockOp):
            found.append((block, use.index - block.bindings.data.num_dims))
    return sorted(found, key=lambda item: item[1])


def _is_padded(accesses: Sequence[tuple[BlockOp, int]]) -> bool:
    return any(block.accesses.data[position].pad_value is not None for block, position in accesses)


def _common_body(blocks: Sequence[BlockOp], around: Surroundings) -> Block:
    """The innermost body that holds all blocks, with no loop of a hardware unit around it."""
    paths = [around.loops(block) for block in blocks]
    shared: list[ForOp] = []
    for level in zip(*paths, strict=False):
        if any(loop is not level[0] for loop in level) or _is_mapped(level[0]):
            break
        shared.append(level[0])
    if shared and len(set(blocks)) > 1:
        return shared[-1].body.block
    top: Operation = blocks[0]
    while (parent := top.parent_op()) is not None and not isinstance(parent, FuncOp):
        top = parent
    return cast(Block, top.parent)


def _is_mapped(loop: ForOp) -> bool:
    """A loop that was given to a hardware unit with all it holds."""
    return bool(taken_by(loop))
