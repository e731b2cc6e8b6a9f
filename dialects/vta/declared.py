"""Attributes of the vta dialect: the hardware of a module, and what passes settle about on-chip buffers."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects.builtin import BytesAttr, DictionaryAttr, IntegerAttr, StringAttr, i64
from xdsl.ir import Attribute

from vtac.dialects.declared import MARK, TEXT, Declared, Kind, declare, integer

_ALLOCATION = ("memref.alloc",)
_MODULE = ("builtin.module",)


def _read_fields(attribute: Attribute) -> Mapping[str, int | str] | None:
    if not isinstance(attribute, DictionaryAttr):
        return None
    fields: dict[str, int | str] = {}
    for key, value in attribute.data.items():
        if isinstance(value, IntegerAttr):
            fields[key] = value.value.data
        else:
            text = _read_text(value)
            if text is None:
                return None
            fields[key] = text
    return fields


def _read_text(attribute: Attribute) -> str | None:
    """A string; one with letters beyond ASCII is printed escaped, and parsed as bytes."""
    if isinstance(attribute, StringAttr):
        return attribute.data
    try:
        return attribute.data.decode() if isinstance(attribute, BytesAttr) else None
    except UnicodeDecodeError:
        return None


def _write_fields(fields: Mapping[str, int | str]) -> Attribute:
    return DictionaryAttr(
        {key: StringAttr(value) if isinstance(value, str) else IntegerAttr(value, i64) for key, value in fields.items()}
    )


CONFIG: Declared[Mapping[str, int | str]] = declare(
    Declared(
        "vta.config",
        Kind("a dictionary with the fields of vta_config.json, integers and strings,", _read_fields, _write_fields),
        _MODULE,
        "the hardware that the module is compiled for",
    )
)

WORK: Declared[Mapping[str, int | str]] = declare(
    Declared(
        "vta.work",
        Kind("a dictionary of numbers", _read_fields, _write_fields),
        ("func.call",),
        "what the layer that the call computes takes at least, whatever its schedule",
    )
)

ACC_8BIT = declare(
    Declared(
        "vta.acc_8bit",
        MARK,
        _MODULE,
        "the module may load i8 into accumulators, which simulators decode and the hardware's RTL does not",
    )
)

COPIES = declare(
    Declared(
        "vta.copies",
        integer(1),
        _ALLOCATION,
        "copies of a buffer that loop iterations shall use in turn",
        "double_buffer",
    )
)

TURNS = declare(
    Declared("vta.turns", integer(1), _ALLOCATION, "copies that a buffer has and that loop iterations use in turn")
)

THREADS = declare(
    Declared("vta.threads", integer(1), _ALLOCATION, "copies that a buffer has, one for each virtual thread")
)

THREAD_LOOP = declare(Declared("vta.thread_loop", TEXT, _ALLOCATION, "the loops whose virtual threads have the copies"))

ARENA_OFFSET = declare(
    Declared("vta.arena_offset", integer(0), _ALLOCATION, "the byte in the DRAM that a program's allocations share")
)
