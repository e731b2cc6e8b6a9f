"""MLIR's `expected-error` annotations: what a test file says that the tool must report, and where.

    // expected-error @+1 {{text that the message contains}}

The severities are error, warning, note and remark; the place is this line, `@+N`, `@-N`,
`@above`, `@below` (the nearest line without an annotation) or `@unknown` (no line at all).
With `-re` after the severity, `{{...}}` inside the text are regular expressions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vtac.text.reports import Report, Severity, one_line

_SEVERITIES: dict[str, Severity] = {"error": "error", "warning": "warning", "note": "note", "remark": "remark"}
_MARK = re.compile(r"//\s*expected-(?:error|warning|note|remark)")
_ANNOTATION = re.compile(
    r"expected-(?P<severity>error|warning|note|remark)(?P<regex>-re)?"
    r"\s*(?:@(?P<place>[+-]\d+|above|below|unknown))?\s*\{\{(?P<text>.*)\}\}\s*$"
)
_EMBEDDED_REGEX = re.compile(r"\{\{(.*?)\}\}")


@dataclass(frozen=True)
class Expectation:
    """One annotation, written on `written_on`, of a report on `line` (None: one without a line)."""

    severity: Severity
    pattern: re.Pattern[str]
    text: str
    line: int | None
    written_on: int

    def matches(self, report: Report) -> bool:
        """Whether `report` is the one that was expected."""
        return (
            report.severity == self.severity
            and report.line == self.line
            and self.pattern.search(one_line(report.message)) is not None
        )


def mismatches(text: str, name: str, reports: Sequence[Report]) -> list[Report]:
    """Compares `reports` with the annotations in `text`, called `name` in messages.

    Returns one error for each report that no annotation expects, each annotation that no report
    fulfils and each annotation that is malformed. One annotation takes one report; notes need none.
    """
    expectations, problems = parse_expectations(text, name)
    open_expectations = list(expectations)
    for report in reports:
        taken = next((candidate for candidate in open_expectations if candidate.matches(report)), None)
        if taken is not None:
            open_expectations.remove(taken)
        elif report.severity != "note":
            problems.append(Report("error", f"unexpected {report.severity}: {report.message}", report.location))
    for missing in open_expectations:
        where = "without a line" if missing.line is None else f"on line {missing.line}"
        message = f'expected {missing.severity} "{missing.text}" {where} was not produced'
        problems.append(Report("error", message, f"{name}:{missing.written_on}:1"))
    return problems


def parse_expectations(text: str, name: str) -> tuple[list[Expectation], list[Report]]:
    """Returns the annotations in `text` and an error for each that is malformed."""
    lines = text.splitlines()
    annotated = {number for number, line in enumerate(lines, 1) if _MARK.search(line)}
    expectations: list[Expectation] = []
    problems: list[Report] = []
    for number in sorted(annotated):
        expectation = _expectation(lines[number - 1], number, annotated)
        if expectation is None:
            message = "malformed annotation; write // expected-error @+1 {{text}} with nothing after the braces"
            problems.append(Report("error", message, f"{name}:{number}:1"))
        else:
            expectations.append(expectation)
    return expectations, problems


def _expectation(line: str, number: int, annotated: set[int]) -> Expectation | None:
    match = _ANNOTATION.search(line)
    if match is None:
        return None
    try:
        pattern = _pattern(match["text"], is_regex=match["regex"] is not None)
    except re.error:
        return None
    target = _target_line(match["place"], number, annotated)
    return Expectation(_SEVERITIES[match["severity"]], pattern, match["text"], target, number)


def _pattern(text: str, *, is_regex: bool) -> re.Pattern[str]:
    if not is_regex:
        return re.compile(re.escape(one_line(text)))
    parts = _EMBEDDED_REGEX.split(text)
    parts[::2] = [re.escape(part) for part in parts[::2]]
    return re.compile("".join(parts))


def _target_line(place: str | None, line: int, annotated: set[int]) -> int | None:
    if place == "unknown":
        return None
    if place in ("above", "below"):
        step = 1 if place == "below" else -1
        line += step
        while line in annotated:
            line += step
        return line
    return line + int(place or 0)
