"""What xDSL's parser says, as a user of vtac would have it said: what is wrong, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable

from vtac.text.reports import Report

_TYPES = "i1, i8, i16, i32, i64, f16, bf16, f32, f64 and index"


def restated(report: Report, text: str, at: int) -> Report:
    """A report of the parser on a position of a text; as it is where there is nothing better to say."""
    for pattern, say in _MESSAGES:
        match = re.search(pattern, report.message)
        message = "" if match is None else say(match, text, at)
        if message:
            return Report(report.severity, message, report.location)
    return report


def _at_end(match: re.Match[str], text: str, at: int) -> str:
    """What is missing where the text ends too soon."""
    del match
    missing = text.count("{") - text.count("}")
    if text[at:].strip() or missing <= 0:
        return ""
    braces = "a '}' is" if missing == 1 else f"{missing} '}}' are"
    return f"the text ends inside a region: {braces} missing"


def _entire(match: re.Match[str], text: str, at: int) -> str:
    del match
    word = re.match(r"\S{1,30}", text[at:])
    begin = f"'{word[0]}'" if word else "what stands here"
    return f"{begin} begins no operation; one looks like func.func @name() {{ ... }}"


def _character(match: re.Match[str], text: str, at: int) -> str:
    letter = match["letter"]
    shown = f"'{letter}'" if letter.isprintable() else f"U+{ord(letter):04X}"
    advice = "use letters, digits, $, . and _ in names" if letter.isprintable() else "is this a file of another kind?"
    return f"unexpected character {shown}: {advice}"


def _attribute(match: re.Match[str], text: str, at: int) -> str:
    del match
    word = re.match(r"[\w.$%@#!]{1,30}", text[at:])
    found = f"'{word[0]}' stands where" if word else "here"
    return f"{found} a text in quotes, a number, a type or a list in brackets is required"


def _shape(match: re.Match[str], text: str, at: int) -> str:
    word = re.match(r"x?(?P<word>[\w!?*]+)", text[at:])
    found = f"'{word['word']}' is no type of elements" if word else "a type of elements is missing"
    return f"{found}; those are {_TYPES}, behind the extents as in tensor<4x16xi8>"


def _defined(match: re.Match[str], text: str, at: int) -> str:
    return f"{match['value']} is defined already: give each value a name of its own"


def _range(match: re.Match[str], text: str, at: int) -> str:
    low, high = int(match["low"]), int(match["high"]) - 1
    return f"{match['value']} does not fit {match['kind']}, which holds {low:,} to {high:,}: choose a wider type"


def _no_custom_form(match: re.Match[str], text: str, at: int) -> str:
    del text, at
    return f"'{match['name']}' is read in MLIR's generic form only, as 'mlir-opt --mlir-print-op-generic' prints it"


_MESSAGES: tuple[tuple[str, Callable[[re.Match[str], str, int], str]], ...] = (
    (r"in block definition|[Ee]xpected '}'", _at_end),
    (r"Could not parse entire input!", _entire),
    (r"Operation (?P<name>\S+) does not have a custom format", _no_custom_form),
    (r"Unexpected character: (?P<letter>[\s\S])", _character),
    (r"Expected shape type", _shape),
    (r"^[Aa]ttribute expected", _attribute),
    (r"SSA value (?P<value>%\S+) is already defined", _defined),
    (
        r"Integer value (?P<value>-?\d+) is out of range for type (?P<kind>\w+) which supports values in the range "
        r"\[(?P<low>-?\d+), (?P<high>\d+)\)",
        _range,
    ),
)
"""Messages of the parser, and how each is said; one that says nothing leaves it as it is."""
