"""Which loops around a block reduce, and where its init belongs."""

from __future__ import annotations

from vtac.analysis.nests.accesses import bindings_of
from vtac.analysis.nests.nest import blocks_under, enclosing_loops
from vtac.dialects.declared import taken_by
from vtac.dialects.schedule.payload import BlockOp, ForOp


def loop_roles(block: BlockOp) -> tuple[set[ForOp], set[ForOp]]:
    """Loops that bind reduction variables, and loops that bind spatial ones."""
    owners = {loop.induction_variable: loop for loop in enclosing_loops(block)}
    reducing: set[ForOp] = set()
    spatial: set[ForOp] = set()
    for variable, value in zip(block.variables, bindings_of(block), strict=True):
        loops = {owners[used] for used in value.variables() if used in owners}  # pyright: ignore[reportArgumentType]
        (reducing if variable.reduction else spatial).update(loops)
    return reducing, spatial


def reduces(loop: ForOp) -> bool:
    """Whether some block under a loop reduces over it."""
    return any(
        variable.reduction and loop.induction_variable in value.variables()
        for block in blocks_under(loop)
        for variable, value in zip(block.variables, bindings_of(block), strict=True)
    )


def mixed_loop(block: BlockOp, reducing: set[ForOp], spatial: set[ForOp]) -> ForOp | None:
    """A loop that binds spatial and reduction variables at once (fused across the kinds), if there is one."""
    mixed = reducing & spatial
    return next((loop for loop in enclosing_loops(block) if loop in mixed), None) if mixed else None


def reduction_loop(block: BlockOp, reducing: set[ForOp]) -> ForOp | None:
    """The loop before which a block's init stands: the outermost that reduces or is mapped to hardware."""
    return next((loop for loop in enclosing_loops(block) if loop in reducing or taken_by(loop)), None)
