"""Products of parts of their operands, and of padded ones: steps fill k up only where zeros follow it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

import vtac
from vtac.errors import ScheduleError
from vtac.evaluate import evaluate
from vtac.schedule import Schedule
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.schedules import default_schedule
from vtac.targets.cuda.schedules.mma_products import mma_schedule

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
M, N = 24, 40
SLICES = """  %left = tensor.extract_slice %a[0, 8] [{m}, {k}] [1, 1] : tensor<{m}x{j}xf16> to tensor<{m}x{k}xf16>
  %right = tensor.extract_slice %b[8, 0] [{k}, {n}] [1, 1] : tensor<{j}x{n}xf16> to tensor<{k}x{n}xf16>"""
PADS = """  %none = arith.constant 0.0 : f16
  %left = tensor.pad %a low[0, 0] high[0, 5] {{
  ^bb0(%1: index, %2: index):
    tensor.yield %none : f16
  }} : tensor<{m}x{j}xf16> to tensor<{m}x{k}xf16>
  %right = tensor.pad %b low[0, 0] high[5, 0] {{
  ^bb0(%3: index, %4: index):
    tensor.yield %none : f16
  }} : tensor<{j}x{n}xf16> to tensor<{k}x{n}xf16>"""


def text_of(parts: str, k: int, given: int) -> str:
    """A product of k from operands that have `given` along it."""
    made = parts.format(m=M, n=N, k=k, j=given)
    return f"""func.func @f(%a: tensor<{M}x{given}xf16>, %b: tensor<{given}x{N}xf16>) -> tensor<{M}x{N}xf32> {{
{made}
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<{M}x{N}xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<{M}x{N}xf32>) -> tensor<{M}x{N}xf32>
  %p = linalg.matmul ins(%left, %right : tensor<{M}x{k}xf16>, tensor<{k}x{N}xf16>)
    outs(%start : tensor<{M}x{N}xf32>) -> tensor<{M}x{N}xf32>
  func.return %p : tensor<{M}x{N}xf32>
}}
"""


def is_exact(text: str, schedule: Schedule) -> bool:
    program = vtac.compile(text, "cuda", "sm_90", schedule=schedule)
    random = np.random.default_rng(0)
    inputs = [random.integers(-3, 4, p.shape).astype(np.float16) for p in program.arguments]
    return np.array_equal(program(*inputs), evaluate(vtac.parse(text), *inputs))


@needs_compiler
@pytest.mark.parametrize("make", [default_schedule, mma_schedule], ids=["wmma", "mma"])
@pytest.mark.parametrize("k", [80, 112, 1040])
def test_depths_that_short_steps_divide(k: int, make: Callable[[ModuleOp], Schedule]) -> None:
    for text in (text_of(SLICES, k, k + 24), text_of(PADS, k, k - 5)):
        assert is_exact(text, make(vtac.parse(text)))


@needs_compiler
def test_a_padded_depth_of_any_size_is_filled_up() -> None:
    text = text_of(PADS, 75, 70)
    assert is_exact(text, default_schedule(vtac.parse(text)))


def test_a_part_of_any_size_cannot_be_filled_up() -> None:
    text = text_of(SLICES, 75, 99)
    with pytest.raises(ScheduleError, match=r"adds up 75 products, which are filled up to 80, and no reduction"):
        mma_schedule(text)
