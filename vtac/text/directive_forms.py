"""How a directive is written, for those who have written it in another way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xdsl.context import Context
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Operation
from xdsl.irdl import IRDLOperation

from vtac.text.reports import Report

_DIRECTIVE = re.compile(r"\bschedule\.\w+")
_WORD = re.compile(r"`([^`]*)`|\$(\w+)|\S")
_OPTIONAL = re.compile(r"\(([^()]*)\)\?")
_TYPE = re.compile(r"type\(\$(\w+)\)")


def form_of_directive(text: str, name: str, at: int, context: Context) -> Iterator[Report]:
    """A note on how the directive at a position of a text, called `name`, is written; none where none stands there.

    What a parser misses at the begin of a line is the end of the line before it.
    """
    if not text[text.rfind("\n", 0, at) + 1 : at].strip():
        at = len(text[:at].rstrip()) if _DIRECTIVE.match(text, at) is None else at
    begin = text.rfind("\n", 0, at) + 1
    match = _DIRECTIVE.search(text, begin, max(at, begin + 1)) or _DIRECTIVE.match(text, at)
    found = None if match is None else context.get_optional_op(match[0])
    form = None if found is None else getattr(found, "assembly_format", None)
    if match is None or found is None or not isinstance(form, str):
        return
    line = text.count("\n", 0, match.start()) + 1
    column = match.start() - begin + 1
    yield Report("note", f"it is written: {match[0]} {_shown(found, form)}", f"{name}:{line}:{column}")


def _shown(operation: type[Operation], form: str) -> str:
    """An assembly format as people read it: operands and properties by name, strings quoted, `[...]` may be missing."""
    strings = _strings(operation)
    plain = _OPTIONAL.sub(r"`[` \1 `]`", _TYPE.sub(r"$\1_types", form.replace("attr-dict", "").replace("^", "")))
    words = [
        literal or (f'"{variable}"' if variable in strings else variable)
        for literal, variable in _WORD.findall(plain)
        if literal or variable
    ]
    return " ".join(words).replace(" ,", ",").replace("[ ", "[").replace(" ]", "]")


def _strings(operation: type[Operation]) -> set[str]:
    """The properties of an operation that are strings."""
    if not issubclass(operation, IRDLOperation):
        return set()
    properties = operation.get_irdl_definition().properties
    return {name for name, one in properties.items() if one.constr.get_bases() == {StringAttr}}
