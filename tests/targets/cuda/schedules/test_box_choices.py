"""Bulk copies as a choice of default schedules: asked for, estimated, measured, and what falls back or is refused."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from contraction_programs import Contraction, convolution, matmul
from mma_programs import product

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.dialects.gpu_roofs import gpu_roof
from vtac.errors import ScheduleError
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.dynamic import CudaDynamic
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules import default_schedule
from vtac.targets.cuda.schedules.defaults import product_tiling
from vtac.targets.cuda.schedules.roof import asked_bytes, estimate
from vtac.targets.cuda.schedules.tiling import ProductSize, ProductTiling, tilings
from vtac.tools.vtac import main
from vtac.workloads.encoder import EncoderLayer

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
LARGE = (4096, 4096, 4096)


def asking(text: str, instructions: str) -> str:
    """A program whose module names instructions."""
    return f'module attributes {{wmma.instructions = "{instructions}"}} {{\n{text}}}\n'


def compiled(text: str, architecture: str | None) -> CudaProgram:
    made = vtac.compile(text, "cuda", architecture)
    assert isinstance(made, CudaProgram)
    return made


@needs_cpu
@pytest.mark.parametrize("architecture", ["sm_90", "sm_90a", "sm_120"])
@pytest.mark.parametrize(
    "layer",
    [
        matmul(50, 72, 136),
        matmul(1, 200, 136, transposed=True),
        convolution("nhwc_hwcf", (2, 32, 8, 8), 32, (3, 3), pad=1, bias=True, narrow=True),
    ],
    ids=["product", "one row", "convolution"],
)
def test_a_module_asks_for_bulk_copies(layer: Contraction, architecture: str) -> None:
    text, inputs = layer.text(), layer.inputs()
    program = compiled(asking(text, "tma"), architecture)
    assert len(program.launch.tensor_maps) == 2
    assert " of boxes, " in program.text.partition("\n#")[0]
    assert np.array_equal(program(*inputs), evaluate(vtac.parse(text), *inputs))


@needs_cpu
def test_every_product_of_a_network_is_asked() -> None:
    layer = EncoderLayer(tokens=32, width=64, heads=2, hidden=64)
    made = vtac.compile(asking(layer.text(), "tma"), "cuda", "sm_90")
    assert isinstance(made, vtac.CudaNetwork)
    assert made.text.count("default, mma.sync of boxes, ") == 4
    plain = vtac.compile(layer.text(), "cuda", "sm_90")
    assert isinstance(plain, vtac.CudaNetwork)
    inputs = layer.inputs()
    found, wanted = (np.asarray(one(*inputs), np.float64) for one in (made, plain))
    np.testing.assert_allclose(found, wanted, rtol=2e-2, atol=2e-2)


def test_warpgroups_of_boxes_are_estimated_as_the_fastest_where_there_are_any() -> None:
    """Of half the cache's bytes that a block alone asks for, as two of them share what is b's."""
    text = asking(product(LARGE).text, "estimated")
    chosen = "default, wgmma of boxes, 128 x 256 in steps of 64, 4 stages, clusters of 2 along rows"
    assert chosen in compiled(text, "sm_90a").text
    assert "default, mma.sync, " in compiled(text, "sm_80").text


@pytest.mark.parametrize(
    ("layer", "array"),
    [(matmul(256, 256, 100), "data"), (matmul(256, 100, 256), "kernel")],
    ids=["rows of a", "rows of b"],
)
def test_rows_that_boxes_do_not_reach_fall_back_where_it_is_estimated(layer: Contraction, array: str) -> None:
    """And are refused, with the array and its stride, where boxes are asked for."""
    text = layer.text()
    assert "default, mma.sync, " in compiled(asking(text, "estimated"), "sm_90").text
    with pytest.raises(ScheduleError) as caught:
        default_schedule(vtac.parse(asking(text, "tma")), gpu_architecture("sm_90"))
    assert f"tensor map of '{array}': a stride of 200 bytes; a multiple of 16 below 2**40" in caught.value.message


REFUSED = {
    "an architecture without": (matmul(64, 64, 256), "sm_80", "sm_80 has no bulk copies of tensors"),
    "no architecture": (matmul(64, 64, 256), None, "the program is for no architecture; name one"),
    "one step": (matmul(64, 64, 16), "sm_90", "it takes two steps of 32 bytes of k or more"),
    "channels of several taps": (
        convolution("nhwc_hwcf", (2, 8, 14, 14), 32, (3, 3), pad=1),
        "sm_90",
        "'data' is not addressed by one part of a loop along each dimension; a box is pixels of images and",
    ),
    "channels first": (
        convolution("nchw_fchw", (2, 32, 8, 8), 32, (3, 3), pad=1),
        "sm_90",
        "tensor map of 'kernel': a stride of 6 bytes; a multiple of 16 below 2**40 is required",
    ),
}


@pytest.mark.parametrize(("layer", "architecture", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(layer: Contraction, architecture: str | None, message: str) -> None:
    record = None if architecture is None else gpu_architecture(architecture)
    with pytest.raises(ScheduleError) as caught:
        default_schedule(vtac.parse(asking(layer.text(), "tma")), record)
    assert message in caught.value.message
    assert default_schedule(vtac.parse(asking(layer.text(), "estimated")), record).script


def test_the_space_of_boxes() -> None:
    """Warps that only ask take their registers from the others; no architecture without bulk copies has a tiling."""
    size = ProductSize(LARGE, (16, 8, 16), 2, (8, 8), staged=False, boxes=True)
    assert not list(tilings(size, gpu_architecture("sm_80")))
    assert not list(tilings(size, None))
    found = set(tilings(size, gpu_architecture("sm_90")))
    assert all(one.boxes and one.stages > 1 and one.block[1] % 16 == 0 for one in found)
    large = ProductTiling((16, 8, 16), 4, 8, 4, 2, 4, 4, boxes=True)
    assert large in found
    assert ProductTiling((16, 8, 16), 4, 8, 4, 2, 4, 4, boxes=True, producers=4) not in found
    assert ProductTiling((16, 8, 16), 4, 8, 2, 2, 4, 4, boxes=True, producers=2) in found


def test_what_boxes_save_is_issue() -> None:
    size = ProductSize(LARGE, (16, 8, 16), 2, (8, 8), staged=False)
    tiling, hopper = ProductTiling((16, 8, 16), 4, 8, 2, 2, 4, 3), gpu_architecture("sm_90")
    boxed = ProductTiling((16, 8, 16), 4, 8, 2, 2, 4, 3, boxes=True)
    alone = ProductTiling((16, 8, 16), 4, 8, 2, 2, 4, 3, boxes=True, producers=2)
    plain, asked, roles = (estimate(one, size, hopper) for one in (tiling, boxed, alone))
    assert asked.issue < plain.issue
    assert roles.exposed < asked.exposed == plain.exposed
    assert (asked.tensor, asked.cache, asked.shared) == (plain.tensor, plain.cache, plain.shared)


def test_what_clusters_save_is_the_cache() -> None:
    """Each of four blocks asks for a fourth of its 256 rows, and for its 128 columns."""
    size = ProductSize(LARGE, (16, 8, 16), 2, (8, 8), staged=False, boxes=True)
    alone = ProductTiling((16, 8, 16), 4, 8, 4, 2, 4, 4, boxes=True)
    clustered = replace(alone, cluster=4, shares_columns=False)
    assert (asked_bytes(alone, size), asked_bytes(clustered, size)) == (384 * 128, (64 + 128) * 128)
    hopper = gpu_architecture("sm_90")
    one, four = estimate(alone, size, hopper), estimate(clustered, size, hopper)
    assert four.cache == one.cache / 2
    assert (four.tensor, four.shared) == (one.tensor, one.shared)
    assert four.issue == one.issue + 8 * gpu_roof(hopper).costs.cluster_instructions / 4
    assert (one.bound, four.bound) == ("cache", "tensor")
    assert four.cycles < one.cycles


def measured(size: ProductSize, tiling: ProductTiling, milliseconds: float) -> dict[str, object]:
    return {
        "device": "H200", "architecture": "sm_90", "flushed": False, "is_right": True, "median": milliseconds,
        "product": asdict(size), "tiling": asdict(tiling),
    }  # fmt: skip


@pytest.mark.parametrize("faster", ["tma", "mma.sync"])
def test_what_was_measured_goes_first(faster: str, tmp_path: Path) -> None:
    """Lines of tilings without boxes need not say so."""
    text, path, record = matmul(512, 256, 128).text(), tmp_path / "measured.jsonl", gpu_architecture("sm_90")
    boxed = measured(*product_tiling(vtac.parse(text), record, 1, "tma"), 1.0 if faster == "tma" else 3.0)
    size, tiling = (asdict(one) for one in product_tiling(vtac.parse(text), record, 0, "mma.sync"))
    for entries, names in ((size, ("boxes",)), (tiling, ("boxes", "producers"))):
        for name in names:
            del entries[name]
    other = {**boxed, "median": 2.0, "product": size, "tiling": tiling}
    path.write_text(f"{json.dumps(boxed)}\n{json.dumps(other)}\n")
    made = vtac.compile(text, "cuda", "sm_90", measurements=path)
    assert (" of boxes, " in str(made.text)) == (faster == "tma")


def test_the_command_prints_a_script_of_boxes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "layer.mlir"
    source.write_text(matmul(64, 64, 256).text())
    given = ["schedule", str(source), "--target", "cuda", "--instructions", "tma"]
    assert main([*given, "--arch", "sm_90"]) == 0
    printed = capsys.readouterr().out
    assert printed.count('"tma.load"') == 2
    assert 'async "tma"' in printed
    program = vtac.compile(source, "cuda", "sm_90", schedule=printed)
    assert isinstance(program, CudaProgram)
    assert len(program.launch.tensor_maps) == 2
    assert main([*given, "--arch", "sm_80"]) == 1
    assert "sm_80 has no bulk copies of tensors; sm_90 and later have" in capsys.readouterr().err


def test_batches_are_boxes_too() -> None:
    text = asking(product((64, 64, 256), batch=3).text, "tma")
    assert [one.rank for one in compiled(text, "sm_90").launch.tensor_maps] == [3, 3]


def test_dynamic_sizes_have_boxes() -> None:
    """The outermost extent of a map is that of the launch's array: here of as many rows as the program was made for."""
    text = asking(matmul(64, 64, 256).text(), "tma").replace("64x256xf16", "?x256xf16").replace("64x64xf32", "?x64xf32")
    made = vtac.compile(text, "cuda", "sm_90")
    assert isinstance(made, CudaDynamic)
    maps = made.at(100).plan.kernels[0].tensor_maps
    assert maps[0].extents == (256, 100)
