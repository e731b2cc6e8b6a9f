"""Where the elements of buffers lie: offsets and strides of the types of memrefs, in elements, and casts of them."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import DYNAMIC_INDEX, MemRefType, NoneAttr, StridedLayoutAttr, UnrankedMemRefType
from xdsl.ir import Attribute
from xdsl.utils.hints import isa


def layout_of(kind: MemRefType) -> tuple[list[int | None], int | None] | None:
    """Strides and offset of a buffer, None for each that is told at run time; None for a layout that is a map."""
    layout = kind.layout
    if isinstance(layout, StridedLayoutAttr):
        return list(layout.get_strides()), layout.get_offset()
    return (_row_major(extents_of(kind)), 0) if isinstance(layout, NoneAttr) else None


def extents_of(kind: MemRefType) -> list[int | None]:
    """The shape of a buffer, None for each extent that is told at run time."""
    return [None if extent == DYNAMIC_INDEX else extent for extent in kind.get_shape()]


def may_be_cast(source: Attribute, target: Attribute) -> bool:
    """Whether a buffer may have two types: what both say of elements, scope, extents, strides and offset is equal.

    The rule of MLIR's memref.cast; of two layouts of which one is a map nothing is told.
    """
    ranked = isa(source, MemRefType) and isa(target, MemRefType)
    for kind in (source, target):
        if not isa(kind, MemRefType) and not isa(kind, UnrankedMemRefType):
            return False
    if _elements_and_scope(source) != _elements_and_scope(target):
        return False
    if not ranked or not isa(source, MemRefType) or not isa(target, MemRefType):
        return True
    if not agree(extents_of(source), extents_of(target)):
        return False
    layouts = layout_of(source), layout_of(target)
    if source.layout == target.layout or layouts[0] is None or layouts[1] is None:
        return True
    (strides, offset), (others, other) = layouts[0], layouts[1]
    return agree([*strides, offset], [*others, other])


def agree(some: Sequence[int | None], others: Sequence[int | None]) -> bool:
    """Whether there are as many numbers on either side, and equal ones where both are known."""
    if len(some) != len(others):
        return False
    return all(one == other or None in (one, other) for one, other in zip(some, others, strict=True))


def _row_major(shape: Sequence[int | None]) -> list[int | None]:
    strides: list[int | None] = []
    stride: int | None = 1
    for extent in reversed(shape):
        strides.insert(0, stride)
        stride = None if stride is None or extent is None else stride * extent
    return strides


def _elements_and_scope(kind: Attribute) -> tuple[Attribute, Attribute] | None:
    if isa(kind, MemRefType) or isa(kind, UnrankedMemRefType):
        return kind.element_type, kind.memory_space
    return None
