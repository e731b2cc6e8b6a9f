"""The HTML report as text: its sections, its size, that it needs nothing else, and that every name is escaped."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pytest

import vtac
from vtac.errors import ToolMissingError, VtacError
from vtac.report.page import document
from vtac.targets.cuda.launch import LaunchRecord, Parameter
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.vta.isa import assemble
from vtac.targets.vta.programs.program import Program
from vtac.tools.vtac import main
from vtac.workloads.vadd import VectorAdd

ROOT = Path(__file__).resolve().parents[2]
NINTH = ROOT / "examples" / "vta_conv2d.mlir"
HOSTILE = "<script>alert('名 & \"x\"')</script>"
KIND = "tensor<1x16x4x4xi32>"
PLAIN = f"""
func.func @"{HOSTILE.replace('"', "''")}"(%a: {KIND}, %b: {KIND}) -> {KIND} {{
  %e = tensor.empty() : {KIND}
  %first = linalg.add ins(%a, %b : {KIND}, {KIND}) outs(%e : {KIND}) -> {KIND}
  %half = linalg.mul ins(%first, %b : {KIND}, {KIND}) outs(%e : {KIND}) -> {KIND}
  func.return %half : {KIND}
}}
"""

needs_extra = pytest.mark.skipif(
    any(find_spec(name) is None for name in document.PACKAGES), reason="the extra `report` is not installed"
)


class _Tree(HTMLParser):
    """Counts elements, and checks that they close in order."""

    VOID = ("meta",)

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, int] = {}
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen[tag] = self.seen.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tree(page: str) -> _Tree:
    """The page, parsed; every element closes."""
    parsed = _Tree()
    parsed.feed(page)
    parsed.close()
    assert parsed.open == []
    assert len(parsed.ids) == len(set(parsed.ids))
    return parsed


def sections(page: str) -> list[str]:
    """The anchors of the page's sections."""
    return re.findall(r'<section id="([\w-]+)"', page)


@pytest.fixture(scope="module")
def ninth() -> str:
    return vtac.report(vtac.compile(NINTH))


@needs_extra
def test_a_convolution_is_one_page(ninth: str) -> None:
    parsed = tree(ninth)
    assert sections(ninth)[:2] == ["summary", "layers"]
    assert len(ninth.encode()) < 500_000
    assert parsed.seen["svg"] >= 1
    assert "483,467" in ninth


@needs_extra
def test_a_page_needs_nothing_else(ninth: str) -> None:
    assert "http" not in ninth.replace('http-equiv="Content-Security-Policy"', "", 1)
    assert not re.search(r"<link|<img|<iframe|@import|\bsrc=|url\(|fetch\(|XMLHttpRequest", ninth)
    assert "default-src 'none'" in ninth


@needs_extra
def test_the_same_program_gives_the_same_page(ninth: str) -> None:
    assert vtac.compile(NINTH).report() == ninth


@needs_extra
def test_names_are_escaped() -> None:
    page = vtac.report(vtac.compile(PLAIN))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page and "名" in page
    assert tree(page).seen["script"] == vtac.report(vtac.compile(NINTH)).count("<script")


@needs_extra
def test_a_program_without_a_stream_has_a_summary() -> None:
    program = vtac.compile(PLAIN.replace("i32", "f32"))
    page = vtac.report(program)
    tree(page)
    assert "nothing of it runs on the VTA" in page and "layers" not in sections(page)


@needs_extra
def test_a_stream_of_one_instruction() -> None:
    config = vtac.VTAConfig()
    program = vtac.compile(VectorAdd(64).text(), schedule=VectorAdd(64).schedule()).stream
    page = vtac.report(Program(config, assemble("finish\n", config), b"", program.buffers))
    tree(page)
    assert "No layer multiplies" in page


@needs_extra
def test_a_stream_that_deadlocks_says_so() -> None:
    config = vtac.VTAConfig()
    program = vtac.compile(VectorAdd(64).text(), schedule=VectorAdd(64).schedule()).stream
    text = "load.uop nop pop_next\nfinish\n"
    page = vtac.report(Program(config, assemble(text, config), b"", program.buffers))
    tree(page)
    assert "its stream cannot be run: FINISH is never reached" in page


@needs_extra
def test_a_kernel_has_a_launch() -> None:
    launch = LaunchRecord("twice", (2, 1, 1), (32, 1, 1), 0, (Parameter("x", "input", "float16", (4, 4)),))
    page = CudaProgram(f"// {HOSTILE}\n", launch).report()
    tree(page)
    assert sections(page) == ["summary", "levels"]
    assert "<script>alert" not in page and "2 \u00d7 1 \u00d7 1" in page


@needs_extra
def test_further_sections_stand_last() -> None:
    program = vtac.compile(NINTH)
    page = document.report(program, more=[("A <model>", "<p id='mine'>as given</p>")])
    assert sections(page)[-1] == "more-1"
    assert "A &lt;model&gt;" in page and "<p id='mine'>as given</p>" in page


@needs_extra
def test_what_is_no_program_is_refused() -> None:
    with pytest.raises(VtacError, match="cannot report on a int: give a program"):
        vtac.report(3)


@needs_extra
def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "page.html"
    with pytest.raises(VtacError, match=r"cannot write the report to .*page.html: No such file or directory"):
        vtac.compile(NINTH).report(target)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> None:
        del name

    monkeypatch.setattr(document, "find_spec", nothing)
    with pytest.raises(ToolMissingError, match=r"the packages 'jinja2' and 'pygments': pip install 'vtac\[report\]'"):
        vtac.report(None)


@needs_extra
def test_the_command_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved, page = tmp_path / "saved", tmp_path / "page.html"
    vtac.compile(NINTH).save(saved)
    assert main(["report", str(saved), "-o", str(page)]) == 0
    tree(page.read_text())
    assert capsys.readouterr().out == ""


@needs_extra
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", str(NINTH)], "the file for the page is missing: add -o FILE.html"),
        (["report", str(NINTH), "-o", "/proc/none/page.html"], "cannot write /proc/none/page.html: there is no"),
        (["report", "absent.mlir", "-o", "page.html"], "cannot read 'absent.mlir': No such file or directory"),
    ],
)
def test_the_command_refuses_in_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert message in last


@needs_extra
def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    command = [sys.executable, "-m", "vtac", "report", str(NINTH.with_name("vta_vadd.mlir")), "-o", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 1
    assert said.splitlines() == ["no contractions, one stream"]
