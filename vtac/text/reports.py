"""Reports: what the tools print on stderr, one line each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from vtac.errors import CompileError

Severity = Literal["error", "warning", "note", "remark"]

_LOCATION = re.compile(r"(?P<file>.*):(?P<line>\d+):(?P<column>\d+)")


@dataclass(frozen=True)
class Report:
    """One finding: its severity, its text in one line, and `file:line:col`, a file name or nothing."""

    severity: Severity
    message: str
    location: str = ""

    def __str__(self) -> str:
        place = f"{self.location}: " if self.location else ""
        return f"{place}{self.severity}: {self.message}"

    @property
    def line(self) -> int | None:
        """The line it points to, counted from 1."""
        match = _LOCATION.fullmatch(self.location)
        return int(match["line"]) if match else None

    @property
    def position(self) -> tuple[int, int]:
        """Line and column, for sorting; a report without them comes first."""
        match = _LOCATION.fullmatch(self.location)
        return (int(match["line"]), int(match["column"])) if match else (0, 0)


class SourceError(CompileError):
    """A source text that does not parse or does not verify; `reports` holds every finding, in source order."""

    kind = "source"
    reports: tuple[Report, ...]

    def __init__(self, reports: Sequence[Report]) -> None:
        super().__init__(_joined(reports), reports[0].location)
        self.reports = tuple(reports)

    @property
    def locations(self) -> tuple[str, ...]:
        return tuple(report.location for report in self.reports if report.location)


class InvalidModuleError(Exception):
    """What a pass left does not verify, which is the compiler's fault; `reports` holds every finding."""

    reports: tuple[Report, ...]

    def __init__(self, reports: Sequence[Report]) -> None:
        place = f"{reports[0].location}: " if reports[0].location else ""
        super().__init__(place + _joined(reports))
        self.reports = tuple(reports)


def _joined(reports: Sequence[Report]) -> str:
    """Every finding on a line of its own; the place of the first one is for the caller to state."""
    first, *others = reports
    further = [f"{report.location}: {report.message}" if report.location else report.message for report in others]
    return "\n".join([first.message, *further])


def one_line(text: str) -> str:
    """Returns the text's lines joined into one."""
    return " ".join(text.split())


def suggestion(name: str, known: Iterable[str]) -> str:
    """Returns `; did you mean 'x'?` for the known name closest to `name`, or an empty string.

    Of names that are as close as any but for upper and lower case, one whose case fits goes first.
    """
    names = list(known)
    by_letters = {one.casefold(): one for one in reversed(names)}
    close = get_close_matches(name, names, n=1)
    close = close or [by_letters[one] for one in get_close_matches(name.casefold(), list(by_letters), n=1)]
    return f"; did you mean '{close[0]}'?" if close else ""
