"""A drawing of rectangles, lines and texts, written as SVG. Lengths are pixels, y grows downwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from xml.sax.saxutils import escape

Anchor = Literal["start", "middle", "end"]

BLACK, GREY, WHITE = "#222222", "#777777", "#ffffff"


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A filled rectangle; `hint` is what a viewer shows under the pointer."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line between two points, in pixels from the top left corner."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str


@dataclass(frozen=True, slots=True)
class Text:
    """Text on the baseline `y`; `size` is the font size."""

    x: float
    y: float
    text: str
    size: int = 10
    anchor: Anchor = "start"
    colour: str = BLACK


Shape = Rectangle | Line | Text


@dataclass
class Drawing:
    """Shapes in painting order on a white ground; `title` and `description` say what is seen to who cannot see it."""

    width: int
    height: int
    shapes: list[Shape] = field(default_factory=list[Shape])
    title: str = ""
    description: str = ""


def contrast(colour: str) -> str:
    """Black or white, whichever reads better on a colour `#rrggbb`."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return BLACK if 0.3 * red + 0.59 * green + 0.11 * blue > 140 else WHITE


_QUOTE = {'"': "&quot;"}


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _attributes(**values: float | str) -> str:
    return "".join(
        f' {name.replace("_", "-")}="{value if isinstance(value, str) else _number(value)}"'
        for name, value in values.items()
    )


def _element(shape: Shape) -> str:
    match shape:
        case Rectangle():
            box = _attributes(x=shape.x, y=shape.y, width=shape.width, height=shape.height, fill=shape.colour)
            return f"<rect{box}><title>{escape(shape.hint)}</title></rect>" if shape.hint else f"<rect{box}/>"
        case Line():
            ends = _attributes(
                x1=shape.x1, y1=shape.y1, x2=shape.x2, y2=shape.y2, stroke=shape.colour, stroke_width=0.6
            )
            return f"<line{ends}/>"
        case Text():
            place = _attributes(x=shape.x, y=shape.y, font_size=shape.size, text_anchor=shape.anchor, fill=shape.colour)
            return f"<text{place}>{escape(shape.text)}</text>"


def svg(drawing: Drawing) -> str:
    """The drawing as an SVG document, with its title and description as alternative text."""
    size = f'width="{drawing.width}" height="{drawing.height}" viewBox="0 0 {drawing.width} {drawing.height}"'
    named = f' role="img" aria-label="{escape(drawing.title, _QUOTE)}"' if drawing.title else ""
    fonts = 'font-family="DejaVu Sans, Helvetica, Arial, sans-serif"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}{named} {fonts}>'
    told = [f"<desc>{escape(drawing.description)}</desc>"] if drawing.description else []
    ground = f'<rect width="{drawing.width}" height="{drawing.height}" fill="{WHITE}"/>'
    return "\n".join((head, *told, ground, *map(_element, drawing.shapes), "</svg>")) + "\n"
