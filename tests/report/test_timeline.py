"""The timeline as SVG and PNG, and the summary for the terminal."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from cycle_programs import POP_PREV, PUSH_NEXT, compute_nop, conv2d, load_nop, matmul, vadd
from cycle_streams import random_stream
from numpy.typing import NDArray

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.report.drawing import Drawing, Rectangle, Shape, svg
from vtac.report.glyphs import text_mask
from vtac.report.heading import Subject, Window
from vtac.report.lanes import bars_of
from vtac.report.plot import tick_step
from vtac.report.raster import png
from vtac.report.runs import StreamRun
from vtac.report.timeline import draw_runs, draw_timeline, write_program_timeline, write_timeline
from vtac.targets.vta.cycles import CycleReport, simulate_cycles, summary_table
from vtac.targets.vta.isa import Finish, Instruction, encode

CONFIG = VTAConfig()
SVG = "{http://www.w3.org/2000/svg}"


def report_of(instructions: list[Instruction]) -> CycleReport:
    return simulate_cycles(encode(instructions, CONFIG), CONFIG)


def drawn(report: CycleReport, path: Path, window: Window = (None, None)) -> ElementTree.Element:
    write_timeline(report, path, window)
    return ElementTree.fromstring(path.read_text(encoding="utf-8"))


def pixels_of(data: bytes) -> NDArray[np.uint8]:
    width, height = struct.unpack(">II", data[16:24])
    length = struct.unpack(">I", data[33:37])[0]
    rows = np.frombuffer(zlib.decompress(data[41 : 41 + length]), np.uint8).reshape(height, 1 + 3 * width)
    return rows[:, 1:].reshape(height, width, 3)


def texts(picture: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in picture.iter(f"{SVG}text")]


@pytest.mark.parametrize("program", [vadd(), matmul(), conv2d(), random_stream(5, 80)])
def test_svg_shows_lanes_axis_and_legend(program: list[Instruction], tmp_path: Path) -> None:
    report = report_of(program)
    picture = drawn(report, tmp_path / "run.svg")
    words = texts(picture)
    assert words[0] == f"{report.cycles:,} cycles on de10"
    assert {"fetch", "bus", "load", "compute", "store", "cycles", "0"} <= set(words)
    width = float(picture.attrib["width"])
    for box in picture.iter(f"{SVG}rect"):
        left = float(box.attrib.get("x", 0))
        assert 0 <= left <= left + float(box.attrib["width"]) <= width + 0.5


def test_hints_name_instruction_and_cycles(tmp_path: Path) -> None:
    hints = [title.text or "" for title in drawn(report_of(vadd()), tmp_path / "run.svg").iter(f"{SVG}title")]
    assert "3: alu.add uops 0:1, for 1 (dst+0 src+0), for 64 (dst+1 src+1) push_next: 135 cycles from 1,131" in hints
    assert "waits for g2s: 1,224 cycles from 42" in hints


def test_small_neighbours_merge_and_windows_zoom(tmp_path: Path) -> None:
    report = report_of(conv2d())
    whole = drawn(report, tmp_path / "whole.svg")
    assert any(" x store: " in (title.text or "") for title in whole.iter(f"{SVG}title"))
    zoomed = drawn(report, tmp_path / "zoomed.svg", (0, 2000))
    assert texts(zoomed)[0] == "483,467 cycles on de10, cycles 0 to 2,000"
    assert "gemm.reset" in texts(zoomed) and "store.out" not in texts(zoomed)
    assert len(draw_timeline(report).shapes) < 1500


@pytest.mark.parametrize("window", [(0, 483_467), (200_000, 300_001), (7, 8)])
def test_bars_are_as_wide_as_their_time(window: tuple[int, int]) -> None:
    report = report_of(conv2d())
    first, last = window
    drawn_cycles = Counter[str]()
    for bar in bars_of([StreamRun(report)], window, (last - first) / 1080):
        if not bar.kind.startswith("waits"):
            drawn_cycles[bar.lane] += bar.end - bar.begin
    for unit in report.units.values():
        busy = sum(max(0, min(span.end, last) - max(span.begin, first)) for span in unit.spans)
        assert drawn_cycles[unit.name] == busy


def test_a_bar_of_a_tenth_of_a_pixel_is_a_tenth_as_dark(tmp_path: Path) -> None:
    bars = [Rectangle(at, 0, 0.05, 1, "#000000") for at in range(4)]
    pixels = pixels_of(png(Drawing(4, 1, list[Shape](bars))))
    assert all(229 <= shade <= 230 for shade in pixels[0, ::2, 0])
    assert pixels[0, 1::2, 0].tolist() == [255] * 4


def test_alternative_text_says_what_is_seen(tmp_path: Path) -> None:
    program = vtac.compile(Path(__file__).parents[2] / "examples" / "vta_matmul.mlir")
    write_program_timeline(program, tmp_path / "run.svg", (100, None))
    picture = ElementTree.fromstring((tmp_path / "run.svg").read_text(encoding="utf-8"))
    told = picture.find(f"{SVG}desc")
    shown = f"matmul: {program.cycles:,} cycles on de10, cycles 100 to {program.cycles:,}"
    assert picture.attrib["aria-label"] == texts(picture)[0] == shown
    assert told is not None and told.text is not None
    assert told.text.startswith(f"Timeline of {shown}. VTA 1x16x16 (uop 32 KiB")
    assert "compute is busy for" in told.text and told.text.endswith("cycles.")
    write_program_timeline(program, tmp_path / "run.png", (100, None))
    assert told.text.encode() in (tmp_path / "run.png").read_bytes()


def test_layers_stand_over_the_cycles_that_they_add() -> None:
    layers = [("first <b>", 0, 400), ("second", 400, 1486)]
    picture = svg(draw_runs([StreamRun(report_of(vadd()))], (100, 800), Subject("net", "VTA", layers)))
    band = [(box.attrib, box.findtext(f"{SVG}title")) for box in ElementTree.fromstring(picture).iter(f"{SVG}rect")]
    found = {hint: (float(box["x"]), float(box["width"])) for box, hint in band if hint and " cycles from " in hint}
    assert found["first <b>: 400 cycles from 0"] == (70, 462.86)
    assert found["second: 1,086 cycles from 400"] == (532.86, 617.14)


def test_tokens_are_arrows_up_to_a_limit(tmp_path: Path) -> None:
    few = drawn(report_of(vadd()), tmp_path / "few.svg")
    assert len(list(few.iter(f"{SVG}line"))) > 3 * len(report_of(vadd()).flows)
    pairs: list[Instruction] = [step for _ in range(401) for step in (load_nop(PUSH_NEXT), compute_nop(POP_PREV))]
    words = texts(drawn(report_of([*pairs, Finish()]), tmp_path / "many.svg"))
    assert "401 tokens, not drawn: more than 400" in words


def test_png_is_the_same_picture(tmp_path: Path) -> None:
    write_timeline(report_of(vadd()), tmp_path / "run.png")
    data = (tmp_path / "run.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, colours = struct.unpack(">IIBB", data[16:26])
    drawing = draw_timeline(report_of(vadd()))
    assert (width, height, depth, colours) == (2 * drawing.width, 2 * drawing.height, 8, 2)
    pixels = pixels_of(data)
    store_colour = (pixels == (0xD5, 0x5E, 0x00)).all(axis=2)
    assert store_colour.sum() > 200 * 80


def test_same_report_same_bytes(tmp_path: Path) -> None:
    for ending in ("svg", "png"):
        for name in "ab":
            write_timeline(report_of(vadd()), tmp_path / f"{name}.{ending}")
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


@pytest.mark.parametrize(("name", "ending"), [("run.pdf", "'.pdf'"), ("run", "'nothing'")])
def test_other_endings_are_refused(name: str, ending: str, tmp_path: Path) -> None:
    with pytest.raises(VtacError, match=f"its name ends in {ending}; use .svg or .png"):
        write_timeline(report_of(vadd()), tmp_path / name)
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("window", [(-1, 10), (10, 10), (0, 1487), (20, 10)])
def test_windows_outside_the_run_are_refused(window: tuple[int, int]) -> None:
    with pytest.raises(VtacError, match="the run has the cycles 0 to 1486"):
        draw_timeline(report_of(vadd()), window)


@pytest.mark.parametrize(("cycles", "step"), [(7, 1), (25, 5), (1486, 200), (483_467, 50_000), (12, 1), (13, 2)])
def test_tick_step(cycles: int, step: int) -> None:
    assert tick_step(cycles) == step


def test_glyphs() -> None:
    assert text_mask("Ab").shape == (8, 12)
    assert (text_mask("A") == text_mask("a")).all()
    assert not text_mask(" ").any()
    assert text_mask("é").sum() == text_mask("ß").sum() > 0


def test_summary_table() -> None:
    lines = summary_table(report_of(vadd())).splitlines()
    assert lines[0] == "1,486 cycles on de10"
    assert lines[3] == "load                1  2 (0.1%)       nothing (done) 1,441 (97.0%), instructions 43 (2.9%)"
    assert lines[-1] == "store    8.6% of the roof: 1,024 bytes, 8 per cycle at most"
    conv = summary_table(report_of(conv2d()))
    assert "compute  96.0% of the roof: 464,128 tile operations, 1 per cycle at most" in conv
    assert "tokens from compute 279,823 (57.9%), instructions 33,849 (7.0%)" in conv
