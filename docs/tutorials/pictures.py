"""Pictures of the tutorials: where tiles lie, and where cycles go.

In a notebook they are shown below their cell; a script writes them to a folder, and prints where.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

import vtac
from vtac.report.drawing import BLACK, GREY, Drawing, Line, Rectangle, Shape, Text, contrast, svg
from vtac.report.timeline import draw_program, draw_timeline
from vtac.targets.vta.cycles import CycleReport
from vtac.targets.vta.programs.vta_program import VtaProgram


def checkout() -> Path:
    """The folder of vtac's source, with its examples: one above this place, or the one that vtac is installed from.

    Raises `FileNotFoundError` where there is none.
    """
    places = (Path.cwd(), *Path.cwd().parents, *Path(vtac.__file__).parents)
    found = next((folder for folder in places if (folder / "examples" / "third_target").is_dir()), None)
    if found is None:
        raise FileNotFoundError("this tutorial reads vtac's source: run it inside a clone of the repository")
    return found


SHOWN: list[tuple[str, str, str]] = []
"""What was shown since somebody emptied it: SVG texts, what is to be seen in each, and its content for who cannot."""

COLOURS = ("#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#edc948", "#76b7b2", "#9c755f")
PALE = "#e8e8e8"


def show(drawing: Drawing, words: str, content: str) -> None:
    """Show a drawing; `words` below it say what is to be seen, and `content` stands for it where it is not seen."""
    drawing.title = content
    text = svg(drawing)
    SHOWN.append((text, words, content))
    if "ipykernel" in sys.modules:
        display: Callable[[object], None] = import_module("IPython.display").display
        display(import_module("IPython.display").SVG(text))
        display(import_module("IPython.display").Markdown(f"*{words}*"))
    elif Path(sys.argv[0]).resolve().parent == Path(__file__).resolve().parent:
        path = _folder() / f"{Path(sys.argv[0]).stem}-{len(SHOWN)}.svg"
        path.write_text(text)
        print(f"[{path}: {words}]")


@cache
def _folder() -> Path:
    """Where pictures go of a tutorial that is run as a script."""
    return Path(tempfile.mkdtemp(prefix="vtac-pictures-"))


def timeline(run: VtaProgram | CycleReport, words: str, begin: int | None = None, end: int | None = None) -> None:
    """Show what each unit does over the cycles of a program or a simulated stream, or over some of them."""
    drawn = draw_timeline(run, (begin, end)) if isinstance(run, CycleReport) else draw_program(run, (begin, end))
    show(drawn, words, drawn.description)


def grid(rows: Sequence[Sequence[tuple[str, int]]], words: str, heading: str = "", cell: int = 44) -> None:
    """Show cells with a text and a colour each, by number; -1 is pale."""
    shapes: list[Shape] = [Text(8, 18, heading, 12, colour=BLACK)] if heading else []
    top = 28 if heading else 8
    for y, row in enumerate(rows):
        for x, (text, number) in enumerate(row):
            colour = PALE if number < 0 else COLOURS[number % len(COLOURS)]
            left, above = 8 + x * cell, top + y * cell
            shapes.append(Rectangle(left, above, cell - 2, cell - 2, colour))
            shapes.append(Text(left + cell / 2 - 1, above + cell / 2 + 3, text, 10, "middle", contrast(colour)))
    width = max(16 + cell * max((len(row) for row in rows), default=0), 8 + 7 * len(heading))
    said = "; ".join(" ".join(text or "-" for text, _ in row) for row in rows)
    show(Drawing(width, top + 8 + cell * len(rows), shapes), words, f"{heading or 'Cells'}, row by row: {said}")


def bars(values: Sequence[tuple[str, float]], words: str, unit: str = "", width: int = 420) -> None:
    """Show numbers as bars, one below the other, each with its name and value."""
    most = max(value for _, value in values) or 1
    left = 12 + 7 * max(len(name) for name, _ in values)
    shapes: list[Shape] = []
    for at, (name, value) in enumerate(values):
        y = 8 + 26 * at
        shapes.append(Text(left - 6, y + 14, name, 11, "end"))
        shapes.append(Rectangle(left, y, width * value / most, 20, COLOURS[at % len(COLOURS)]))
        shapes.append(Text(left + width * value / most + 5, y + 14, f"{value:,.6g} {unit}".rstrip(), 11))
    said = ", ".join(f"{name} {value:,.6g} {unit}".rstrip() for name, value in values)
    show(Drawing(left + width + 120, 16 + 26 * len(values), shapes), words, f"Bars: {said}")


def points(
    values: Sequence[tuple[float, float, str, int]],
    words: str,
    across: str,
    up: str,
    width: int = 520,
    height: int = 300,
) -> None:
    """Show points with their names, by x and y from 0 on; a number gives the colour, -1 is pale."""
    most_x, most_y = max(one[0] for one in values) * 1.15 or 1, max(one[1] for one in values) * 1.1 or 1
    left, bottom = 70, height - 36
    shapes: list[Shape] = [
        Line(left, 10, left, bottom, GREY),
        Line(left, bottom, width, bottom, GREY),
        Text(width, height - 8, across, 11, "end"),
        Text(6, 14, up, 11),
        Text(left - 4, bottom + 4, "0", 10, "end"),
        Text(left - 4, 34, _rounded(most_y), 10, "end"),
        Text(width, bottom + 14, _rounded(most_x), 10, "end"),
    ]
    for x, y, name, number in values:
        colour = "#bbbbbb" if number < 0 else COLOURS[number % len(COLOURS)]
        at_x, at_y = left + (width - left) * x / most_x, bottom - (bottom - 30) * y / most_y
        shapes.append(Rectangle(at_x - 4, at_y - 4, 8, 8, colour))
        shapes.append(Text(at_x + 7, at_y + 4, name, 10))
    named = ", ".join(f"{name} at {x:,.6g}, {y:,.6g}" for x, y, name, _ in values if name)
    said = f"{len(values)} points, {across} to the right, {up} upwards" + (f": {named}" if named else "")
    show(Drawing(width + 90, height, shapes), words, said)


def _rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def chain(names: Sequence[tuple[str, str]], words: str) -> None:
    """Show boxes from left to right with a line between neighbours; each has a name and a word on what it does."""
    shapes: list[Shape] = []
    for at, (name, about) in enumerate(names):
        left = 8 + at * 150
        shapes.append(Rectangle(left, 12, 120, 48, COLOURS[at % len(COLOURS)]))
        shapes.append(Text(left + 60, 34, name, 12, "middle", contrast(COLOURS[at % len(COLOURS)])))
        shapes.append(Text(left + 60, 50, about, 9, "middle", contrast(COLOURS[at % len(COLOURS)])))
        if at:
            shapes.append(Line(left - 30, 36, left, 36, BLACK))
            shapes.append(Text(left - 8, 32, ">", 12, "middle"))
    said = ", then ".join(f"{name} ({about})" for name, about in names)
    show(Drawing(16 + 150 * len(names), 72, shapes), words, f"Boxes from left to right: {said}")
