"""Steps of a product in which all that one operand's copy brings is padding, so that nothing is added to the sums."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from xdsl.ir import Operation, SSAValue

from vtac.analysis.expressions.linear import ZERO, Linear
from vtac.analysis.expressions.separation import separated
from vtac.analysis.nests.accesses import indices_of
from vtac.analysis.nests.bodies import is_copy
from vtac.analysis.nests.nest import blocks_under, enclosing_loops, extents_around, readers_of, shape_of, writers_of
from vtac.analysis.tensor_cores.fragment_plans import intrinsic_of
from vtac.dialects.schedule.payload import BlockOp, ForOp

_BOX = "tma.load"


@dataclass(frozen=True)
class PaddedSteps:
    """Iterations of a loop in which a copy brings only padding: those in which one of the guards is negative.

    The guards depend on no loop that the copy has inside of the loop: its whole tile lies in the padding.
    """

    loop: ForOp
    copy: BlockOp
    guards: tuple[Linear, ...]

    @property
    def skipped(self) -> list[BlockOp]:
        """What such an iteration does without: all in the loop, but boxes, which a pipeline leaves out by itself."""
        return [one for one in blocks_under(self.loop) if not _is_box(one)]


def padded_steps(product: BlockOp) -> PaddedSteps | str | None:
    """The steps in which a copy that a product reads, itself or through others, brings only padding.

    None where it reads no such copy in one of its loops; or why there are none.
    """
    copy = _padded_copy(product)
    loop = _common_loop(product, copy) if copy is not None else None
    if copy is None or loop is None:
        return None
    inside = blocks_under(loop)
    foreign = next((one for one in inside if one is not product and not _serves(one, inside)), None)
    if foreign is not None:
        return f"loop '{loop.loop_name}' holds block '{foreign.block_name}', too, which does not serve the sum alone"
    return _outside(loop, copy)


def _serves(block: BlockOp, inside: Sequence[BlockOp]) -> bool:
    """Whether a block is a copy that only blocks of the loop read."""
    is_own = isinstance(block.output.owner, Operation) and writers_of(block.output) == [block]
    return is_copy(block) and is_own and all(reader in inside for reader in readers_of(block.output))


def _outside(loop: ForOp, copy: BlockOp) -> PaddedSteps | str:
    extents = extents_around(copy)
    around = {one.induction_variable for one in (*enclosing_loops(loop), loop)}
    inside = {one.induction_variable for one in enclosing_loops(copy)} - around
    single: dict[Hashable, Linear] = {variable: ZERO for variable in inside if extents[variable] == 1}
    guards: list[Linear] = []
    for index, limit in zip(indices_of(copy, 0, extents), shape_of(copy.inputs[0]), strict=True):
        apart = separated(index.substitute(single, extents), inside, extents)
        low, high = index.bounds(extents)
        if apart.variables() <= around:
            guards += [apart] if low < 0 else []
            guards += [Linear(limit - 1) - apart] if high >= limit else []
    if not guards:
        return (
            f"no iteration of loop '{loop.loop_name}' is one in which block '{copy.block_name}' copies only padding: "
            "where an element lies depends on the loops of the copy itself"
        )
    if any(guard.bounds(extents)[1] < 0 for guard in guards):
        return f"block '{copy.block_name}' copies padding in every iteration of loop '{loop.loop_name}'"
    return PaddedSteps(loop, copy, tuple(guards))


def _padded_copy(product: BlockOp) -> BlockOp | None:
    """The first copy with padding of zeros on the way to a product's operands."""
    waiting: list[SSAValue] = list(product.inputs)
    seen: set[SSAValue] = set()
    while waiting:
        buffer = waiting.pop(0)
        if buffer in seen:
            continue
        seen.add(buffer)
        for writer in [one for one in writers_of(buffer) if is_copy(one)]:
            pad = writer.accesses.data[0].pad_value
            if pad is not None and pad.value.data == 0:
                return writer
            waiting += writer.inputs
    return None


def _common_loop(product: BlockOp, copy: BlockOp) -> ForOp | None:
    """The innermost loop around both."""
    around = enclosing_loops(product)
    return next((loop for loop in reversed(enclosing_loops(copy)) if loop in around), None)


def _is_box(block: BlockOp) -> bool:
    return any(intrinsic_of(loop) == _BOX for loop in enclosing_loops(block))
