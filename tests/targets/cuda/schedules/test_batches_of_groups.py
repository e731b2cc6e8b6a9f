"""Batches of products and of convolutions, and convolutions in groups: on wgmma, and with operands in boxes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest
from mma_programs import product

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.dialects.wmma.declared import INSTRUCTIONS, Instructions
from vtac.errors import CompileError, KernelFault
from vtac.evaluate import evaluate
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.cuda.schedules.wgmma_products import group_tiling

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))


def generic(x: str, w: str, y: str, maps: tuple[str, str, str], kinds: str) -> str:
    """A product of f16: shapes, where each is read and written, and `p` or `r` for each loop."""
    loops = ", ".join(f"d{at}" for at in range(len(kinds)))
    iterators = ", ".join('"reduction"' if one == "r" else '"parallel"' for one in kinds)
    accesses = ", ".join(f"affine_map<({loops}) -> ({one})>" for one in maps)
    return f"""func.func @f(%x: tensor<{x}xf16>, %w: tensor<{w}xf16>) -> tensor<{y}xf32> {{
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<{y}xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<{y}xf32>) -> tensor<{y}xf32>
  %r = linalg.generic {{indexing_maps = [{accesses}], iterator_types = [{iterators}]}}
    ins(%x, %w : tensor<{x}xf16>, tensor<{w}xf16>) outs(%i : tensor<{y}xf32>) {{
  ^bb0(%a: f16, %b: f16, %s: f32):
    %aw = arith.extf %a : f16 to f32
    %bw = arith.extf %b : f16 to f32
    %m = arith.mulf %aw, %bw : f32
    %t = arith.addf %s, %m : f32
    linalg.yield %t : f32
  }} -> tensor<{y}xf32>
  func.return %r : tensor<{y}xf32>
}}
"""


PROGRAMS: Mapping[str, str] = {
    "a batch": product((70, 40, 136), batch=3).text,
    "a batch, b transposed": product((50, 41, 136), batch=3, transposed=True).text,
    "a batch of bytes": product((70, 48, 256), "i8", batch=2, transposed=True).text,
    "two dimensions of batches": generic(
        "2x3x64x128", "2x3x128x64", "2x3x64x64",
        ("d0, d1, d2, d4", "d0, d1, d4, d3", "d0, d1, d2, d3"), "ppppr",
    ),
    "heads inside": generic(
        "2x64x3x64", "2x64x3x64", "2x3x64x64",
        ("d0, d2, d1, d4", "d0, d3, d1, d4", "d0, d1, d2, d3"), "ppppr",
    ),
    "one b for all": generic("3x64x128", "128x64", "3x64x64", ("d0, d1, d3", "d3, d2", "d0, d1, d2"), "pppr"),
    "a convolution in groups": generic(
        "2x10x10x2x32", "3x3x2x32x32", "2x8x8x2x32",
        ("d0, d1 + d5, d2 + d6, d3, d7", "d5, d6, d3, d7, d4", "d0, d1, d2, d3, d4"), "ppppprrr",
    ),
    "a batch of convolutions": generic(
        "2x3x10x10x32", "2x3x3x32x32", "2x3x8x8x32",
        ("d0, d1, d2 + d5, d3 + d6, d7", "d0, d5, d6, d7, d4", "d0, d1, d2, d3, d4"), "ppppprrr",
    ),
}  # fmt: skip


def inputs(program: CudaProgram) -> list[Array]:
    random = np.random.default_rng(0)
    return [random.integers(-2, 3, one.shape).astype(one.numpy_dtype) for one in program.arguments]


def asked(text: str, instructions: Instructions, architecture: str) -> CudaProgram:
    module = vtac.parse(text)
    INSTRUCTIONS.set(module, instructions)
    found = vtac.compile(module, "cuda", architecture)
    assert isinstance(found, CudaProgram)
    return found


@cache
def boxed(name: str) -> CudaProgram:
    """A program on wgmma with its operands in boxes, which warps of their own ask for."""
    text = PROGRAMS[name]
    tiling = group_tiling(1, 32, 1 if "bytes" in name else 2, 64, 3)
    script = tma_schedule(text, gpu_architecture("sm_90a"), tiling)
    found = vtac.compile(text, "cuda", "sm_90a", schedule=script)
    assert isinstance(found, CudaProgram)
    return found


@needs_cpu
@pytest.mark.parametrize("name", PROGRAMS)
def test_wgmma_equals_numpy(name: str) -> None:
    program = asked(PROGRAMS[name], "wgmma", "sm_90a")
    assert "wgmma_m64n" in program.text
    np.testing.assert_array_equal(program(*inputs(program)), evaluate(vtac.parse(PROGRAMS[name]), *inputs(program)))


@needs_cpu
@pytest.mark.parametrize("name", PROGRAMS)
def test_boxes_equal_numpy(name: str) -> None:
    for program in (boxed(name), asked(PROGRAMS[name], "tma", "sm_90")):
        assert len(program.launch.tensor_maps) == 2
        found = program(*inputs(program))
        np.testing.assert_array_equal(found, evaluate(vtac.parse(PROGRAMS[name]), *inputs(program)))


PLANTED = {
    "the first matrix for all": ("block_z, full", "0, full"),
    "boxes of the next rows": ("block_x * 64, block_z", "block_x * 64 + 1, block_z"),
    "boxes of the next elements of k": ("i * 32, block_x * 64", "i * 32 + 8, block_x * 64"),
    "boxes of other columns": ("block_y * 32, i * 32", "block_y * 32 + 8, i * 32"),
    "a row beyond the last": ("< 70 &&", "< 71 &&"),
    "a row too few": ("< 70 &&", "< 69 &&"),
    "columns beyond the last": ("i * 8 < 40", "i * 8 < 48"),
}


@needs_cpu
@pytest.mark.parametrize("fault", PLANTED)
def test_planted_faults_are_found(fault: str) -> None:
    program, (old, new) = boxed("a batch"), PLANTED[fault]
    assert old in program.text, program.text
    arrays = inputs(program)
    try:
        run = run_on_cpu(program.text.replace(old, new), program.launch, arrays, orders=2)
    except KernelFault as found:
        assert found.kind in ("out-of-bounds", "race")
        return
    assert not np.array_equal(run.outputs[0], evaluate(vtac.parse(PROGRAMS["a batch"]), *arrays))


_FEW = generic(
    "2x10x10x2x4", "3x3x2x4x32", "2x8x8x2x32",
    ("d0, d1 + d5, d2 + d6, d3, d7", "d5, d6, d3, d7, d4", "d0, d1, d2, d3, d4"), "ppppprrr",
)  # fmt: skip
REFUSED = {
    "groups of channels of 8 bytes": (_FEW, "tma", "sm_90", "tensor map of 'x': a stride of 8 bytes"),
    "a batch of 8 columns": (
        product((64, 8, 64), batch=2).text,
        "wgmma",
        "sm_90a",
        "no tiling of wgmma is for a product",
    ),
    "a batch of floats by rows": (product((64, 64, 64), "f32", batch=2).text, "tma", "sm_90", "boxes do not transpose"),
}


@pytest.mark.parametrize(("text", "instructions", "architecture", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(text: str, instructions: Instructions, architecture: str, message: str) -> None:
    with pytest.raises(CompileError) as caught:
        asked(text, instructions, architecture)
    assert message in caught.value.message
