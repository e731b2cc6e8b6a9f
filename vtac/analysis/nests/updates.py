"""Blocks that go on from what another block has written, in the same buffer."""

from __future__ import annotations

from vtac.analysis.nests.accesses import bindings_of
from vtac.analysis.nests.nest import extents_around
from vtac.dialects.schedule.payload import BlockOp


def is_update(block: BlockOp) -> bool:
    """A reduction that starts from what its output holds."""
    return block.has_reduction and block.init is None


def starts_afresh(block: BlockOp) -> bool:
    """What the block stores does not depend on what its output held; it is no init that was split off."""
    return bool(block.inputs) and not is_update(block) and all(value is not block.output for value in block.inputs)


def is_whole_update(block: BlockOp) -> bool:
    """An update that runs over its whole domain, and is no part that a peeled loop has left."""
    if not is_update(block) or any(value is block.output for value in block.inputs):
        return False
    return runs_over_its_domain(block)


def runs_over_its_domain(block: BlockOp) -> bool:
    """Whether the loops reach the first and the last value of every iteration variable."""
    extents = extents_around(block)
    bounds = [value.bounds(extents) for value in bindings_of(block, extents)]
    return all(
        low == 0 and high >= variable.extent - 1 for variable, (low, high) in zip(block.variables, bounds, strict=True)
    )
