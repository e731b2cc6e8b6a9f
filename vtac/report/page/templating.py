"""Templates of the page, and what they have in common."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from vtac.text.short import short_name

STYLES = ("base.css", "tables.css", "levels.css", "pictures.css", "print.css")
SCRIPTS = ("core.js", "tables.js", "levels.js", "steps.js", "timeline.js", "memory.js", "end.js")


def render(template: str, /, **values: object) -> str:
    """A template of `templates/` with values, which are escaped unless they are marked as HTML."""
    return _environment().get_template(template).render(values)


def static(name: str) -> str:
    """A style sheet or a script of `static/`."""
    return files("vtac.report.page").joinpath("static", name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("vtac.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: Mapping[str, object] = {
        "name": short_name,
        "grouped": grouped,
        "percent": percent,
        "size": size,
        "px": pixels,
        "measure": measure,
    }
    made.filters.update(filters)  # pyright: ignore[reportUnknownMemberType]
    return made


def grouped(value: int) -> str:
    """A number with commas between thousands."""
    return f"{value:,}"


def percent(value: float) -> str:
    """A share as a percentage with one digit."""
    return f"{value:.1%}"


def pixels(length: float) -> str:
    """A length on a drawing: `12.5`, `12`."""
    return f"{length:.1f}".removesuffix(".0")


def measure(value: float) -> str:
    """A number of any size as people write it: `3,282,690`, `0.98`, `1.25e+13`."""
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e12 or value == int(value) else f"{value:,.6g}"


def size(nbytes: int) -> str:
    """Bytes as people say them: `512 B`, `48.0 KiB`, `1.25 MiB`."""
    if nbytes < 1024:
        return f"{nbytes} B"
    scaled = nbytes / 1024
    return f"{scaled:.1f} KiB" if scaled < 1024 else f"{scaled / 1024:.2f} MiB"
