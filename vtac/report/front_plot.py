"""Points of two measures as a picture, those that none beats in both joined, numbered and named beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from vtac.errors import ToolMissingError, VtacError
from vtac.files.whole import write_output
from vtac.lazily import pip_install

FORMATS = (".png", ".svg", ".pdf")
_NAMED = 30
"""Points of the front that have room for their names beside the picture."""


class Spot(NamedTuple):
    """A point and what it is called."""

    label: str
    x: float
    y: float


class _Axis(Protocol):
    def set_major_formatter(self, formatter: Callable[[float, int], str]) -> object: ...


class _Axes(Protocol):
    @property
    def xaxis(self) -> _Axis: ...
    @property
    def yaxis(self) -> _Axis: ...
    def legend(self) -> object: ...
    def plot(self, x: Sequence[float], y: Sequence[float], style: str, **more: object) -> object: ...
    @property
    def transAxes(self) -> object: ...  # noqa: N802 - matplotlib's name
    def text(self, x: float, y: float, text: str, **more: object) -> object: ...
    def annotate(self, text: str, xy: tuple[float, float], **more: object) -> object: ...
    def set(self, **more: object) -> object: ...
    def grid(self, visible: bool, **more: object) -> object: ...


class _Figure(Protocol):
    def subplots(self) -> _Axes: ...
    def savefig(self, file: BytesIO, **more: object) -> object: ...


def require_plot(path: str | Path) -> None:
    """Raises `ToolMissingError` without the extra `plot`, `VtacError` for a name that says no format."""
    if Path(path).suffix.lower() not in FORMATS:
        raise VtacError(f"'{path}' names no format of a picture: give a name that ends in {', '.join(FORMATS)}")
    if find_spec("matplotlib") is None:
        raise ToolMissingError(f"drawing a plot needs the package 'matplotlib': {pip_install('plot')}")


def front_of(spots: Sequence[Spot]) -> list[Spot]:
    """The points that no other is as good as in both measures, by `x`; less is better."""
    found: list[Spot] = []
    for spot in sorted(spots, key=lambda one: (one.x, one.y)):
        if not found or spot.y < found[-1].y:
            found.append(spot)
    return found


def plot_spots(
    spots: Sequence[tuple[str, float, float]], x_name: str, y_name: str, title: str, path: str | Path
) -> None:
    """The same for points as tuples of a name and two measures."""
    plot_front([Spot(*one) for one in spots], x_name, y_name, title, path)


def plot_front(spots: Sequence[Spot], x_name: str, y_name: str, title: str, path: str | Path) -> None:
    """Draw points to a file, whose name says the format. Raises as `require_plot` does, and where it cannot write."""
    require_plot(path)
    figure = cast(_Figure, import_module("matplotlib.figure").Figure(figsize=(11, 5.5), layout="constrained"))
    axes = figure.subplots()
    front = front_of(spots)
    others = [one for one in spots if one not in front]
    if others:
        axes.plot([one.x for one in others], [one.y for one in others], "o", color="0.6", markersize=4, label="others")
    line = {"color": "C0", "markersize": 5, "label": "no other is better in both"}
    axes.plot([one.x for one in front], [one.y for one in front], "o-", **line)
    for number, one in enumerate(front, 1):
        axes.annotate(str(number), (one.x, one.y), xytext=(4, 4), textcoords="offset points", fontsize=7)
    named = [f"{number}  {one.label}" for number, one in enumerate(front[:_NAMED], 1)]
    named += [f"and {len(front) - _NAMED} more"] if len(front) > _NAMED else []
    axes.text(1.02, 1.0, "\n".join(named), transform=axes.transAxes, va="top", fontsize=7, linespacing=1.4)
    axes.set(xlabel=x_name, ylabel=y_name, title=title)
    axes.grid(True, alpha=0.3)
    axes.legend()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(_written)
    data = BytesIO()
    figure.savefig(data, format=Path(path).suffix.lower()[1:], metadata={"Title": f"{title}: {y_name} over {x_name}"})
    try:
        write_output(Path(path), data.getvalue())
    except OSError as error:
        raise VtacError(f"cannot write the plot to {path}: {error.strerror or error}") from None


def _written(value: float, _: int) -> str:
    """A number at an axis: `250`, `140,000`, `7.5 M`."""
    return f"{value / 1e6:,.4g} M" if abs(value) >= 1e6 else f"{value:,.6g}"
