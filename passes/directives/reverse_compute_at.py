"""reverse_compute_at: compute a consumer inside the loop that produces its input.

before: for i < 2                             after reverse_compute_at(b, i): for i < 2
          for j < 7: a(i * 7 + j)                                               for j < 7: a(i * 7 + j)
        for x < 14: b(x) reads a                                                for x < 7: b(i * 7 + x)
"""

from __future__ import annotations

from xdsl.dialects.memref import AllocOp

from vtac.dialects.schedule.directives import ReverseComputeAtOp
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.passes.analysis.accesses import bindings_of
from vtac.passes.analysis.nest import buffer_name, child_holding, enclosing_loops, precedes, writers_of
from vtac.passes.analysis.regions import Interval, covers_its_region, plain_dimension, region_of
from vtac.passes.directives.compute_at import check_inputs_ready, regenerate
from vtac.passes.directives.handles import Handles, describe, refusal


def reverse_compute_at(op: ReverseComputeAtOp, handles: Handles) -> None:
    """Move a consumer into a loop, after its producers there, onto what they have produced.

    requires: the loop encloses a producer of the block and no reduction loop of one is the
              loop or around it; what is produced per iteration is a box without gaps; the
              block reads it by plain indices; everything else it reads is ready.
    """
    block = handles.block(op.block, op)
    loop = handles.loop(op.loop, op)
    producers = _check(op, block, loop)
    body = loop.body.block
    intervals: list[Interval | None] = [None] * len(block.variables)
    for producer in producers:
        if not covers_its_region(producer, len(producer.inputs), body):
            raise refusal(
                op,
                f"block '{producer.block_name}' writes '{buffer_name(producer.output)}' in loop {describe(loop)} with "
                "gaps: what it produces per iteration is no box",
                "choose an outer loop, or do not fuse or guard the producer's loops",
            )
        region = region_of(producer.output, [(producer, len(producer.inputs))], body)
        for position, value in enumerate(block.inputs):
            if value is producer.output:
                _restrict(op, block, position, region, intervals)
    children = [child for child in (child_holding(body, producer) for producer in producers) if child is not None]
    last = max(children, key=body.get_operation_index)
    regenerate(block, body, last.next_op, intervals)
    _allocate_before(block, [*enclosing_loops(loop), loop][0])


def _allocate_before(block: BlockOp, nest: ForOp) -> None:
    """The output's allocation must precede the nest that the block has moved into."""
    allocation = block.output.owner
    if isinstance(allocation, AllocOp) and nest.parent is not None and not precedes(allocation, nest):
        allocation.detach()
        nest.parent.insert_op_before(allocation, nest)


def _check(op: ReverseComputeAtOp, block: BlockOp, loop: ForOp) -> list[BlockOp]:
    name = f"block '{block.block_name}'"
    if loop in enclosing_loops(block):
        raise refusal(op, f"{name} already stands in loop {describe(loop)}", "nothing needs to move")
    producers = [writer for value in block.inputs for writer in writers_of(value) if loop in enclosing_loops(writer)]
    if not producers:
        raise refusal(op, f"loop {describe(loop)} produces nothing that {name} reads", "choose a loop of its producers")
    if len(writers_of(block.output)) > 1:
        raise refusal(
            op, f"'{buffer_name(block.output)}' is written by several blocks", "move it before decompose_reduction"
        )
    for producer in producers:
        _check_no_reduction_outside(op, producer, loop)
    others = [place for place in producers if place is not block]
    check_inputs_ready_after(op, block, loop, others)
    return producers


def check_inputs_ready_after(op: ReverseComputeAtOp, block: BlockOp, loop: ForOp, producers: list[BlockOp]) -> None:
    """Inputs from outside the loop must be written before the loop's nest."""
    outermost = [*enclosing_loops(loop), loop][0]
    elsewhere = [w for value in block.inputs for w in writers_of(value) if w not in producers]
    if elsewhere:
        check_inputs_ready(op, block, loop, [outermost])


def _check_no_reduction_outside(op: ReverseComputeAtOp, producer: BlockOp, loop: ForOp) -> None:
    around = [*enclosing_loops(loop), loop]
    bindings = bindings_of(producer)
    for variable, value in zip(producer.variables, bindings, strict=True):
        for outer in around:
            if variable.reduction and outer.induction_variable in value.variables():
                raise refusal(
                    op,
                    f"loop {describe(outer)} reduces in '{producer.block_name}': its result is not complete there",
                    "choose a loop outside every reduction",
                )


def _restrict(
    op: ReverseComputeAtOp, block: BlockOp, position: int, region: list[Interval], intervals: list[Interval | None]
) -> None:
    access = block.accesses.data[position]
    if access.pad_value is not None:
        raise refusal(op, f"block '{block.block_name}' reads with padding", "use compute_at on its producer instead")
    for expr, interval in zip(access.indices.results, region, strict=True):
        variable = plain_dimension(expr)
        if variable is None:
            raise refusal(
                op,
                f"block '{block.block_name}' reads index {expr}, so what it needs is not what was just produced",
                "use compute_at on its producer instead",
            )
        known = intervals[variable]
        extent = block.variables[variable].extent
        intervals[variable] = interval if known is None else known.hull(interval, extent)
