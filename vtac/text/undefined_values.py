"""Values that a text uses and nowhere defines, each where it is used first."""

from __future__ import annotations

import re
from difflib import get_close_matches

from xdsl.utils.exceptions import ParseError

from vtac.text.reports import Report

_MESSAGE = re.compile(r"values? used but not defined: \[(?P<names>.*)\]")
_VALUE = re.compile(r"%[\w$.\-]+")
_DEFINITION = re.compile(r"(%[\w$.\-]+)(?:\s*:\s*\d+)?(?=\s*(?:=|:|,\s*%[\w$.\-]+\s*=))")


def undefined_values(error: ParseError, text: str, name: str) -> list[Report]:
    """A report for each value of the text called `name` that has no definition, where the parser says so."""
    match = _MESSAGE.search(error.msg)
    if match is None:
        return []
    missing = dict.fromkeys(_VALUE.findall(match["names"]))
    defined = [found for found in _DEFINITION.findall(text) if found not in missing]
    reports: list[Report] = []
    for value in missing:
        use = re.search(rf"{re.escape(value)}(?![\w$.\-])", text)
        at = len(text) if use is None else use.start()
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        close = get_close_matches(value, defined, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        reports.append(Report("error", f"{value} is used and nowhere defined{hint}", f"{name}:{line}:{column}"))
    return reports
