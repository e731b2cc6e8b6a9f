"""Cells of a tutorial script: text and code, in the percent format that notebooks' tools read."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = re.compile(r"^# %%(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """A cell: Markdown, or code that begins at a line of the script; `mark` is what its first line says."""

    mark: str
    text: str
    line: int

    @property
    def is_text(self) -> bool:
        return "[markdown]" in self.mark

    @property
    def is_solution(self) -> bool:
        """Whether it solves an exercise, and is folded away."""
        return '"solution"' in self.mark

    @property
    def language(self) -> str:
        """What its output is written in."""
        found = re.search(r'output="(\w+)"', self.mark)
        return found[1] if found else "text"


def cells_of(script: str) -> list[Cell]:
    """The cells of a script; what stands before the first mark is none."""
    marks = list(_MARK.finditer(script))
    ends = [*(mark.start() for mark in marks[1:]), len(script)]
    return [_cell(script, mark, end) for mark, end in zip(marks, ends, strict=True)]


def _cell(script: str, mark: re.Match[str], end: int) -> Cell:
    body = script[mark.end() + 1 : end]
    line = script.count("\n", 0, mark.end()) + 2
    if "[markdown]" in mark[1]:
        body = "\n".join(re.sub(r"^# ?", "", one) for one in body.splitlines())
    return Cell(mark[1].strip(), body.strip("\n"), line)
