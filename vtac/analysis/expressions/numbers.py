"""Numbers that stand in a program."""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr
from xdsl.ir import SSAValue


def number_of(value: SSAValue) -> int | None:
    """The integer or index that an `arith.constant` gives; None for any other value."""
    owner = value.owner
    if type(owner) is not arith.ConstantOp:
        return None
    found = owner.properties["value"]
    return found.value.data if isinstance(found, IntegerAttr) else None
