"""What the sections of the HTML report hold: data of the pictures, lines linked by their source, steps of schedules."""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypedDict, cast

import pytest

pytest.importorskip("jinja2", reason="the extra `report` is not installed")
pytest.importorskip("pygments", reason="the extra `report` is not installed")

import vtac
from vtac.dialects.hardware import MemoryName
from vtac.report.page.findings import findings_section
from vtac.report.page.highlight import mlir_highlighter, vta_highlighter
from vtac.report.page.layers import layer_rows
from vtac.report.page.memory import dram_uses
from vtac.report.page.occupancy import Placed, occupancy_of
from vtac.report.page.timeline import longest_waits, timeline_section
from vtac.report.runs import runs_of, total_cycles
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.vta.isa import assemble
from vtac.targets.vta.programs.layer_report import layer_reports
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.targets.vta.proof import check
from vtac.workloads.wmma_matmul import WmmaMatmul

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


def test_memories_hold_what_was_loaded_and_computed(program: VtaProgram) -> None:
    (run,) = runs_of(program)
    held = occupancy_of([Placed(run, program.stream)], total_cycles([run]))
    assert {label[0] for label in held.labels} == {"data", "kernel", "micro_ops", "computed"}
    wanted: dict[MemoryName, str] = {"inp": "data", "wgt": "kernel", "acc": "computed", "uop": "micro_ops"}
    for memory, name in wanted.items():
        last = held.grids[memory][:, -1]
        assert {held.labels[int(one) - 1][0] for one in last if one} == {name}
    assert [int((held.grids[memory][:, -1] > 0).sum()) for memory in list(wanted)[:3]] == [18, 18, 98]


def test_buffers_are_used_from_their_first_access_to_their_last(program: VtaProgram) -> None:
    (run,) = runs_of(program)
    uses = {use.buffer.name: use for use in dram_uses([Placed(run, program.stream)])}
    assert list(uses) == ["data", "kernel", "res", "micro_ops"]
    assert uses["data"].first < uses["data"].last < uses["res"].last <= 483_467
    assert uses["res"].first > 230_000 and uses["res"].layers == ["conv2d"]


def test_a_clean_program_is_proven(page: str) -> None:
    assert "Proven clean: in every interleaving" in page


def test_findings_are_drawn_with_their_instructions(program: VtaProgram) -> None:
    stream = program.stream
    text = re.sub(r"^ *\d+: ", "", stream.disassemble(), flags=re.MULTILINE).replace(
        "pop_prev push_prev", "push_prev", 1
    )
    broken = replace(stream, instructions=assemble(text, stream.config), source=None)
    found = check(broken)
    html = findings_section(broken).html
    assert found and f"{len(found)} finding" in html
    assert found[0].message.partition("`")[0] in html
    assert html.count('class="mark"') >= len(found)


def test_a_kernel_shows_its_levels_and_its_steps() -> None:
    program = vtac.compile(NINTH.with_name("wmma_conv2d.mlir"), "cuda")
    page = program.report()
    data = cast(Levels, unpacked(page, "levels-data"))
    names = [level["name"] for level in data["levels"]]
    assert names[:3] == ["source", "payload", "scheduled"] and names[-1] == "kernel"
    assert "barriers" in page and "products of fragments" in page
    assert cast("list[Steps]", unpacked(page, "steps-data"))[0]["steps"]
    assert page.count("<table>") == len(re.findall(r'<div class="scroll"[^>]*>\n<table>', page)) == 2
    assert "<dt>cluster</dt>" not in page


def test_a_kernel_in_clusters_says_so() -> None:
    text = WmmaMatmul(m=128, n=128, k=64).text()
    program = vtac.compile(text, "cuda", "sm_90a", schedule=tma_schedule(text, cluster=2))
    extent = " \N{MULTIPLICATION SIGN} ".join("211")
    assert f"<dt>cluster</dt><dd><strong>{extent}</strong>" in program.report()


@pytest.mark.parametrize("text", ["func.func @f(%a: tensor<4x?xi8>) { // <b>", '"x & <y>"', "", "%é = 名\n\n}"])
def test_highlighting_keeps_the_text(text: str) -> None:
    for highlight in (mlir_highlighter(), vta_highlighter()):
        lines = highlight(text.split("\n"))
        assert "\n".join(map(text_of, lines)) == text
        assert not any(re.search(r"<(?!/?i[ >])", line) for line in lines)
