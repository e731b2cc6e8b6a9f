"""No kernel is compiled that reaches beyond its memory; those of default and fast schedules are all let through."""

from __future__ import annotations

import re

import pytest
from contraction_programs import Contraction, convolution, matmul

import vtac
from vtac.compiler import lower
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import CompileError
from vtac.targets.cuda.schedules import default_schedule
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_fast import fast_schedule


def says_nothing(*_: object) -> str:
    """In the place of a check."""
    return ""


@pytest.mark.parametrize(
    ("text", "halved"),
    [
        (matmul(64, 64, 32).text(), "wmma.load_matrix_sync"),
        (matmul(64, 64, 32).text(), "wmma.store_matrix_sync"),
        (matmul(64, 96, 64, "i8").text(), "wmma.load_matrix_sync"),
    ],
)
def test_tiles_that_nothing_else_compares(text: str, halved: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the rules on tiles, what a smaller one leads to is found in the kernel."""
    for check in (
        "fragment_plans._check_tiles",
        "fragment_shapes._product_problem",
        "fragment_shapes._transfer_problem",
    ):
        monkeypatch.setattr(f"vtac.analysis.tensor_cores.{check}", says_nothing)
    before, use, after = str(default_schedule(vtac.parse(text))).partition(f'"{halved}"')
    head, word, tail = before.rpartition("factor ")
    script = head + word + re.sub(r"^\d+", lambda size: str(int(size[0]) // 2), tail) + use + after + "\n"
    with pytest.raises(CompileError) as caught:
        vtac.compile(text, "cuda", schedule=script)
    message = str(caught.value)
    assert re.match(r"<string>:\d+:\d+: kernel 'layer': 'wmma\.\w+' (reads|writes|names) (elements|fragment) ", message)
    assert "which has" in message
    assert "choose tiles that the extents are multiples of" in message


@pytest.mark.parametrize(
    "layer",
    [
        matmul(1000, 1001, 1003, bias=True),
        convolution("nhwc_fhwc", (8, 128, 28, 28), 128, (3, 3), pad=1),
        convolution("nhwc_hwcf", (4, 64, 57, 55), 130, (3, 3), "i8", pad=1, bias=True),
        convolution("nchw_fchw", (4, 67, 113, 57), 131, (5, 3), stride=2, pad=2),
    ],
)
def test_large_layers_with_guards_and_padding(layer: Contraction) -> None:
    assert "gpu.kernel" in str(lower(layer.text(), "cuda", gpu_architecture("sm_90")))


def test_a_ring_of_copies_ahead() -> None:
    layer = WmmaConv2D()
    assert "wmma.async_copy" in str(lower(layer.text(), "cuda", schedule=fast_schedule(layer)))


def test_copies_too_small_to_run_ahead() -> None:
    text = matmul(64, 96, 64, "i8").text()
    script = str(default_schedule(vtac.parse(text)))
    head, word, tail = script.partition("schedule.vectorize")
    before, factor, rest = head.rpartition("factor ")
    edited = before + factor + re.sub(r"^\d+", "2", rest) + word + tail + "\n"
    program = vtac.compile(text, "cuda", schedule=edited)
    assert "__align__(2) signed char carried" in program.text
