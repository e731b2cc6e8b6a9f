"""Constants of single bits as MLIR prints many of them: eight in a byte, the first one lowest."""

from __future__ import annotations

from math import ceil

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, i1
from xdsl.ir import Attribute

_MOST_LISTED = 100
"""Elements that xDSL prints one by one, unless all are equal; more of them are one text."""


def packed_bits(attribute: Attribute) -> str | None:
    """`dense<"0x..">` of a constant that xDSL would print a byte each, without its type; None for any other."""
    if not isinstance(attribute, DenseIntOrFPElementsAttr) or attribute.get_element_type() != i1:
        return None
    elements = attribute.data.data
    if len(elements) <= _MOST_LISTED or elements == elements[:1] * len(elements):
        return None
    number = int("".join("01"[element & 1] for element in reversed(elements)), 2)
    bits = number.to_bytes(ceil(len(elements) / 8), "little")
    return f'dense<"0x{bits.hex().upper()}">'
