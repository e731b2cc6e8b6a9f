"""How large values are, told by their types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod
from typing import cast

from xdsl.dialects.builtin import FixedBitwidthType, MemRefType, ShapedType, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Operation, SSAValue

from vtac.analysis.ir.walks import operations_under

_INDEX_BITS = 64

MAX_RANK = 64
"""Dimensions of an array of numpy, in which programs are executed."""

MAX_PROGRAM_RANK = MAX_RANK - 4
"""Dimensions of a value of a program that is compiled: tiles of it have up to four more on the way."""


def unusable_extents(what: str, extents: Iterable[int]) -> str:
    """Why a shape with extents below 1 is refused, and what to do: it is open, or holds nothing."""
    if 0 in extents:
        return f"{what}: an extent of 0; shapes that hold elements are required: leave the operation out"
    return f"{what}: dynamic shapes; static ones are required: export the model for a fixed batch"


def rank_of(kind: Attribute) -> int:
    """Dimensions of a shaped type; 0 for any other."""
    return len(kind.get_shape()) if isinstance(kind, ShapedType) else 0


def item_count(kind: Attribute) -> int:
    """Elements of a shaped type; 0 for any other type, and for one whose shape is not static."""
    if not isinstance(kind, ShapedType) or any(extent < 0 for extent in kind.get_shape()):
        return 0
    return prod(kind.get_shape())


def byte_count(kind: Attribute) -> int:
    """Bytes that the elements of a shaped type take, each at least one; 0 where `item_count` is."""
    if not isinstance(kind, MemRefType | TensorType):
        return 0
    shaped = cast("MemRefType[Attribute] | TensorType[Attribute]", kind)
    element = shaped.element_type
    bits = element.bitwidth if isinstance(element, FixedBitwidthType) else _INDEX_BITS
    return item_count(shaped) * -(-bits // 8)


def values_under(op: Operation) -> Iterator[SSAValue]:
    """The values that operations under an operation make, and the arguments of its own body."""
    for region in op.regions:
        for block in region.blocks:
            yield from block.args
    for inner in operations_under(op)[1:]:
        yield from inner.results


def total_bytes(values: Iterable[SSAValue]) -> int:
    """What values take together."""
    return sum(byte_count(value.type) for value in values)


def returned(function: FuncOp) -> tuple[SSAValue, ...]:
    """What a function of one block returns."""
    last = function.body.block.last_op
    return tuple(last.operands) if isinstance(last, ReturnOp) else ()
