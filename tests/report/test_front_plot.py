"""Pictures of fronts: every point of the front is numbered, and named in full beside the picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtac.errors import VtacError
from vtac.report.front_plot import Spot, front_of, plot_front

pytest.importorskip("matplotlib")

LONG = "1x16x64 uop 32 inp 32 wgt 256 acc 128 KiB, bus_bits 128, burst_beats 256, bursts 32, latency 64"


def test_names_are_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib import rcParams

    monkeypatch.setitem(rcParams, "svg.fonttype", "none")
    spots = [Spot(f"{LONG} {number}", 4_000_000 + number, 90 - number) for number in range(40)]
    plot_front([*spots, Spot("beaten", 9e6, 99)], "cycles", "SRAM", "title", tmp_path / "front.svg")
    text = (tmp_path / "front.svg").read_text()
    assert [number for number in range(40) if f"{LONG} {number}<" in text] == list(range(30))
    assert "and 10 more" in text
    assert "beaten<" not in text
    assert "e+06" not in text


def test_the_front_is_what_no_point_beats() -> None:
    assert [spot.label for spot in front_of([Spot("b", 2, 1), Spot("a", 1, 2), Spot("c", 2, 2)])] == ["a", "b"]


def test_a_folder_that_there_is_not_is_said(tmp_path: Path) -> None:
    with pytest.raises(VtacError, match=r"cannot write the plot to .*no/front\.png: "):
        plot_front([Spot("a", 1, 1)], "x", "y", "t", tmp_path / "no" / "front.png")
