"""Attributes that packing, grouping and linking leave on functions, calls and allocations."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import ArrayAttr, StringAttr
from xdsl.dialects.func import CallOp
from xdsl.ir import Attribute, Operation

DEVICE = "packing.device"
"""Attribute of functions that run on the VTA."""

PROGRAM = "packing.program"
"""Attribute of functions whose calls of device functions become one instruction stream."""

ARENA_OFFSET = "vta.arena_offset"
"""Attribute of an allocation: its byte offset in the area of DRAM that the program's allocations share."""

CHOICE = "packing.choice"
"""Attribute that says what was chosen where there was a choice; of a program, for each call in it."""

LAYER = "packing.layer"
"""Attribute of a call of a device function: the name of the value that it computes, for reports."""


def layer_name(call: CallOp) -> str:
    """What reports call a call of a device function."""
    name = call.attributes.get(LAYER)
    return name.data if isinstance(name, StringAttr) else call.callee.string_value()


def choices_of(op: Operation) -> list[str]:
    """What was chosen for an operation of the host function, with who does it: a device function, or the host."""
    chosen: Attribute | None = op.attributes.get(CHOICE)
    if isinstance(chosen, ArrayAttr):
        return [item.data for item in cast("ArrayAttr[StringAttr]", chosen)]
    who = op.callee.string_value() if isinstance(op, CallOp) else "host"
    return [f"{who}: {chosen.data}"] if isinstance(chosen, StringAttr) else []
