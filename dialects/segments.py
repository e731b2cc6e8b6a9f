"""How many operands each group of an operation has: the attribute, made once for equal numbers."""

from __future__ import annotations

from functools import lru_cache

from xdsl.dialects.builtin import DenseArrayBase, i32

SEGMENTS = "operandSegmentSizes"
"""The property of operations whose groups of operands have any size."""


@lru_cache(maxsize=1024)
def segments(*sizes: int) -> DenseArrayBase:
    """What `SEGMENTS` holds."""
    return DenseArrayBase.from_list(i32, sizes)
