"""A kernel's text with faults of its barriers planted in it, of which an argument of the launch chooses one.

So a text is compiled once for all its faults.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.launch import LaunchRecord, Parameter

Numbering = Callable[[str], int]

_NONE = 0
_BARRIER = re.compile(r"(?P<barrier>__sync(?:threads|warp)\(\));")
_WAIT = re.compile(r"__pipeline_wait_prior\((?P<groups>[^;]*)\);")
_COMMIT = re.compile(r"__pipeline_commit\(\);")
_LOOP = re.compile(r"for \(int (?P<index>\w+) = 0;")


@dataclass(frozen=True)
class Fault:
    """A fault by its number: what was done, to which part of the text, in which line."""

    number: int
    what: str
    line: int

    def __str__(self) -> str:
        return f"{self.what}, line {self.line}"


@dataclass(frozen=True)
class Planted:
    """A text in which `planted[0]`, an input, chooses one of the faults, or 0 for none."""

    text: str
    launch: LaunchRecord
    faults: tuple[Fault, ...]

    def arrays(self, fault: Fault | None, arrays: Sequence[Array]) -> list[Array]:
        """The launch's inputs, from those of the kernel before."""
        return [np.array([fault.number if fault else _NONE], np.int32), *arrays]


class _Faults:
    """The faults planted so far."""

    def __init__(self) -> None:
        self.planted: list[Fault] = []

    def at(self, line: int) -> Numbering:
        """Numbers for faults of a line, in which 1 is the first."""

        def number(what: str) -> int:
            self.planted.append(Fault(len(self.planted) + 1, what, line))
            return len(self.planted)

        return number


def plant(text: str, launch: LaunchRecord, stage: str | None = None) -> Planted:
    """Plant what can go wrong with each barrier, wait and commit.

    `stage` is the name of the elements of one stage of a pipeline's ring; with it the indices of stages are doubled.
    """
    faults = _Faults()
    lines = text.split("\n")
    for position, line in enumerate(text.split("\n")):
        loop = next(_loops_around(lines, position), None)
        lines[position] = _plant_in_line(line, loop, faults.at(position + 1))
    body = "\n".join(lines)
    if stage is not None:
        body = _double_stages(body, stage, faults)
    body = re.sub(rf"\b{launch.kernel}\s*\(", lambda m: f"{m.group()}const int* __restrict__ planted, ", body, count=1)
    parameters = (Parameter("planted", "input", "int32", (1,)), *launch.parameters)
    return Planted(body, replace(launch, parameters=parameters), tuple(faults.planted))


def _double_stages(body: str, stage: str, faults: _Faults) -> str:
    def doubled(found: re.Match[str]) -> str:
        number = faults.at(body.count("\n", 0, found.start()) + 1)("stage index doubled")
        return f"{found['index']} * (planted[0] == {number} ? 2 : 1) * {stage}"

    return re.sub(rf"(?P<index>\bslot)\s+\* {stage}\b", doubled, body)


def _plant_in_line(line: str, loop: str | None, number: Numbering) -> str:
    if found := _BARRIER.search(line):
        barrier = found["barrier"]
        condition = f"planted[0] != {number(f'{barrier} removed')}"
        if loop is not None:
            moved = number(f"{barrier} moved out of the loop")
            condition += f" && (planted[0] != {moved} || {loop} == 0)"
        return _BARRIER.sub(f"if ({condition}) {barrier};", line)
    if found := _WAIT.search(line):
        groups = found["groups"]
        removed, weakened = number("wait removed"), number("wait weakened by one")
        choice = f"planted[0] == {removed} ? 99 : ({groups}) + (planted[0] == {weakened})"
        return _WAIT.sub(f"__pipeline_wait_prior({choice});", line)
    return _COMMIT.sub(lambda m: f"if (planted[0] != {number('commit removed')}) {m.group()}", line)


def _loops_around(lines: list[str], position: int) -> Iterator[str]:
    """The indices of the serial loops around a line, innermost first, by their indentation."""
    depth = _indentation(lines[position])
    for line in reversed(lines[:position]):
        if line.strip() and _indentation(line) < depth:
            depth = _indentation(line)
            if loop := _LOOP.search(line):
                yield loop["index"]


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())
