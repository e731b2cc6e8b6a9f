"""Arguments of directives as Python values: what the operands and properties that an operation declares take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from keyword import iskeyword
from operator import index as as_index
from typing import NamedTuple, SupportsIndex, TypeAlias, TypeVar, cast

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, IntegerAttr, StringAttr, UnitAttr, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    AttrConstraint,
    InferenceContext,
    OptPropertyDef,
    VarOperandDef,
    VarResultDef,
    irdl_to_attr_constraint,
)

from vtac.dialects.schedule.script import DirectiveOp
from vtac.errors import ScheduleError

D = TypeVar("D", bound=DirectiveOp)

INTEGER = "an integer of 64 bits"


@dataclass(frozen=True, eq=False)
class Reference:
    """What stands for a handle of a script in Python."""

    value: SSAValue


def make_directive(kind: type[D], arguments: Mapping[str, object], results: int = 1) -> D:
    """A directive from Python values, by the names of its operands and properties; None leaves an optional one out.

    `results` is the number of handles where the operation declares any number. Raises `ScheduleError` with the
    argument that is none of the kind declared. Kinds of handles, and what the operation requires of its
    arguments together, are for its verifier.
    """
    name, form = directive_name(kind), _form(kind)
    for what in arguments:
        if what not in form.names:
            names = ", ".join(sorted(form.names))
            raise ScheduleError(f"{name}: no argument '{what}'; the arguments are {names}")
    operands = [_operands(name, one, arguments.get(one.spelt)) for one in form.operands]
    properties: dict[str, Attribute] = {}
    for one in form.properties:
        value = arguments.get(one.spelt)
        if value is None and (one.is_optional or one.spelt not in arguments):
            continue
        found = value if isinstance(value, Attribute) else _converted(name, one, value)
        if found is not None:
            properties[one.name] = found
    types = _result_types(kind, results)
    if form.has_options:  # which may want more of the operation than its parts
        return kind(operands=operands, properties=properties, result_types=[list(kinds) for kinds in types])
    return kind.create(operands=list(chain(*operands)), properties=properties, result_types=list(chain(*types)))


_Conversion: TypeAlias = Callable[[str, str, object], Attribute | None]


class _Operand(NamedTuple):
    """An operand that a directive declares: its name, that in Python, and whether it is any number of handles."""

    name: str
    spelt: str
    is_variadic: bool


class _Property(NamedTuple):
    """A property that a directive declares, whether it may be missing, and what makes it of a Python value."""

    name: str
    spelt: str
    is_optional: bool
    convert: _Conversion | None


class _Form(NamedTuple):
    """What a directive declares."""

    names: tuple[str, ...]
    operands: tuple[_Operand, ...]
    properties: tuple[_Property, ...]
    has_options: bool


@cache
def _form(kind: type[DirectiveOp]) -> _Form:
    definition = kind.get_irdl_definition()
    return _Form(
        argument_names(kind),
        tuple(
            _Operand(what, _spelt(what), isinstance(declared, VarOperandDef)) for what, declared in definition.operands
        ),
        tuple(
            _Property(what, _spelt(what), isinstance(declared, OptPropertyDef), _conversion(kind, what))
            for what, declared in definition.properties.items()
        ),
        bool(definition.options),
    )


@cache
def _result_types(kind: type[DirectiveOp], results: int) -> tuple[tuple[Attribute, ...], ...]:
    """The types of a directive's handles, where any number of them is so many."""
    return tuple(
        tuple(declared.constr.infer(InferenceContext(), length=results if isinstance(declared, VarResultDef) else 1))
        for _, declared in kind.get_irdl_definition().results
    )


@cache
def argument_names(kind: type[DirectiveOp]) -> tuple[str, ...]:
    """What a directive takes, in the order of its declaration: handles, then properties.

    What Python keeps for itself has an underscore behind it: `async_`.
    """
    definition = kind.get_irdl_definition()
    return tuple(map(_spelt, (*dict(definition.operands), *definition.properties)))


def _spelt(name: str) -> str:
    return f"{name}_" if iskeyword(name) else name


def directive_name(kind: type[DirectiveOp]) -> str:
    """The name without its dialect."""
    return kind.name.rpartition(".")[2]


def whole(value: object) -> int | None:
    """The integer that a value is, numpy's included; None for anything else."""
    if type(value) is int:
        return value
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        return None
    try:
        return as_index(value)
    except TypeError:
        return None


def integer(directive: str, what: str, value: object, wanted: str = INTEGER) -> IntegerAttr:
    """A 64-bit integer as an attribute. Raises `ScheduleError` for anything else."""
    number = whole(value)
    if number is None or not -(1 << 63) <= number < 1 << 63:
        raise refused(directive, what, value, wanted)
    return _number(number)


@lru_cache(maxsize=1024)
def _number(number: int) -> IntegerAttr:
    return IntegerAttr(number, i64)


@lru_cache(maxsize=1024)
def _string(text: str) -> StringAttr:
    return StringAttr(text)


def refused(directive: str, what: str, value: object, wanted: str) -> ScheduleError:
    """The error for an argument of another kind than declared."""
    if isinstance(value, int) and value.bit_length() > 256:
        found = f"an integer of {value.bit_length()} bits"
    else:
        found = repr(value)
    return ScheduleError(f"{directive}: {what} is {found}; {wanted} is required")


def _operands(directive: str, declared: _Operand, value: object) -> list[SSAValue]:
    if not declared.is_variadic:
        return [_handle(directive, declared.name, value)]
    many = cast("Iterable[object]", value) if isinstance(value, Iterable) else ()
    return [_handle(directive, declared.name.removesuffix("s"), one) for one in many]


def _handle(directive: str, what: str, reference: object) -> SSAValue:
    if not isinstance(reference, Reference):
        raise refused(directive, what, reference, "a reference that a method of the schedule gave")
    return reference.value


def _converted(directive: str, declared: _Property, value: object) -> Attribute | None:
    if declared.convert is None:
        raise TypeError(f"{directive}: {declared.name} takes an attribute")
    return declared.convert(directive, "name" if declared.name.endswith("_name") else declared.name, value)


def _conversion(kind: type[DirectiveOp], what: str) -> _Conversion | None:
    """What makes a property of a Python value; None for one that takes attributes alone."""
    declared = kind.get_irdl_definition().properties[what].constr
    return next((convert for constraint, convert in _CONVERSIONS if declared == constraint), None)


def _text(directive: str, what: str, value: object) -> Attribute:
    if not isinstance(value, str):
        raise refused(directive, what, value, "a string")
    return _string(value)


def _flag(directive: str, what: str, value: object) -> Attribute | None:
    del directive, what
    return UnitAttr() if value else None


def _integers(directive: str, what: str, values: object) -> DenseArrayBase:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise refused(directive, what, values, "a sequence of integers")
    numbers = cast("Iterable[object]", values)
    return DenseArrayBase.from_list(i64, [integer(directive, what, value).value.data for value in numbers])


def _groups(directive: str, what: str, values: object) -> Attribute:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise refused(directive, what, values, "a sequence of sequences of integers")
    groups = cast("Iterable[object]", values)
    return ArrayAttr([_integers(directive, what.removesuffix("s"), group) for group in groups])


_CONVERSIONS: tuple[tuple[AttrConstraint, _Conversion], ...] = (
    (IntegerAttr.constr(i64), integer),
    (irdl_to_attr_constraint(StringAttr), _text),
    (irdl_to_attr_constraint(UnitAttr), _flag),
    (DenseArrayBase.constr(i64), _integers),
    (irdl_to_attr_constraint(ArrayAttr[DenseArrayBase]), _groups),
)
