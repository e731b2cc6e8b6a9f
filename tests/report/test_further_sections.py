"""Further sections of a report: what quantisation costs, points of a sweep, registers of a kernel."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import vtac
from vtac.errors import VtacError
from vtac.models.graph import Input
from vtac.models.layers.products import Linear
from vtac.models.model import Model
from vtac.report.page.document import report
from vtac.report.page.layers import Row
from vtac.report.page.quantisation import quantisation_section
from vtac.report.page.roofline import Roofline, draw_roofline
from vtac.report.page.sweep import Point, Sweep, sweep_section
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason
from vtac.tools.vtac import main

EXAMPLES = Path(__file__).parents[2] / "examples"
RECORD = {
    "agreement": 0.98,
    "sqnr_db": 31.5,
    "macs_on_vta": 1.0,
    "streams": 1,
    "cycles": 1234,
    "layers": [
        {"name": "<b>conv</b>", "op": "conv", "where": "VTA", "clipped": 0.0125, "alone_db": 33.3, "sqnr_db": None,
         "exponent": -4, "bits_lost": 0.5, "accumulator_bound": 70_000, "cycles": 1000, "bytes": 2000},
    ],
}  # fmt: skip
POINTS = [Point("small", 10, 100), Point("even", 20, 60, {"note": "<i>"}), Point("bad", 30, 90), Point("large", 40, 10)]


def test_what_quantisation_costs_is_a_section() -> None:
    html = quantisation_section(RECORD).html
    assert "98.0%" in html and "31.5 dB" in html and "1.25%" in html and "70,000" in html
    assert "&lt;b&gt;conv" in html and "<b>" not in html


@pytest.mark.parametrize(
    ("record", "message"), [({}, "it has no 'layers'"), ({"layers": [3]}, "int stands for a layer")]
)
def test_what_is_no_record_is_refused(record: dict[str, object], message: str) -> None:
    with pytest.raises(VtacError, match=message):
        quantisation_section(record)


def test_the_front_is_what_no_point_beats() -> None:
    assert [point.label for point in Sweep("s", "x", "y", POINTS).front] == ["small", "even", "large"]
    assert Sweep("s", "x", "y", [Point("one", 1, 1), Point("same", 1, 1)]).front == [Point("one", 1, 1)]


def test_a_sweep_is_a_plot_and_a_table() -> None:
    html = sweep_section(Sweep("Hardware", "cycles", "bytes", POINTS)).html
    assert html.count("<circle") == 4 and html.count('class="point beaten"') == 1
    assert re.search(r'<th scope="row" dir="auto">bad</th>.*?<td class="n" data-v="5"></td>', html)
    assert re.search(r'<th scope="row" dir="auto">small</th>.*?<td class="n" data-v="1">1</td>', html)
    assert "&lt;i&gt;" in html and "<i>" not in html
    assert "nan" not in sweep_section(Sweep("one", "x", "y", POINTS[:1])).html
    assert "0 points" in sweep_section(Sweep("none", "x", "y", [])).html


def test_they_stand_in_the_page() -> None:
    program = vtac.compile(EXAMPLES / "vta_vadd.mlir")
    page = report(program, quantisation=RECORD, sweeps=[Sweep("Hardware", "cycles", "bytes", POINTS)])
    assert [page.count(f'<section id="{anchor}"') for anchor in ("quantisation", "sweep-1")] == [1, 1]


def test_a_quantised_program_has_its_own() -> None:
    numbers = np.random.default_rng(0).normal(0, 1, (8, 5, 6)).astype(np.float32)
    layer = Linear("fc", ("x",), numbers[0, :4], np.zeros(4, np.float32))
    program = Model("net", (Input("x", (1, 6)),), (layer,), ("fc",)).quantize(numbers[:, 0]).compile()
    page = program.report()
    assert page.count('<section id="quantisation"') == 1
    assert "SQNR</dt>" in page


def test_the_record_of_vtac_quantize_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r.json").write_text(json.dumps(RECORD))
    source, out = str(EXAMPLES / "vta_vadd.mlir"), str(tmp_path / "page.html")
    assert main(["report", source, "--quantisation", str(tmp_path / "r.json"), "-o", out]) == 0
    assert "Quantisation</h2>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    (tmp_path / "r.json").write_text("[]")
    assert main(["report", source, "--quantisation", str(tmp_path / "r.json"), "-o", out]) == 1
    assert "holds no object; give what vtac quantize --report R.json wrote" in capsys.readouterr().err


def test_registers_are_told_or_why_not() -> None:
    page = vtac.compile(EXAMPLES / "wmma_conv2d.mlir", "cuda").report()
    if toolkit_unavailable_reason() is None:
        assert "<dt>registers</dt>" in page and "blocks at once" in page
    else:
        assert "not known here: cannot compile CUDA text" in page


def test_names_of_the_front_cover_neither_points_nor_one_another() -> None:
    crowd = [Point(f"a configuration of hardware {number}", 100 + number, 100 - number) for number in range(40)]
    html = sweep_section(Sweep("crowd", "x", "y", crowd)).html
    label = r'r="5"/>\s*<text x="([\d.]+)" y="([\d.]+)" text-anchor="(?:start|end|middle)">(\d+)(: a configuration)?'
    found = re.findall(label, html)
    shown = [(x, y) for x, y, _, name in found if name]
    assert 1 < len(shown) < len(crowd)
    assert len(found) > len(shown)
    assert [int(number) for _, _, number, _ in found] == sorted(int(number) for _, _, number, _ in found)
    assert len({(float(x) // 40, float(y) // 8) for x, y in shown}) == len(shown)


def test_columns_of_numbers_are_sorted_as_such() -> None:
    points = [Point("one", 1, 2, {"acc": "2,048", "kind": "sim"}), Point("two", 2, 1, {"acc": "512", "kind": "fpga"})]
    html = sweep_section(Sweep("two", "x", "y", points)).html
    assert '<td class="n" data-v="2048">2,048</td>' in html and "<td>fpga</td>" in html


def test_numbers_at_an_axis_are_distinct() -> None:
    close = [Point(f"p{number}", 7_805_531 + number, 1e9 - number) for number in range(5)]
    html = sweep_section(Sweep("close", "x", "y", close)).html
    across = re.findall(r'<text x="[\d.]+" y="446" text-anchor="middle">([\d.,]+(?: M)?)</text>', html)
    up = re.findall(r'<text x="76" y="[\d.]+" text-anchor="end">([\d.,]+(?: M)?)</text>', html)
    assert len(across) == len(set(across)) >= 4
    assert len(up) == len(set(up)) >= 4


@pytest.mark.parametrize(("cycles", "macs"), [(1000, 250_000), (1000, 256_000), (10**6, 1000), (1000, 1_000)])
def test_a_roofline_has_three_numbers_at_each_axis_at_least(cycles: int, macs: int) -> None:
    row = Row(1, "conv", cycles, 1.0, None, "", 9_000, macs, 0.9, 10)
    html = draw_roofline(Roofline(256, 8, [row]))
    across = re.findall(r'<text x="[\d.]+" y="486" text-anchor="middle">([\d.,e-]+)</text>', html)
    up = re.findall(r'<text x="56" y="[\d.]+" text-anchor="end">([\d.,e-]+)</text>', html)
    assert len(across) == len(set(across)) >= 3
    assert len(up) == len(set(up)) >= 3


def test_a_program_with_its_own_schedule_is_compared_with_no_bound() -> None:
    page = report(vtac.compile(EXAMPLES / "vta_matmul.mlir"))
    assert "There is no bound to compare with" in page
    assert "cycles / bound" not in page
