"""Reductions that add integers up: sums wrap, so that their order does not matter and many points are taken at once."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from xdsl.dialects.arith import AddiOp
from xdsl.dialects.builtin import IntegerType
from xdsl.ir import Block, BlockArgument

from vtac.evaluate.numbers import Array

_SUMMED = tuple(IntegerType(width) for width in (8, 16, 32, 64))
_MOST_POINTS = 1 << 18
"""Points of an iteration space that are computed at once."""


def only_adds(body: Block, inputs: int) -> bool:
    """Whether a body with one output adds an integer to it, and asks for it nowhere else."""
    last = body.last_op
    if last is None or len(last.operands) != 1 or len(body.args) != inputs + 1:
        return False
    total, sum_ = body.args[inputs], last.operands[0]
    kind = total.type
    if kind not in _SUMMED or isinstance(sum_, BlockArgument):
        return False
    return isinstance(sum_.owner, AddiOp) and total in sum_.owner.operands and total.has_one_use()


def taken_at_once(extents: Sequence[int], reductions: Sequence[int]) -> list[int]:
    """The innermost reductions that are summed over at once, as many as leave few enough points."""
    points = prod(extent for dimension, extent in enumerate(extents) if dimension not in reductions)
    for place, dimension in reversed(list(enumerate(reductions))):
        points *= max(1, extents[dimension])
        if points > _MOST_POINTS:
            return list(reductions[place + 1 :])
    return list(reductions)


def added(total: Array, values: Array, extents: Sequence[int], reductions: Sequence[int]) -> Array:
    """A total and the sums of values over some dimensions, which stay, with one element; of their own type, wrapped."""
    shape = [extents[n] if n in reductions else size for n, size in enumerate(values.shape)]
    whole = np.broadcast_to(values, shape)
    return np.add(total, np.add.reduce(whole, axis=tuple(reductions), dtype=values.dtype, keepdims=True))
