"""Pass pipelines from text, `pass{option=value},...`, with errors that name the pass and the option."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import TypeVar, get_type_hints

from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import ArgSpec, ArgSpecConvertible, parse_pipeline
from xdsl.utils.exceptions import ArgSpecParseError
from xdsl.utils.hints import type_repr

from vtac.text.reports import one_line, suggestion
from vtac.tools.entry import UsageError

ConvertibleT = TypeVar("ConvertibleT", bound=ArgSpecConvertible)

_BLANKS_AROUND_COMMA = re.compile(r"\s*,\s*")
_COLUMN = re.compile(r"pass-pipeline:1:(\d+)")


def parse_passes(text: str, factories: Mapping[str, Callable[[], type[ModulePass]]]) -> tuple[ModulePass, ...]:
    """Returns the passes that `text` names, with their options.

    Raises `UsageError` for a malformed text, an unknown pass, and an unknown, missing or ill-typed option.
    """
    return tuple(build(spec, "pass", factories) for spec in parse_specs(text, "pass pipeline"))


def parse_specs(text: str, what: str) -> Sequence[ArgSpec]:
    """Returns the comma-separated `name{option=value ...}` items of `text`, called `what` in the error.

    Raises `UsageError` for another text.
    """
    tidy = _without_blanks_around_commas(text.strip())
    try:
        return tuple(parse_pipeline(tidy))
    except ArgSpecParseError as error:
        lines = str(error).strip().splitlines()
        column = _COLUMN.search(str(error))
        place = f" at character {column[1]}" if column else ""
        raise UsageError(f"cannot parse the {what} '{tidy}'{place}: {lines[-1].strip()}") from None


def build(spec: ArgSpec, what: str, factories: Mapping[str, Callable[[], type[ConvertibleT]]]) -> ConvertibleT:
    """Returns an instance of the class that `spec` names, `what` being a pass or a target. Raises `UsageError`."""
    if spec.name not in factories:
        hint = suggestion(spec.name, factories) or f"; 'vtac-opt --help' lists each {what}"
        raise UsageError(f"unknown {what} '{spec.name}'{hint}")
    found = factories[spec.name]()
    label = f"{what} '{spec.name}'"
    normal = spec.normalize_parameter_names()
    known = [field.name for field in fields(found) if field.init]
    for name in normal.parameters:
        if name not in known:
            raise UsageError(
                f"{label} has no option '{_dashed(name)}'{suggestion(name, known)}{_listing(found, known)}"
            )
    missing = sorted(found.required_fields() - set(normal.parameters))
    if missing:
        names = ", ".join(f"'{_dashed(name)}'" for name in missing)
        raise UsageError(f"{label} requires the option {names}: {spec.name}{{{_dashed(missing[0])}=...}}")
    try:
        return found.from_spec(spec)
    except ValueError as error:
        raise UsageError(f"{label}: {_option_error(error, normal, found)}") from error


def _option_error(error: ValueError, spec: ArgSpec, found: type[ArgSpecConvertible]) -> str:
    text = one_line(str(error))
    types = get_type_hints(found)
    for name, value in spec.parameters.items():
        if text.startswith(f"Incompatible types: given {value}, expected"):
            given = ",".join(str(part) for part in value) or "no value"
            return f"option '{_dashed(name)}' expects {type_repr(types[name])}, not {given}"
    return text


def _listing(found: type[ArgSpecConvertible], known: Sequence[str]) -> str:
    if not known:
        return "; it has none"
    types = get_type_hints(found)
    return "; its options are " + ", ".join(f"{_dashed(name)} ({type_repr(types[name])})" for name in known)


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _without_blanks_around_commas(text: str) -> str:
    outside_and_inside = text.split('"')
    outside_and_inside[::2] = [_BLANKS_AROUND_COMMA.sub(",", part) for part in outside_and_inside[::2]]
    return '"'.join(outside_and_inside)
