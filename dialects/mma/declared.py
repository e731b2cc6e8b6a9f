"""Attributes of the mma dialect: how a shared buffer is to lie, and how it does."""

from __future__ import annotations

from xdsl.ir import Attribute

from vtac.dialects.declared import MARK, Declared, Kind, declare, integer
from vtac.dialects.mma.layout_attribute import SharedLayoutAttr
from vtac.dialects.mma.shared_layouts import SharedLayout

_ALLOCATION = ("memref.alloc",)


def _read(attribute: Attribute) -> SharedLayout | None:
    return attribute.data if isinstance(attribute, SharedLayoutAttr) else None


_LAYOUT: Kind[SharedLayout] = Kind("a layout such as #mma.layout<swizzle 128 pitch 128>", _read, SharedLayoutAttr)

SWIZZLE = declare(
    Declared(
        "mma.swizzle", integer(0), _ALLOCATION, "bytes of a row within which chunks of 16 change places", "swizzle"
    )
)

PANELS = declare(
    Declared("mma.panels", MARK, _ALLOCATION, "swizzled rows wider than the swizzle are cut into panels", "swizzle")
)

LAYOUT = declare(
    Declared("mma.layout", _LAYOUT, _ALLOCATION, "how the buffer is to lie; its accesses are those of plain rows still")
)

PLACED = declare(Declared("mma.placed", _LAYOUT, _ALLOCATION, "how the buffer lies; its accesses are where that says"))
