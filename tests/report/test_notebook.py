"""What programs say of themselves at the prompt and in a notebook: short lines, and HTML with every name escaped."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.dialects.hardware import VTAConfig
from vtac.report.notebook import MOST_ROWS, cuda_html, program_html
from vtac.targets.cuda.launch import LaunchRecord, Parameter
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.vta.isa import assemble
from vtac.targets.vta.programs.program import Program
from vtac.workloads.vadd import VectorAdd

HOSTILE = "<script>alert(1)</script>"
KIND = "tensor<1x16x4x4xi32>"
PLAIN = f"""
func.func @"{HOSTILE}"(%a: {KIND}, %b: {KIND}) -> {KIND} {{
  %e = tensor.empty() : {KIND}
  %first = linalg.add ins(%a, %b : {KIND}, {KIND}) outs(%e : {KIND}) -> {KIND}
  %half = linalg.mul ins(%first, %b : {KIND}, {KIND}) outs(%e : {KIND}) -> {KIND}
  func.return %half : {KIND}
}}
"""
KERNEL = CudaProgram(
    f"// {HOSTILE}\n" * 100,
    LaunchRecord("twice", (2, 1, 1), (32, 1, 1), 0, (Parameter("x", "input", "float16", (4, 4)),)),
)


@pytest.fixture(scope="module")
def stream() -> Program:
    layer = VectorAdd(64)
    return vtac.compile(layer.text(), schedule=layer.schedule()).stream


def markup(html: str) -> list[str]:
    """The elements of well-formed HTML, by name."""
    return [element.tag.rpartition("}")[2] for element in ElementTree.fromstring(html).iter()]


def test_a_stream_is_one_line(stream: Program) -> None:
    assert str(stream) == (
        "no contractions, one stream\n"
        "vadd(A int32[1x4x1x16], B int32[1x4x1x16]) -> (C int8[1x4x1x16]): 8 instructions, 1 micro-op, VTA 1x16x16"
    )
    assert repr(stream) == f"<Program {str(stream).splitlines()[1]}>"


def test_a_stream_shows_layers_and_a_timeline(stream: Program) -> None:
    html = program_html(stream)
    tags = markup(html)
    assert {"table", "svg"} <= set(tags) and "script" not in tags
    assert len(html) < 40_000
    assert f"{stream.cycles:,}" in html


def test_names_with_html_are_escaped() -> None:
    program = vtac.compile(PLAIN)
    html = program_html(program)
    assert HOSTILE in repr(program) and len(repr(program)) < 300
    assert "script" not in markup(html)
    assert "&lt;script&gt;" in html and HOSTILE not in html
    assert "choice" in html


def test_a_stream_that_never_ends_says_why() -> None:
    words = assemble("load.inp sram 0 <- dram 0x100, 1 x 1 stride 1\n", VTAConfig())
    program = Program(VTAConfig(), words, b"", ())
    html = program_html(program)
    assert "<p>no cycles: " in html and "table" not in markup(html)


def test_many_choices_are_counted(stream: Program) -> None:
    many = Program(stream.config, stream.instructions, stream.micro_ops, stream.buffers, choices=("&",) * 300)
    html = program_html(many)
    assert html.count("<li>&amp;</li>") == MOST_ROWS
    assert "and 100 more choices" in html


def test_a_kernel_is_one_line_and_shows_its_text() -> None:
    assert str(KERNEL) == "twice(x float16[4x4]) -> (): 2x1x1 blocks of 32x1x1 threads"
    assert len(repr(KERNEL)) < 100
    html = cuda_html(KERNEL)
    assert {"table", "pre"} <= set(markup(html)) and "script" not in markup(html)


def test_many_arguments_and_long_names_are_cut() -> None:
    parameters = tuple(Parameter(f"x{'y' * 100}{i}", "input", "int8", (1,)) for i in range(9))
    program = CudaProgram("", LaunchRecord("many", (1, 1, 1), (32, 1, 1), 0, parameters))
    assert "..., 3 more" in str(program).replace(" int8[1]", "")
    assert len(str(program)) < 600


LINES: dict[str, tuple[Callable[[Program], object], str]] = {
    "configuration": (lambda p: str(p.config), "VTA 1x16x16 (uop 32 KiB, inp 32 KiB, wgt 256 KiB, acc 128 KiB)"),
    "architecture": (lambda p: gpu_architecture("sm_90"), "<GpuArchitecture sm_90>"),
    "report of a unit": (lambda p: vtac.simulate_cycles(p.instructions, p.config).units["store"], "store: busy "),
    "report of cycles": (lambda p: vtac.simulate_cycles(p.instructions, p.config), " cycles on de10, busy: load "),
    "finding": (lambda p: vtac.check(p.instructions[:-16], p.config)[0], "Finding(kind="),
}


@pytest.mark.parametrize("case", LINES)
def test_records_are_one_line(case: str, stream: Program) -> None:
    make, expected = LINES[case]
    text = repr(make(stream))
    assert expected in text
    assert len(text) < 500 and "\n" not in text
