"""Points of two measures as a picture, those that none beats in both joined, numbered and named beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from math import cos, pi, sin
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple, Protocol, cast
from warnings import catch_warnings, filterwarnings

from vtac.errors import ToolMissingError, VtacError
from vtac.files.whole import write_output
from vtac.lazily import pip_install
from vtac.report.page.labels import LETTER, Labels, Place, along, around, beside
from vtac.report.ticks import tick_labels
from vtac.text.reports import one_line

FORMATS = (".png", ".svg", ".pdf")
_NAMED = 30
"""Points of the front that have room for their names beside the picture."""
_SIZE = 7
"""The font of numbers and names, in points."""
_LINES = 6
"""Lines of a title."""
_ANCHORS = {"start": "left", "middle": "center", "end": "right"}


class Spot(NamedTuple):
    """A point and what it is called."""

    label: str
    x: float
    y: float


class _Box(Protocol):
    x0: float
    y0: float
    x1: float
    y1: float
    width: float


class _Transform(Protocol):
    def transform(self, values: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]: ...


class _Text(Protocol):
    def set_text(self, text: str) -> None: ...
    def get_window_extent(self) -> _Box: ...


class _Axes(Protocol):
    @property
    def transAxes(self) -> object: ...  # noqa: N802 - matplotlib's name
    @property
    def transData(self) -> _Transform: ...  # noqa: N802 - matplotlib's name
    def plot(self, x: Sequence[float], y: Sequence[float], style: str, **more: object) -> object: ...
    def text(self, x: float, y: float, text: str, **more: object) -> object: ...
    def annotate(self, text: str, xy: tuple[float, float], **more: object) -> object: ...
    def set(self, **more: object) -> object: ...
    def grid(self, visible: bool, **more: object) -> object: ...
    def locator_params(self, *, nbins: int) -> None: ...
    def margins(self, margin: float) -> None: ...
    def get_xticks(self) -> Sequence[float]: ...
    def get_yticks(self) -> Sequence[float]: ...
    def get_xlim(self) -> tuple[float, float]: ...
    def get_ylim(self) -> tuple[float, float]: ...
    def get_window_extent(self) -> _Box: ...


class _Figure(Protocol):
    dpi: float
    bbox: _Box

    def subplots(self) -> _Axes: ...
    def suptitle(self, text: str, **more: object) -> _Text: ...
    def legend(self, **more: object) -> object: ...
    def draw_without_rendering(self) -> None: ...
    def set_layout_engine(self, layout: str) -> None: ...
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
    with catch_warnings():
        # A letter that the font lacks is drawn as a box.
        filterwarnings("ignore", "Glyph .* missing")
        data = _drawn(spots, x_name, y_name, title, Path(path).suffix.lower()[1:])
    try:
        write_output(Path(path), data)
    except OSError as error:
        raise VtacError(f"cannot write the plot to {path}: {error.strerror or error}") from None


def _drawn(spots: Sequence[Spot], x_name: str, y_name: str, title: str, kind: str) -> bytes:
    """The picture as a file of the format `kind`."""
    figure = cast(_Figure, import_module("matplotlib.figure").Figure(figsize=(11, 5.5), layout="constrained"))
    axes = figure.subplots()
    front = front_of(spots)
    others = [one for one in spots if one not in front]
    if others:
        axes.plot([one.x for one in others], [one.y for one in others], "o", color="0.6", markersize=4, label="others")
    line = {"color": "C0", "markersize": 5, "label": "no other is better in both"}
    axes.plot([one.x for one in front], [one.y for one in front], "o-", **line)
    axes.text(1.02, 1.0, _named(front), transform=axes.transAxes, va="top", **_text_style(), linespacing=1.4)
    axes.set(xlabel=x_name, ylabel=y_name)
    axes.grid(True, alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2)
    _add_title(figure, one_line(title))
    _label_axes(figure, axes)
    _number_points(figure, axes, front, others)
    data = BytesIO()
    figure.savefig(data, format=kind, metadata={"Title": f"{title}: {y_name} over {x_name}"})
    return data.getvalue()


def _text_style() -> dict[str, object]:
    """Small text in which `$` is a letter as any other."""
    return {"fontsize": _SIZE, "parse_math": False}


def _named(front: Sequence[Spot]) -> str:
    """The first points of the front, a line each: number and name."""
    lines = [f"{number}  {one_line(one.label)}" for number, one in enumerate(front[:_NAMED], 1)]
    return "\n".join([*lines, f"and {len(front) - _NAMED} more"] if len(front) > _NAMED else lines)


def _add_title(figure: _Figure, text: str) -> None:
    """A title over the picture, in as many lines as it takes to stay inside."""
    title = figure.suptitle(text, fontsize=11, parse_math=False)
    letters = len(text)
    while title.get_window_extent().width > 0.98 * figure.bbox.width and letters > 1:
        letters = letters * 19 // 20
        title.set_text("\n".join(wrap(text, letters, max_lines=_LINES, placeholder=" ...")))


def _label_axes(figure: _Figure, axes: _Axes) -> None:
    """Numbers along both axes, no two alike. What is drawn from now on moves nothing."""
    axes.margins(0.06)
    axes.locator_params(nbins=8)
    figure.draw_without_rendering()
    for name, ticks, (low, high) in (
        ("x", axes.get_xticks(), axes.get_xlim()),
        ("y", axes.get_yticks(), axes.get_ylim()),
    ):
        within = [float(tick) for tick in ticks if low <= tick <= high]
        axes.set(**{f"{name}ticks": within, f"{name}ticklabels": tick_labels(within)})
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def _number_points(figure: _Figure, axes: _Axes, front: Sequence[Spot], others: Sequence[Spot]) -> None:
    """The number of each point of the front where it covers no point, no line and no other number.

    One that has no room at its point stands farther off, with a line to it; one without any is left to the list.
    """
    # Lengths are those of `Labels`, whose letters have 12 units, upside down.
    unit = 12 / _SIZE * 72 / figure.dpi
    drawn = axes.transData.transform([(one.x, one.y) for one in (*front, *others)])
    spots = [(float(x) * unit, -float(y) * unit) for x, y in drawn]
    edge = axes.get_window_extent()
    frame = edge.x0 * unit, -edge.y1 * unit, edge.x1 * unit, -edge.y0 * unit
    labels = Labels(frame, [*around(spots), *along(spots[: len(front)])])
    for number, (one, (x, y)) in enumerate(zip(front, spots[: len(front)], strict=True), 1):
        near = beside(x, y, str(number))
        placed = labels.place((str(number), place) for place in (*near, *_farther(x, y, str(number))))
        if placed is None:
            continue
        at, _, (to_x, to_y, anchor, _) = placed
        is_far = at >= len(near)
        if is_far:
            labels.taken += along([(x, y), (to_x, to_y - 4)])
        axes.annotate(
            str(number),
            (one.x, one.y),
            xytext=((to_x - x) * _SIZE / 12, (y - to_y) * _SIZE / 12),
            textcoords="offset points",
            ha=_ANCHORS[anchor],
            va="baseline",
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": "0.4"} if is_far else None,
            **_text_style(),
        )


def _farther(x: float, y: float, label: str) -> Iterator[Place]:
    """Places ever farther around a point."""
    half = LETTER * len(label) / 2
    for distance in range(28, 280, 14):
        for turn in range(16):
            angle = 2 * pi * turn / 16 + pi / 16
            at = x + distance * cos(angle)
            yield at, y - distance * sin(angle) + 4, "middle", at - half
