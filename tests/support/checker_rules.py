"""One rule of the checker: a clean program, one line of it changed, and the finding that this makes."""

from __future__ import annotations

from dataclasses import dataclass

from checker_samples import the_finding

from vtac.targets.vta.proof import Finding


@dataclass(frozen=True)
class Case:
    """A piece of a program, what replaces it, and the finding; of its message, a part."""

    program: str
    piece: str
    instead: str
    finding: Finding


def assert_found(case: Case) -> None:
    """The changed program has the finding: its kind, instructions, buffer and range, and what it says."""
    assert case.program.count(case.piece) == 1
    expected = case.finding
    found = the_finding(case.program.replace(case.piece, case.instead), expected.kind)
    assert (found.first, found.second) == (expected.first, expected.second)
    assert (found.buffer, found.range) == (expected.buffer, expected.range)
    assert expected.message in found.message
