"""reorder: the loops of one nest in another order.

before: for i          after reorder(j, i): for j
          for j                               for i
            block(i, j)                         block(i, j)
"""

from __future__ import annotations

from itertools import pairwise

from vtac.analysis.nests.nest import blocks_under, buffer_name, enclosing_loops
from vtac.analysis.nests.reductions import loop_roles
from vtac.analysis.nests.revisits import writes_once
from vtac.dialects.schedule.loop_directives import ReorderOp
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, refusal
from vtac.rewriting.edits import replace_nest


@rewrites(ReorderOp)
def reorder(op: ReorderOp, handles: Handles) -> None:
    """Permute loops of one perfect nest among the places they hold.

    requires: different loops on one path, each from the outermost to the innermost
              holding only the next; a loop that computes elements again stays outside of
              the loops that reduce into them; parts of a loop fused across spatial and
              reduction loops keep their order. A bound loop may move, virtual threads too.
    ensures:  the same iterations in another order, in which each sum is still taken from its start.
    refused:  a loop that holds the init of a decomposed reduction, and loops that are mapped with all they hold.
    """
    wanted = [handles.loop(handle, op) for handle in op.loops]
    if len(set(wanted)) != len(wanted) or len(wanted) < 2:
        raise refusal(
            op, f"{len(wanted)} loops given, {len(set(wanted))} of them different", "give two or more, each once"
        )
    chain = _chain(op, wanted)
    places = [position for position, loop in enumerate(chain) if loop in wanted]
    order = list(chain)
    for place, loop in zip(places, wanted, strict=True):
        order[place] = loop
    _check_hardware_loops(op, chain, order)
    _check_reductions(op, chain, order)
    replace_nest(chain, order)


def _chain(op: ReorderOp, wanted: list[ForOp]) -> list[ForOp]:
    """The path of loops from the outermost wanted loop to the innermost."""
    innermost = max(wanted, key=lambda loop: len(enclosing_loops(loop)))
    path = [*enclosing_loops(innermost), innermost]
    for loop in wanted:
        if loop not in path:
            raise refusal(
                op,
                f"loops {describe(loop)} and {describe(innermost)} are not in one nest",
                "reorder loops around one block",
            )
    chain = path[min(path.index(loop) for loop in wanted) :]
    for outer, inner in pairwise(chain):
        body = outer.body.block
        if body.first_op is inner and body.last_op is inner:
            continue
        others = [block.block_name for block in blocks_under(outer) if block not in blocks_under(inner)]
        inits = [name for name in others if name.endswith("_init")]
        if inits:
            raise refusal(
                op,
                f"loop {describe(outer)} also holds the init '{inits[0]}': a reorder cannot cross it",
                "reorder before decompose_reduction",
            )
        raise refusal(
            op,
            f"loop {describe(outer)} holds more than loop {describe(inner)}: {', '.join(others) or 'an allocation'}",
            "only perfectly nested loops can be reordered",
        )
    return chain


def _check_hardware_loops(op: ReorderOp, chain: list[ForOp], order: list[ForOp]) -> None:
    """A loop given to a hardware unit keeps the loops it holds."""
    for position, loop in enumerate(chain):
        if loop.attributes and set(chain[position:]) != set(order[order.index(loop) :]):
            raise refusal(
                op,
                f"loop {describe(loop)} is annotated {', '.join(loop.attributes)} with all it holds",
                "reorder before dma_copy, alu and tensorize",
            )


def _check_reductions(op: ReorderOp, chain: list[ForOp], order: list[ForOp]) -> None:
    """Elements that accumulate must not be visited again before they are complete."""
    for block in [found for found in blocks_under(chain[-1]) if found.has_reduction]:
        reducing, spatial = (role.intersection(order) for role in loop_roles(block))
        if not reducing:
            continue
        _check_mixed(op, block, [loop for loop in chain if loop in reducing and loop in spatial], order)
        outermost = min(order.index(loop) for loop in reducing)
        inside = [loop for loop in order[outermost:] if loop not in reducing]
        fresh = [loop for loop in inside if any(chain.index(loop) < chain.index(outer) for outer in reducing)]
        if fresh and not writes_once(block, inside):
            raise refusal(
                op,
                f"loop {describe(fresh[0])} computes elements of '{buffer_name(block.output)}' more than once, and "
                f"loop {describe(order[outermost])} reduces into them",
                "keep it outside of the loops that reduce",
            )


def _check_mixed(op: ReorderOp, block: BlockOp, mixed: list[ForOp], order: list[ForOp]) -> None:
    """Parts of a loop fused across spatial and reduction loops: an element starts with the first of them."""
    for outer, inner in pairwise(mixed):
        if order.index(inner) < order.index(outer):
            raise refusal(
                op,
                f"loops {describe(outer)} and {describe(inner)} both count elements of '{buffer_name(block.output)}' "
                "and steps of their reduction, in this order",
                "keep their order, or reorder before fuse",
            )
