"""Attributes that passes make by the hundred, each made once for equal contents: making one takes long."""

from __future__ import annotations

from functools import lru_cache

from xdsl.dialects.builtin import I64, DenseArrayBase, IndexType, IntegerAttr, IntegerType, StringAttr, i64

INDEX = IndexType()
"""The type of indices."""


@lru_cache(maxsize=4096)
def text_attribute(characters: str) -> StringAttr:
    """A string."""
    return StringAttr(characters)


@lru_cache(maxsize=4096)
def number_attribute(value: int) -> IntegerAttr[I64]:
    """A number of 64 bits."""
    return IntegerAttr(value, i64)


@lru_cache(maxsize=4096)
def index_attribute(value: int) -> IntegerAttr[IndexType]:
    """A number as an index."""
    return IntegerAttr(value, INDEX)


@lru_cache(maxsize=4096)
def numbers_attribute(*values: int) -> DenseArrayBase[IntegerType]:
    """An array of numbers of 64 bits."""
    return DenseArrayBase.from_list(i64, values)
