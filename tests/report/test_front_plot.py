"""Pictures of fronts: every point of the front is numbered, and named in full beside the picture."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from vtac.errors import VtacError
from vtac.report.front_plot import Spot, front_of, plot_front

pytest.importorskip("matplotlib")

LONG = "1x16x64 uop 32 inp 32 wgt 256 acc 128 KiB, bus_bits 128, burst_beats 256, bursts 32, latency 64"


@pytest.fixture
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where an SVG goes whose texts can be read."""
    from matplotlib import rcParams

    monkeypatch.setitem(rcParams, "svg.fonttype", "none")
    return tmp_path / "front.svg"


class Drawn(NamedTuple):
    """A text of a picture in points: its size, where its anchor stands, and which."""

    text: str
    size: int
    x: float
    y: float
    anchor: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        """About the room of its letters, which a font of digits fills."""
        width = 0.6 * self.size * len(self.text)
        left = self.x - {"start": 0, "middle": width / 2, "end": width}[self.anchor]
        return left, self.y - 0.7 * self.size, left + width, self.y


def _texts(picture: Path) -> list[Drawn]:
    found: list[Drawn] = []
    for element in ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text"):
        style = element.get("style", "")
        moved = re.match(r"translate\(([\d.]+) ([\d.]+)\)", element.get("transform", ""))
        x, y = moved.groups() if moved else (element.get("x", "0"), element.get("y", "0"))
        anchor = re.search(r"text-anchor: (\w+)", style)
        size = re.search(r"(\d+)px", style)
        assert size is not None
        found.append(
            Drawn(element.text or "", int(size[1]), float(x), float(y), anchor[1] if anchor is not None else "start")
        )
    return found


def _overlap(one: Drawn, other: Drawn) -> bool:
    a, b = one.box, other.box
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_names_are_not_cut(picture: Path) -> None:
    spots = [Spot(f"{LONG} {number}", 4_000_000 + number, 90 - number) for number in range(40)]
    plot_front([*spots, Spot("beaten", 9e6, 99)], "cycles", "SRAM", "title", picture)
    text = picture.read_text()
    assert [number for number in range(40) if f"{LONG} {number}<" in text] == list(range(30))
    assert "and 10 more" in text
    assert "beaten<" not in text
    assert "e+06" not in text


def test_the_front_is_what_no_point_beats() -> None:
    assert [spot.label for spot in front_of([Spot("b", 2, 1), Spot("a", 1, 2), Spot("c", 2, 2)])] == ["a", "b"]


def test_a_folder_that_there_is_not_is_said(tmp_path: Path) -> None:
    with pytest.raises(VtacError, match=r"cannot write the plot to .*no/front\.png: "):
        plot_front([Spot("a", 1, 1)], "x", "y", "t", tmp_path / "no" / "front.png")


@pytest.mark.parametrize("apart", [(1.0, 1.0), (0.001, 0.001), (0.0, 0.001)], ids=["spread", "crowded", "stacked"])
def test_numbers_of_close_points_do_not_overlap(apart: tuple[float, float], picture: Path) -> None:
    spots = [Spot(f"p{number}", 1 + number * apart[0] * 1.01, 90 - number * apart[1]) for number in range(15)]
    if not apart[0]:
        spots = [one._replace(x=1 + 1e-6 * number) for number, one in enumerate(spots)]
    plot_front([*spots, Spot("far", 60, 200)], "cycles", "SRAM", "t", picture)
    numbers = [text for text in _texts(picture) if text.size == 7 and text.text.isdigit()]
    assert sorted(int(one.text) for one in numbers) == list(range(1, 16))
    assert not [pair for pair in combinations(numbers, 2) if _overlap(*pair)]


@pytest.mark.parametrize("title", ["of many words " * 30, "W" * 300, "a $name$ of $ and \n lines"])
def test_a_title_stays_inside(title: str, picture: Path) -> None:
    plot_front([Spot("a", 1, 2), Spot("b", 2, 1)], "cycles", "SRAM", title, picture)
    lines = [text for text in _texts(picture) if text.size == 11]
    assert "".join("".join(line.text.split()) for line in lines) == "".join(title.split())
    assert all(line.x > 0 for line in lines)
    assert len({line.y for line in lines}) == len(lines)


def test_numbers_at_an_axis_are_distinct(picture: Path) -> None:
    plot_front([Spot(f"p{n}", 3_000_000 + n, 1e9 - n) for n in range(5)], "cycles", "SRAM", "t", picture)
    ticks = [text for text in _texts(picture) if text.size == 10 and re.fullmatch(r"[\d.,]+( M)?", text.text)]
    assert len(ticks) >= 6
    assert len({one.text for one in ticks}) == len(ticks)
    assert not [pair for pair in combinations(ticks, 2) if _overlap(*pair)]


def test_letters_without_a_glyph_are_no_warning(picture: Path, recwarn: pytest.WarningsRecorder) -> None:
    plot_front([Spot("\u65e5", 1, 2)], "cycles", "SRAM", "\u65e5\u672c", picture)
    assert not recwarn.list


def test_a_name_that_says_no_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VtacError, match=r"names no format of a picture: give a name that ends in \.png, \.svg"):
        plot_front([Spot("a", 1, 1)], "x", "y", "t", tmp_path / "front.gif")
