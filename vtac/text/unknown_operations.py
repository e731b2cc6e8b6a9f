"""All operations of a text that no dialect has, so that one error can name them together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType

from xdsl.context import Context

from vtac.text.reports import Report, suggestion

_CLOSE = 0.75
"""How alike a name must be to be suggested: what is a slip of the fingers, not another operation."""
_GENERICS = "; it is not read in this form: let the frontend decompose it into linalg.generic"
_FOLD = "; it is not read: let 'mlir-opt --canonicalize' fold it, or write what it stands for"
_HINTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        _GENERICS,
        (
            "linalg.softmax",
            "linalg.winograd_filter_transform",
            "linalg.winograd_input_transform",
            "linalg.winograd_output_transform",
            "linalg.pack",
            "linalg.unpack",
            "linalg.mmt4d",
            "linalg.elementwise",
            "linalg.contract",
            "linalg.batch_mmt4d",
            "linalg.fill_rng_2d",
            "tensor.gather",
            "tensor.scatter",
        ),
    ),
    (_FOLD, ("tensor.bitcast", "math.isnormal", "math.sincos")),
)
_OF_MLIR: Mapping[str, str] = MappingProxyType({name: hint for hint, names in _HINTS for name in names})
"""Operations that MLIR has, and what to do about them."""
_USUAL = ("func", "arith", "linalg", "tensor", "memref", "scf", "math", "schedule")
"""Dialects that may have been meant where none is written."""
_RESULT = r"%[\w$.:\-]+"
_STATEMENT = re.compile(
    rf'^[ \t]*(?:{_RESULT}(?:[ \t]*,[ \t]*{_RESULT})*[ \t]*=[ \t]*)?"?'
    r"(?P<name>[A-Za-z_]\w*(?:\.\w+)+)(?![\w.]|[ \t]*[:=])",
    re.MULTILINE,
)
"""The name of an operation at the start of a line, behind its results; keys of attributes and resources are none."""


def unknown_operation(name: str, context: Context) -> str:
    """What to say of an operation that no dialect has."""
    dialect = name.partition(".")[0]
    if dialect == name:
        found = (f"{usual}.{name}" for usual in _USUAL if context.get_optional_op(f"{usual}.{name}") is not None)
        hint = next((f"; did you mean '{one}'?" for one in found), "; it is written with its dialect, as in func.func")
        return f"unknown operation '{name}'{hint}"
    if dialect in context.registered_dialect_names:
        if name in _OF_MLIR:
            return f"dialect '{dialect}' has no operation '{name}'{_OF_MLIR[name]}"
        loaded = [operation.name for operation in context.loaded_ops]
        own = [found.partition(".")[2] for found in loaded if found.startswith(f"{dialect}.")]
        close = get_close_matches(name.partition(".")[2], own, n=1, cutoff=_CLOSE)
        hint = f"; did you mean '{dialect}.{close[0]}'?" if close else ""
        return f"dialect '{dialect}' has no operation '{name}'{hint}"
    hint = suggestion(dialect, context.registered_dialect_names)
    return f"unknown dialect '{dialect}' of operation '{name}'{hint}"


def further_unknown_operations(text: str, start: int, file: str, context: Context) -> Iterator[Report]:
    """Reports of the statements after position `start` whose operation no dialect has."""
    line = text.count("\n", 0, start) + 1
    last = start
    for match in _STATEMENT.finditer(text, text.find("\n", start) + 1 or len(text)):
        name, at = match["name"], match.start("name")
        if context.get_optional_op(name) is None:
            line, last = line + text.count("\n", last, at), at
            column = at - text.rfind("\n", 0, at)
            yield Report("error", unknown_operation(name, context), f"{file}:{line}:{column}")
