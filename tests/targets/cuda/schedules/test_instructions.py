"""Which instructions default schedules multiply with: what the module says, what is estimated, what was measured."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from contraction_programs import Contraction, convolution, matmul
from mma_programs import product

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.dialects.wmma.declared import INSTRUCTIONS, Instructions
from vtac.errors import CompileError, ScheduleError
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules import default_schedule
from vtac.targets.cuda.schedules.defaults import product_tiling
from vtac.targets.cuda.schedules.tiling import ProductSize, ProductTiling, on_lanes, tilings
from vtac.tools.vtac import main
from vtac.workloads.encoder import EncoderLayer

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_toolkit = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))


def asking(text: str, instructions: str) -> str:
    """A program whose module names instructions."""
    return f'module attributes {{wmma.instructions = "{instructions}"}} {{\n{text}}}\n'


def compiled(text: str, architecture: str | None) -> CudaProgram:
    made = vtac.compile(text, "cuda", architecture)
    assert isinstance(made, CudaProgram)
    return made


@needs_compiler
@pytest.mark.parametrize(
    "layer",
    [matmul(50, 70, 33), convolution("nhwc_hwcf", (2, 8, 5, 4), 16, (3, 3), pad=1, bias=True, narrow=True)],
    ids=["product", "convolution"],
)
def test_a_module_asks_for_mma_sync(layer: Contraction) -> None:
    text, inputs = layer.text(), layer.inputs()
    program = compiled(asking(text, "mma.sync"), "sm_80")
    assert "mma_m16n8k16_f16_f32(" in program.text
    assert "schedule      default, mma.sync, " in program.text
    assert np.array_equal(program(*inputs), evaluate(vtac.parse(text), *inputs))


def test_without_a_word_wmma_is_taken() -> None:
    text = matmul(64, 64, 64).text()
    plain = compiled(text, "sm_90").text
    assert "mma.sync" not in plain
    assert compiled(asking(text, "wmma"), "sm_90").text == plain
    assert compiled(asking(text, "estimated"), None).text == compiled(text, None).text


def test_the_shorter_estimate_is_taken_where_the_architecture_has_both() -> None:
    text = matmul(1024, 1024, 1024).text()
    assert "mma.sync, " in compiled(asking(text, "estimated"), "sm_80").text
    assert compiled(asking(text, "estimated"), "sm_75").text == compiled(text, "sm_75").text


def test_every_kernel_of_a_network_is_asked() -> None:
    layer = EncoderLayer(tokens=32, width=32, heads=2, hidden=32)
    made = vtac.compile(asking(layer.text(), "mma.sync"), "cuda", "sm_80")
    assert isinstance(made, vtac.CudaNetwork)
    assert made.text.count("schedule      default, mma.sync, ") == made.text.count("schedule      default, ") - 1


def test_what_cannot_be_is_refused() -> None:
    text = matmul(64, 64, 64).text()
    with pytest.raises(
        ScheduleError, match=r"`wmma.instructions` asks for mma.sync: sm_75 has no mma.sync of 32 bytes of k; sm"
    ):
        default_schedule(vtac.parse(asking(text, "mma.sync")), gpu_architecture("sm_75"))
    with pytest.raises(CompileError, match=r"wmma.instructions.*one of wmma, mma.sync, wgmma, tma, estimated"):
        vtac.compile(asking(text, "tcgen05"), "cuda")
    with pytest.raises(
        ScheduleError, match=r"`wmma.instructions` asks for wgmma: sm_90 has no wgmma; sm_90a has it, and no other"
    ):
        default_schedule(vtac.parse(asking(text, "wgmma")), gpu_architecture("sm_90"))
    with pytest.raises(ScheduleError, match=r"asks for wgmma: the program is for no architecture; sm_90a has it"):
        default_schedule(vtac.parse(asking(text, "wgmma")))
    narrow = asking(matmul(64, 8, 64).text(), "wgmma")
    with pytest.raises(ScheduleError, match=r"no tiling of wgmma is for a product of 64 x 8 x 64: blocks of 64 rows"):
        default_schedule(vtac.parse(narrow), gpu_architecture("sm_90a"))


@needs_compiler
@pytest.mark.parametrize(
    "layer",
    [matmul(90, 70, 33), convolution("nhwc_hwcf", (2, 8, 6, 6), 16, (3, 3), pad=1, bias=True, narrow=True)],
    ids=["product", "convolution"],
)
def test_a_module_asks_for_wgmma(layer: Contraction) -> None:
    text, inputs = layer.text(), layer.inputs()
    program = compiled(asking(text, "wgmma"), "sm_90a")
    assert "wgmma_m64n" in program.text
    assert "schedule      default, wgmma, " in program.text
    assert np.array_equal(program(*inputs), evaluate(vtac.parse(text), *inputs))


@needs_compiler
@pytest.mark.parametrize(
    "layer",
    [
        *(matmul(m, n, 33) for m, n in ((1, 24), (14, 70), (16, 24))),
        convolution("nhwc_hwcf", (1, 8, 5, 3), 16, (3, 3), pad=0, bias=True, narrow=True),
        convolution("nhwc_hwcf", (1, 16, 4, 4), 32, (3, 3), pad=1),
    ],
    ids=["1 row", "14 rows", "16 rows", "3 pixels", "16 pixels"],
)
def test_warps_of_a_group_may_have_no_row_of_their_own(layer: Contraction) -> None:
    """All four multiply; only the first has results to store."""
    text, inputs = layer.text(), layer.inputs()
    program = compiled(asking(text, "wgmma"), "sm_90a")
    assert "wgmma_m64n" in program.text
    assert np.array_equal(program(*inputs), evaluate(vtac.parse(text), *inputs))


@pytest.mark.parametrize(("element", "taken"), [("f16", True), ("f32", False)])
def test_wgmma_is_estimated_where_it_rounds_as_the_others(element: str, taken: bool) -> None:
    text = f16_or_f32(element)
    assert ("default, wgmma of boxes, " in compiled(text, "sm_90a").text) == taken


def f16_or_f32(element: str) -> str:
    """A large product that is estimated, of halves or of floats in tf32."""
    text = product((8192, 8192, 8192), element).text
    head = 'module attributes {wmma.instructions = "estimated", wmma.allow_tf32} {\n'
    body = text.split("{\n", 1)[1].rsplit("}", 1)[0] if text.startswith("module") else text
    return f"{head}{body}}}\n"


def line(size: ProductSize, tiling: ProductTiling, milliseconds: float) -> str:
    """A made-up measurement."""
    return json.dumps(
        {
            "device": "H200", "architecture": "sm_90", "flushed": False, "is_right": True, "median": milliseconds,
            "product": asdict(size), "tiling": asdict(tiling),
        }
    )  # fmt: skip


@pytest.mark.parametrize(("lanes", "other"), [(1.0, 2.0), (2.0, 1.0)])
def test_what_was_measured_goes_first_whichever_it_is(lanes: float, other: float, tmp_path: Path) -> None:
    text, path = matmul(512, 256, 128).text(), tmp_path / "measured.jsonl"
    kinds: tuple[tuple[Instructions, float], ...] = (("mma.sync", lanes), ("wmma", other))
    rows = [
        line(*product_tiling(vtac.parse(text), gpu_architecture("sm_90"), 1, name), milliseconds)
        for name, milliseconds in kinds
    ]
    path.write_text("\n".join(rows) + "\n")
    made = vtac.compile(text, "cuda", "sm_90", measurements=path)
    assert ("mma.sync, " in str(made.text)) == (lanes < other)


def test_the_command_prints_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "layer.mlir"
    source.write_text(matmul(64, 64, 64).text())
    assert main(["schedule", str(source), "--target", "cuda", "--arch", "sm_90", "--instructions", "mma.sync"]) == 0
    printed = capsys.readouterr().out
    assert '"mma.m16n8k16"' in printed
    (tmp_path / "script.mlir").write_text(printed)
    program = vtac.compile(source, "cuda", "sm_90", schedule=printed)
    assert "ldmatrix_x" in str(program.text)


def test_the_space_of_lanes_is_that_of_newer_architectures() -> None:
    size = ProductSize((4096, 4096, 4096), (16, 8, 16), 2, (8, 8), staged=False)
    assert list(tilings(size, gpu_architecture("sm_75"))) == []
    found = list(tilings(size, gpu_architecture("sm_90")))
    assert ProductTiling((16, 8, 16), 4, 8, 4, 2, 4, 4) in found
    assert all(on_lanes(one.fragment) for one in found)
    assert all(one.registers <= 255 for one in found)


@needs_toolkit
@pytest.mark.parametrize("architecture", ["sm_80", "sm_90", "sm_120"])
@pytest.mark.parametrize(("element", "transposed"), [("f16", False), ("i8", True), ("i8", False)])
def test_large_products_do_not_spill(element: str, transposed: bool, architecture: str) -> None:
    module = vtac.parse(matmul(4096, 4090, 4080, element, transposed=transposed).text())
    INSTRUCTIONS.set(module, "mma.sync")
    program = vtac.compile(module, "cuda", architecture)
    assert isinstance(program, CudaProgram)
    assert not compile_kernel(program.text, program.launch.kernel, architecture).spills
