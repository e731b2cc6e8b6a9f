"""The section of the schedule: the loop nest after each directive, what it changed marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vtac.passes.directives.steps import Step
from vtac.report.page.packed import packed
from vtac.report.page.section import Section
from vtac.report.page.templating import render
from vtac.text.short import short_name

_LONGEST = 220


def steps_section(steps: Mapping[str, Sequence[Step]], layers: Mapping[str, Sequence[str]]) -> Section:
    """The steps of each scheduled function."""
    functions = [
        {
            "name": _title(name, layers),
            "steps": [{"text": step.directive, "nest": _nest(step)} for step in found],
            "before": found[0].before.splitlines() if found else [],
        }
        for name, found in steps.items()
    ]
    total = sum(len(found) for found in steps.values())
    html = render("steps.html", data=packed("steps-data", functions), functions=len(functions), total=total)
    return Section("schedule", "Schedule", html)


def _nest(step: Step) -> list[str]:
    """The nest after a directive, a line each; its first letter says whether it is new, gone or as before."""
    return [f"{line[:1]}{line[2:][:_LONGEST]}" for line in step.diff().splitlines()]


def _title(name: str, layers: Mapping[str, Sequence[str]]) -> str:
    first = next(iter(layers.get(name, [])), name)
    return short_name(name if first == name else f"{first} ({name})")
