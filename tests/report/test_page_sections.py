"""What the sections of the HTML report hold: data of the pictures, lines linked by their source, steps of schedules."""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict, cast

import pytest

pytest.importorskip("jinja2", reason="the extra `report` is not installed")
pytest.importorskip("pygments", reason="the extra `report` is not installed")

import vtac
from vtac.report.page.highlight import mlir_lines, vta_lines
from vtac.report.page.layers import layer_rows
from vtac.report.page.timeline import longest_waits, timeline_section
from vtac.report.runs import runs_of, total_cycles
from vtac.targets.vta.programs.layer_report import layer_reports
from vtac.targets.vta.programs.vta_program import VtaProgram

NINTH = Path(__file__).resolve().parents[2] / "examples" / "vta_conv2d.mlir"


class Level(TypedDict):
    part: str
    name: str
    html: list[str]
    at: list[list[int]]
    more: int


class Levels(TypedDict):
    parts: list[tuple[str, str]]
    places: list[str]
    levels: list[Level]


class Steps(TypedDict):
    name: str
    steps: list[dict[str, Sequence[str]]]
    before: list[str]


class Timeline(TypedDict):
    cycles: int
    lanes: list[tuple[str, list[int]]]
    kinds: list[tuple[str, str]]
    layers: list[tuple[str, int, int]]
    tokens: list[int]
    texts: list[str]


def unpacked(page: str, anchor: str) -> object:
    """The data block of a page."""
    found = re.search(rf'<script type="text/plain" id="{anchor}">([^<]*)</script>', page)
    assert found is not None
    return json.loads(zlib.decompress(b64decode(found[1])))


@pytest.fixture(scope="module")
def program() -> VtaProgram:
    return vtac.compile(NINTH)


@pytest.fixture(scope="module")
def page(program: VtaProgram) -> str:
    return program.report()


def text_of(html: str) -> str:
    """A line of HTML as text."""
    plain = re.sub(r"<[^>]*>", "", html)
    for name, letter in (("lt", "<"), ("gt", ">"), ("quot", '"'), ("#x27", "'"), ("amp", "&")):
        plain = plain.replace(f"&{name};", letter)
    return plain


def test_levels_go_from_the_source_to_instructions(page: str) -> None:
    data = cast(Levels, unpacked(page, "levels-data"))
    names = [level["name"] for level in data["levels"]]
    assert names == [
        "source",
        *("payload", "scheduled", "blocked", "units", "tokens", "threads", "vta"),
        "instructions",
    ]
    assert [text_of(line) for line in data["levels"][0]["html"]] == NINTH.read_text().splitlines()
    assert len(data["levels"][-1]["html"]) == 3366


def test_lines_are_linked_by_their_source(page: str) -> None:
    data = cast(Levels, unpacked(page, "levels-data"))
    levels = {level["name"]: level for level in data["levels"]}
    gemm = next(at for at, line in enumerate(levels["vta"]["html"]) if "vta.gemm" in line and "reset" not in line)
    (place,) = levels["vta"]["at"][gemm]
    line = int(data["places"][place].rpartition(":")[2])
    assert place in levels["source"]["at"][line - 1]
    assert "linalg.generic" in text_of(levels["source"]["html"][line - 1])
    linked = [
        text_of(levels["instructions"]["html"][at])
        for at, one in enumerate(levels["instructions"]["at"])
        if place in one
    ]
    assert any("gemm " in text for text in linked)


def test_steps_mark_what_they_change(page: str) -> None:
    (function,) = cast("list[Steps]", unpacked(page, "steps-data"))
    assert function["name"] == "conv2d"
    assert len(function["steps"]) == 29
    marked = [line for step in function["steps"] for line in step["nest"] if line[:1] in "+-"]
    assert marked and all(step["nest"] for step in function["steps"])


def test_a_timeline_has_every_cycle_of_every_unit(program: VtaProgram) -> None:
    """Spans are as long as the simulator says: no bar is wider than its time."""
    runs, reports = runs_of(program), layer_reports(program)
    data = cast(Timeline, unpacked(timeline_section(runs, reports).html, "timeline-data"))
    assert data["cycles"] == total_cycles(runs)
    names = [kind for kind, _ in data["kinds"]]
    for lane, flat in data["lanes"]:
        if lane in runs[0].report.units:
            unit = runs[0].report.units[lane]
            busy = sum(cycles for kind, cycles in zip(flat[::4], flat[2::4], strict=True) if "waits" not in names[kind])
            assert busy == sum(end - begin for _, begin, end in unit.spans)
            assert all(gap >= 0 for gap in flat[1::4])
    assert len(data["tokens"]) == 3 * len(runs[0].report.flows)
    assert len(data["texts"]) == 3366


def test_the_longest_waits_are_listed(program: VtaProgram) -> None:
    waits = longest_waits(runs_of(program), [("conv", 0, 10**9)])
    assert len(waits) == 10
    assert [wait.cycles for wait in waits] == sorted((wait.cycles for wait in waits), reverse=True)
    assert (waits[0].unit, waits[0].waited_for, waits[0].cause, waits[0].cycles) == ("store", "compute", "g2s", 231_655)


def test_layers_are_rows_in_numbers(program: VtaProgram) -> None:
    (row,) = layer_rows(program.config, layer_reports(program))
    assert (row.cycles, row.macs, row.dram_bytes) == (483_467, 451_584 * 256, 1_345_656)
    assert row.intensity is not None and 85 < row.intensity < 87


def test_a_saved_program_shows_its_instructions(program: VtaProgram, tmp_path: Path) -> None:
    program.save(tmp_path)
    page = vtac.load_program(tmp_path, "vta").report()
    assert "This is a saved program: its source and its IR are gone." in page
    data = cast(Levels, unpacked(page, "levels-data"))
    assert [level["name"] for level in data["levels"]] == ["instructions"]


@pytest.mark.parametrize("text", ["func.func @f(%a: tensor<4x?xi8>) { // <b>", '"x & <y>"', "", "%é = 名\n\n}"])
def test_highlighting_keeps_the_text(text: str) -> None:
    for lines in (mlir_lines(text), vta_lines(text)):
        assert "\n".join(map(text_of, lines)) == text
        assert not any(re.search(r"<(?!/?i[ >])", line) for line in lines)
