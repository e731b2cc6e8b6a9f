"""Types of buffers, each made once.

xDSL builds the constraint of a memref's shape anew for each type, which takes longer than all else about a buffer.
"""

from __future__ import annotations

from functools import lru_cache

from xdsl.dialects.builtin import MemRefLayoutAttr, MemRefType, NoneAttr
from xdsl.ir import Attribute

_NONE = NoneAttr()


@lru_cache(maxsize=4096)
def buffer_type(
    element: Attribute,
    shape: tuple[int, ...],
    space: Attribute = _NONE,
    layout: MemRefLayoutAttr | NoneAttr = _NONE,
) -> MemRefType[Attribute]:
    """The memref of static shape in a memory space."""
    return MemRefType(element, shape, layout, space)
