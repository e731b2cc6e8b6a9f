"""Attributes that packing, grouping and linking leave on functions and calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from xdsl.dialects.builtin import (
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    IntegerAttr,
    IntegerType,
    StringAttr,
    UnitAttr,
    i64,
)
from xdsl.dialects.func import CallOp
from xdsl.ir import Attribute, Operation
from xdsl.utils.hints import isa

from vtac.dialects.declared import (
    ARGUMENT,
    FUNCTION_RESULT,
    MARK,
    TEXT,
    TEXTS,
    Declared,
    Kind,
    declare,
    integer,
    integers,
)

_FUNCTION = ("func.func",)

HOST = "host"
"""Who computes what no device function does, in choices."""

Choices: TypeAlias = str | Sequence[str]
Contraction: TypeAlias = tuple[str, int, bool]
"""Its location, its multiplications, and whether it is one of floats."""


def _read_choices(attribute: Attribute) -> Choices | None:
    return attribute.data if isinstance(attribute, StringAttr) else TEXTS.read(attribute)


def _write_choices(choices: Choices) -> Attribute:
    return StringAttr(choices) if isinstance(choices, str) else ArrayAttr([StringAttr(choice) for choice in choices])


def _read_order(attribute: Attribute) -> tuple[int, ...] | None:
    if not isa(attribute, DenseArrayBase[IntegerType]) or attribute.elt_type != i64:
        return None
    values = tuple(int(value) for value in attribute.get_values())
    return values if sorted(values) == list(range(len(values))) else None


def _write_order(values: Sequence[int]) -> Attribute:
    return DenseArrayBase.from_list(i64, list(values))


def _read_numbers(attribute: Attribute) -> dict[str, int] | None:
    if not isinstance(attribute, DictionaryAttr):
        return None
    found = {key: value.value.data for key, value in attribute.data.items() if isinstance(value, IntegerAttr)}
    return found if len(found) == len(attribute.data) else None


def _write_numbers(numbers: Mapping[str, int]) -> Attribute:
    return DictionaryAttr({key: IntegerAttr(value, i64) for key, value in numbers.items()})


def _read_contraction(attribute: Attribute) -> Contraction | None:
    if not isinstance(attribute, DictionaryAttr):
        return None
    location, macs = attribute.data.get("location"), attribute.data.get("macs")
    if not isinstance(location, StringAttr) or not isinstance(macs, IntegerAttr):
        return None
    return location.data, macs.value.data, "float" in attribute.data


def _read_contractions(attribute: Attribute) -> list[Contraction] | None:
    if not isa(attribute, ArrayAttr[Attribute]):
        return None
    found = [one for part in attribute.data if (one := _read_contraction(part)) is not None]
    return found if len(found) == len(attribute.data) else None


def _write_contractions(found: Sequence[Contraction]) -> Attribute:
    return ArrayAttr(
        [
            DictionaryAttr(
                {"location": StringAttr(location), "macs": IntegerAttr(macs, i64)}
                | ({"float": UnitAttr()} if is_float else {})
            )
            for location, macs, is_float in found
        ]
    )


def _read_strings(attribute: Attribute) -> dict[str, str] | None:
    if not isinstance(attribute, DictionaryAttr):
        return None
    found = {key: value.data for key, value in attribute.data.items() if isinstance(value, StringAttr)}
    return found if len(found) == len(attribute.data) else None


def _write_strings(strings: Mapping[str, str]) -> Attribute:
    return DictionaryAttr({key: StringAttr(value) for key, value in strings.items()})


DEVICE = declare(Declared("packing.device", MARK, _FUNCTION, "the function runs on the VTA"))

PLAIN = declare(
    Declared(
        "packing.plain", MARK, _FUNCTION, "the device function works on plain tensors; its calls are not packed yet"
    )
)

ORDER = declare(
    Declared(
        "packing.order",
        Kind("an array of different dimensions, each once,", _read_order, _write_order),
        _FUNCTION,
        "the dimensions of the first result in the order of its tiles: rows, lanes, then the others",
    )
)


def _read_strides(attribute: Attribute) -> tuple[int, ...] | None:
    if not isa(attribute, DenseArrayBase[IntegerType]) or attribute.elt_type != i64:
        return None
    values = tuple(int(value) for value in attribute.get_values())
    return values if all(value > 0 for value in values) else None


STRIDES = declare(
    Declared(
        "packing.strides",
        Kind("an array of positive numbers", _read_strides, _write_order),
        (ARGUMENT, FUNCTION_RESULT),
        "the tensor is a part of a larger buffer, its neighbours in each dimension so many elements apart",
    )
)

ANY_FILL = declare(
    Declared("packing.any_fill", MARK, ("packing.pack",), "nothing depends on what fills the incomplete tiles")
)

FOLD = declare(
    Declared(
        "packing.fold",
        integers(2, "two positive integers", lambda places: min(places) > 0),
        (),
        "rows and columns of the convolution's window that the host lays side by side as channels",
    )
)

PROGRAM = declare(
    Declared(
        "packing.program", MARK, _FUNCTION, "calls of device functions in the function become one instruction stream"
    )
)

CHOICE: Declared[Choices] = declare(
    Declared(
        "packing.choice",
        Kind("a string, or an array of strings,", _read_choices, _write_choices),
        (),
        "what was chosen where there was a choice; of a program, for each call in it",
    )
)

STEPS = declare(
    Declared(
        "packing.steps",
        integer(0),
        ("linalg.generic",),
        "operations of the ALU that count for the length of a device function, without those that go through bytes",
    )
)

LAYER = declare(
    Declared("packing.layer", TEXT, ("func.call",), "the name of the value that the call computes, for reports")
)

PLACES: Declared[Mapping[str, str]] = declare(
    Declared(
        "packing.places",
        Kind("a dictionary of strings", _read_strings, _write_strings),
        ("func.call",),
        "places in the source of a shared device function, and those that this call's operations come from instead",
    )
)

CONTRACTIONS: Declared[Sequence[Contraction]] = declare(
    Declared(
        "packing.contractions",
        Kind("an array of dictionaries with location and macs", _read_contractions, _write_contractions),
        _FUNCTION,
        "the contractions of the function as it was written",
    )
)

SUMMARY: Declared[Mapping[str, int]] = declare(
    Declared(
        "packing.summary",
        Kind("a dictionary of numbers", _read_numbers, _write_numbers),
        _FUNCTION,
        "how many contractions and multiplications the function has, and how many of them the VTA computes",
    )
)


def layer_name(call: CallOp) -> str:
    """What reports call a call of a device function."""
    return LAYER.get(call) or call.callee.string_value()


def choices_of(op: Operation) -> list[str]:
    """What was chosen for an operation of the host function, with who does it: a layer on the VTA, or the host."""
    chosen = CHOICE.get(op)
    if chosen is None:
        return []
    if not isinstance(chosen, str):
        return list(chosen)
    return [f"{chooser(op)}: {chosen}"]


def chooser(op: Operation) -> str:
    """The layer that a call computes; a layer that is called as the host is bears the name of its function."""
    if not isinstance(op, CallOp):
        return HOST
    name = layer_name(op)
    return op.callee.string_value() if name == HOST else name
