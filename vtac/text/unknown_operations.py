"""All operations of a text that no dialect has, so that one error can name them together."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xdsl.context import Context

from vtac.text.reports import Report, suggestion

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
    if dialect in context.registered_dialect_names:
        hint = suggestion(name, (operation.name for operation in context.loaded_ops))
        return f"dialect '{dialect}' has no operation '{name}'{hint}"
    if dialect == name:
        return f"unknown operation '{name}'"
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
