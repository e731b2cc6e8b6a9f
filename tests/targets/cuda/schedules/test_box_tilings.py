"""Tilings whose tiles are boxes: which one a convolution gets, and what is said where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from mma_programs import product
from nhwc_programs import Convolution

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import ScheduleError
from vtac.evaluate import evaluate
from vtac.evaluate.bfloat16 import to_bfloat16
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.box_tilings import BoxProbe, first_boxed, no_boxes
from vtac.targets.cuda.schedules.product_blocks import ProductBlocks
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
DILATED = """
func.func @f(%x: tensor<2x49x8x32xbf16>, %w: tensor<5x2x32x32xbf16>) -> tensor<2x16x8x32xf32> {
  %none = arith.constant 0.0 : bf16
  %padded = tensor.pad %x low[0, 0, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%1: index, %2: index, %3: index, %4: index):
    tensor.yield %none : bf16
  } : tensor<2x49x8x32xbf16> to tensor<2x50x10x32xbf16>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2x16x8x32xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x16x8x32xf32>) -> tensor<2x16x8x32xf32>
  %y = linalg.conv_2d_nhwc_hwcf {dilations = dense<[1, 2]> : tensor<2xi64>, strides = dense<[3, 1]> : tensor<2xi64>}
    ins(%padded, %w : tensor<2x50x10x32xbf16>, tensor<5x2x32x32xbf16>) outs(%start : tensor<2x16x8x32xf32>)
    -> tensor<2x16x8x32xf32>
  func.return %y : tensor<2x16x8x32xf32>
}
"""


@needs_cpu
@pytest.mark.parametrize("architecture", ["sm_90", "sm_90a"])
def test_a_step_has_channels_of_two_taps(architecture: str) -> None:
    """Two taps side by side, of 32 channels each, are two boxes of a step, each a panel of its rows."""
    script = tma_schedule(DILATED, gpu_architecture(architecture))
    assert "boxes, 32 x 16 in steps of 64, 4 stages" in str(script.name)
    program = vtac.compile(DILATED, "cuda", architecture, schedule=script)
    assert isinstance(program, CudaProgram)
    assert program.launch.tensor_maps[0].box == (32, 8, 4, 1)
    random = np.random.default_rng(0)
    arrays = [to_bfloat16(random.integers(-3, 4, p.shape).astype(np.float32)) for p in program.arguments]
    np.testing.assert_array_equal(program(*arrays), evaluate(vtac.parse(DILATED), *arrays))


LANES = (16, 8, 16)
REFUSED = {
    "one stage": (
        product((64, 64, 256)).text,
        ProductTiling(LANES, 1, 2, 2, 2, 4, 1),
        "tma_schedule: blocks of 32 x 32 in steps of 64 do not fit a product of 64 x 64 x 256: one stage copies "
        "nothing ahead; choose 2 stages or more",
    ),
    "one step": (
        product((64, 64, 64)).text,
        ProductTiling(LANES, 1, 2, 2, 2, 4, 3),
        "tma_schedule: blocks of 32 x 32 in steps of 64, 3 stages do not fit a product of 64 x 64 x 64: k of 64 is one "
        "step, and nothing is copied ahead; choose steps of less than 64",
    ),
    "channels that no step divides": (
        Convolution.of(2, (7, 7), (3, 3), channels=40, padding=1).text(),
        None,
        "tma_schedule: no tiling of a product of 98 x 32 x 360 copies boxes: of blocks of 64 x 32 in steps of 16, 4 "
        "stages, 'x' is not addressed by one part of a loop along each dimension; a box is pixels of images and "
        "channels of one tap, in rows and at strides of multiples of 16 bytes; use mma.sync or wgmma with other copies",
    ),
    "rows of an odd length": (
        product((64, 64, 260)).text,
        None,
        "tma_schedule: no tiling of a product of 64 x 64 x 260 copies boxes: tensor map of 'a': a stride of 520 bytes; "
        "a multiple of 16 below 2**40 is required",
    ),
    "columns of an odd number": (
        product((64, 60, 256)).text,
        None,
        "tma_schedule: no tiling of a product of 64 x 60 x 256 copies boxes: tensor map of 'b': a stride of 120 bytes",
    ),
}


@pytest.mark.parametrize(("text", "tiling", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(text: str, tiling: ProductTiling | None, message: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        tma_schedule(text, gpu_architecture("sm_90"), tiling)
    assert message in caught.value.message


def test_no_tiling_at_all() -> None:
    probe = BoxProbe(product((64, 64, 64)).text, ProductBlocks((), (), "p", (), (), "f16"))
    assert first_boxed(probe, 64, []) == (None, None)
    refusal = no_boxes(probe, (64, 64, 64), None)
    assert refusal.message.startswith("no tiling for boxes fits a product of 64 x 64 x 64: it takes two steps of 32")
