"""Programs of a dynamic outermost size on mma.sync and wgmma: several sizes of one program, against numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from cuda_networks import perceptron
from dynamic_programs import EXTENT, dynamic
from hypothesis import given, settings
from hypothesis import strategies as st
from mma_programs import product
from nhwc_programs import Convolution

import vtac
from vtac.dialects.wmma.declared import CUT_TF32, INSTRUCTIONS, Instructions
from vtac.errors import ConfigError, KernelFault, LaunchError
from vtac.evaluate import evaluate
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.dynamic import CudaDynamic
from vtac.workloads.attention import Attention

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
_CONVOLUTION = f"""
func.func @convolution(%x: tensor<{EXTENT}x6x6x16xf16>, %w: tensor<3x3x16x24xf16>) -> tensor<{EXTENT}x4x4x24xf32> {{
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<{EXTENT}x4x4x24xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<{EXTENT}x4x4x24xf32>) -> tensor<{EXTENT}x4x4x24xf32>
  %r = linalg.conv_2d_nhwc_hwcf {{dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}}
    ins(%x, %w : tensor<{EXTENT}x6x6x16xf16>, tensor<3x3x16x24xf16>)
    outs(%i : tensor<{EXTENT}x4x4x24xf32>) -> tensor<{EXTENT}x4x4x24xf32>
  func.return %r : tensor<{EXTENT}x4x4x24xf32>
}}
"""
PROGRAMS: Mapping[str, str] = {
    "a product": product((EXTENT, 72, 200)).text,
    "odd columns": product((EXTENT, 41, 72), transposed=True).text,
    "bias, residual, relu, cast": product((EXTENT, 64, 136), tail=True).text,
    "bytes": product((EXTENT, 48, 96), "i8", transposed=True).text,
    "bytes by rows, with an offset of 59": product((EXTENT, 7, 64), "i8").text,
    "floats": product((EXTENT, 48, 64), "f32", transposed=True).text,
    "products and a softmax": perceptron(EXTENT, 48, 24),
    "convolution": _CONVOLUTION,
    "pixels": Convolution.of(EXTENT, (7, 7), (3, 3), padding=1).text(),
    "batch": product((20, 24, 64), batch=EXTENT).text,
    "attention": Attention(EXTENT, 20, 40, 32, 32).text(),
}


@cache
def program(name: str, instructions: Instructions, architecture: str) -> CudaDynamic:
    module = vtac.parse(dynamic(PROGRAMS[name]))
    INSTRUCTIONS.set(module, instructions)
    if instructions == "wgmma":
        CUT_TF32.set(module, True)
    found = vtac.compile(module, "cuda", architecture)
    assert isinstance(found, CudaDynamic)
    return found


def inputs(found: CudaDynamic, size: int) -> list[Array]:
    random = np.random.default_rng(size)
    shapes = [(one.numpy_dtype, found.dynamic.shape(one.shape, size)) for one in found.dynamic.plan.of_role("argument")]
    return [random.integers(-2, 3, shape).astype(kind) for kind, shape in shapes]


def check(name: str, instructions: Instructions, architecture: str, size: int) -> None:
    found = program(name, instructions, architecture)
    arrays = inputs(found, size)
    result, expected = found(*arrays), evaluate(vtac.parse(PROGRAMS[name].replace(str(EXTENT), str(size))), *arrays)
    assert isinstance(result, np.ndarray)
    assert isinstance(expected, np.ndarray)
    assert result.shape == expected.shape
    apart = 4e-3 if name in ("attention", "products and a softmax") else 0
    np.testing.assert_allclose(result.astype(np.float64), expected.astype(np.float64), rtol=0, atol=apart)


@needs_compiler
@pytest.mark.parametrize("size", [1, 67])
@pytest.mark.parametrize("name", PROGRAMS)
def test_mma_sync_is_equal_to_numpy(name: str, size: int) -> None:
    assert "mma_m16n8k" in program(name, "mma.sync", "sm_80").text
    check(name, "mma.sync", "sm_80", size)


@needs_compiler
@pytest.mark.parametrize("size", [1, 67])
@pytest.mark.parametrize(
    "name", ["a product", "odd columns", "bias, residual, relu, cast", "bytes", "convolution", "batch"]
)
def test_wgmma_is_equal_to_numpy(name: str, size: int) -> None:
    assert "wgmma_m64n" in program(name, "wgmma", "sm_90a").text
    check(name, "wgmma", "sm_90a", size)


@needs_compiler
@settings(max_examples=6)
@given(size=st.integers(1, 300), groups=st.booleans())
def test_one_program_is_right_for_every_size(size: int, groups: bool) -> None:
    kind: tuple[Instructions, str] = ("wgmma", "sm_90a") if groups else ("mma.sync", "sm_80")
    check("bias, residual, relu, cast", *kind, size)


FAULTS = {
    "a row behind the last of a": ("* a_pitch < a_end)", "* a_pitch < a_end + 136)"),
    "no end of a": ("* a_pitch < a_end)", "* a_pitch < 1 << 30)"),
    "a pair behind the last row of the residual": ("rest_from_1 + column * 8 < rest_end", "true"),
    "a pair behind the last row of the result": ("rest_from_1 + column * 8 < c_end", "true"),
    "pairs eight rows below": ("rest_from_1 + column * 8 + 512 < c_end", "true"),
    "a row too few": ("const int c_end = rows * 64", "const int c_end = (rows - 1) * 64"),
    "a size for another": ("const int rest_end = rows * 64", "const int rest_end = rows * 72"),
}


@needs_compiler
@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_found(fault: str) -> None:
    found, (old, new) = program("bias, residual, relu, cast", "mma.sync", "sm_80"), FAULTS[fault]
    at, arrays = found.at(3), inputs(found, 3)
    assert old in at.text
    faulty = replace(at, text=at.text.replace(old, new, 1))
    try:
        run = faulty.run_on_cpu(arrays)
    except KernelFault as error:
        assert error.kind == "out-of-bounds"
        return
    except LaunchError as error:
        assert "leaves elements of `c` unwritten" in error.message
        return
    right = at(*arrays)
    assert isinstance(right, np.ndarray)
    assert not np.array_equal(run.outputs[0], right)


def test_a_number_that_is_a_multiple_by_chance_is_told_from_one_that_depends_on_the_size() -> None:
    """Seven columns, and results eight rows below: 59 is an offset, and the prime of the first stand-in."""
    found = program("bytes by rows, with an offset of 59", "mma.sync", "sm_80")
    assert found.dynamic.stand_in == 61 * 256


BOXED = ("a product", "odd columns", "bias, residual, relu, cast", "bytes", "floats", "convolution", "batch", "pixels")


@needs_compiler
@pytest.mark.parametrize("architecture", ["sm_90", "sm_90a"])
@pytest.mark.parametrize("name", BOXED)
def test_boxes_are_equal_to_numpy(name: str, architecture: str) -> None:
    """Maps have the extents of the arrays of each launch, also of fewer rows than a box has."""
    (kernel,) = program(name, "tma", architecture).plan.kernels
    assert kernel.tensor_maps[0].extents[-1] == 1
    for size in (1, 5, 67):
        check(name, "tma", architecture, size)


def test_maps_follow_the_size() -> None:
    found = program("pixels", "tma", "sm_90")
    assert found.dynamic.plan.kernels[0].tensor_maps[0].corners is not None
    for size in (1, 37):
        images, kernel = found.at(size).plan.kernels[0].tensor_maps
        assert (images.extents, kernel.extents) == ((32, 7, 7, size), (32, 32, 3, 3))


@pytest.mark.parametrize("size", [1, 67])
def test_a_map_of_another_size_is_refused(size: int) -> None:
    """A launch record whose map goes beyond the array of its launch is none."""
    found = program("a product", "tma", "sm_90")
    (record,) = found.at(size).plan.kernels
    with pytest.raises(ConfigError, match=r"tensor map of 'a' reaches \d+ bytes far; the array has \d+"):
        replace(record, tensor_maps=found.at(size + 1).plan.kernels[0].tensor_maps)


@needs_compiler
def test_a_map_of_fewer_rows_gives_other_numbers() -> None:
    found, arrays = program("a product", "tma", "sm_90"), inputs(program("a product", "tma", "sm_90"), 67)
    at = found.at(67)
    (record,) = at.plan.kernels
    short = replace(record, tensor_maps=found.at(66).plan.kernels[0].tensor_maps)
    result, right = replace(at, plan=replace(at.plan, kernels=(short,)))(*arrays), at(*arrays)
    assert isinstance(result, np.ndarray)
    assert isinstance(right, np.ndarray)
    assert np.array_equal(result[:66], right[:66])
    assert not result[66].any()


def test_a_saved_program_keeps_its_maps(tmp_path: Path) -> None:
    program("pixels", "tma", "sm_90").save(tmp_path)
    loaded = vtac.load_program(tmp_path, "cuda")
    assert isinstance(loaded, CudaDynamic)
    assert loaded.at(9).plan.kernels == program("pixels", "tma", "sm_90").at(9).plan.kernels


def test_boxes_compete_for_a_dynamic_size() -> None:
    assert program("a product", "estimated", "sm_90a").plan.kernels[0].tensor_maps
