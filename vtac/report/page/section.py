"""What a page consists of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: its anchor, its title, and its HTML, in which every name is escaped."""

    anchor: str
    title: str
    html: str


def refusal(anchor: str, title: str, reason: str) -> Section:
    """A section that has nothing to show, and says why."""
    from vtac.report.page.templating import render

    return Section(anchor, title, render("nothing.html", reason=reason))
