"""Tensor maps on their way to a GPU: encoded by the driver, passed after all arrays, in graphs and for bound arrays."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache

import numpy as np
import pytest
from mma_programs import CASES, product, wanted_of
from nhwc_programs import Convolution
from stub_gpu import StubGpu

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.dialects.im2col import Corners
from vtac.dialects.tensor_maps import TensorMap
from vtac.errors import LaunchError
from vtac.targets.cuda.gpu.device import open_device
from vtac.targets.cuda.gpu.encoded_maps import encode
from vtac.targets.cuda.gpu.launcher import Timing
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule

CASE = product((64, 64, 256))


@cache
def program() -> CudaProgram:
    script = tma_schedule(CASE.text, gpu_architecture("sm_90"), ProductTiling((16, 8, 16), 1, 2, 2, 2, 4, 3))
    made = vtac.compile(CASE.text, "cuda", "sm_90", schedule=script)
    assert isinstance(made, CudaProgram)
    return made


def test_maps_are_encoded_for_each_launch(gpu: StubGpu) -> None:
    """The stub's maps begin with the address of their array, which it compares."""
    gpu.execute(program())
    arrays = CASE.arrays()
    run = program().run_on_gpu(arrays)
    np.testing.assert_array_equal(run.outputs[0], wanted_of(CASE, arrays))
    maps = [call for call in gpu.calls if call.startswith("map")]
    assert maps == [
        "map of type 6, rank 2, box 64 x 32, swizzle 3",
        "map of type 6, rank 2, box 32 x 64, swizzle 2",
    ]
    assert not gpu.held


@pytest.mark.parametrize(
    ("version", "rows", "bits"),
    [(13010, 1023, 0xDF), (13010, 1024, 0xFF), (13020, 1023, 0xFF)],
    ids=["a small array", "a large one", "a driver that sets the bit itself"],
)
def test_the_bit_of_large_arrays(gpu: StubGpu, version: int, rows: int, bits: int) -> None:
    """The stub's maps have all bits set; drivers before CUDA 13.2 set the one of arrays from 128 KiB on always."""
    gpu.set_version(version)
    device = open_device(0)
    with device.current(), ExitStack() as held:
        address = device.allocate(rows * 128, "the test", held)
        for corners in (None, Corners((-1,), (-1,))):
            sizes = ((64, rows), (128,)) if corners is None else ((64, rows, 1), (128, 128 * rows))
            box = (64, 8)
            steps = (1,) * len(sizes[0])
            one = TensorMap("a", "float16", *sizes, box, steps, corners=corners)
            encoded = encode(device.driver, one, address, "the test")
            assert (encoded[9], encoded[10], encoded[11]) == (0xFF, bits, 0xFF)


def test_graphs_keep_their_maps(gpu: StubGpu) -> None:
    program().run_on_gpu(CASE.arrays(), timing=Timing(2, warm_up=1, burst=3))
    assert "graph of 3" in gpu.calls
    assert not gpu.held


def test_a_map_that_the_driver_refuses_is_told_with_its_array(gpu: StubGpu) -> None:
    gpu.fail("cuTensorMapEncodeTiled", 1)
    with pytest.raises(LaunchError) as caught:
        program().run_on_gpu(CASE.arrays())
    assert "tensor map of `a`: cuTensorMapEncodeTiled answers CUDA_ERROR_INVALID_VALUE" in caught.value.message
    assert not gpu.held


def test_boxes_in_steps_are_encoded_as_the_driver_counts(gpu: StubGpu) -> None:
    """Of an array that is walked in steps the driver takes all elements from a box's first to its last."""
    case = strided(next(one for one in CASES.values() if one.image).text)
    tiling = ProductTiling((16, 8, 16), 1, 2, 1, 2, 2, 2)
    script = tma_schedule(case, gpu_architecture("sm_90"), tiling, specialize=True)
    made = vtac.compile(case, "cuda", "sm_90", schedule=script)
    assert isinstance(made, CudaProgram)
    one = made.launch.tensor_maps[0]
    assert (one.box, one.steps, one.walked) == ((32, 4, 4, 1), (1, 2, 2, 1), (32, 8, 8, 1))
    random = np.random.default_rng(0)
    arrays = [random.integers(-4, 5, p.shape).astype(p.numpy_dtype) for p in made.arguments]
    gpu.execute(made)
    np.testing.assert_array_equal(made(*arrays, device="gpu"), made(*arrays))
    assert "map of type 6, rank 4, box 32 x 8, swizzle 2" in gpu.calls


def test_maps_of_pixels_are_encoded_with_their_corners(gpu: StubGpu) -> None:
    case = Convolution(3, (9, 7), 32, 32, (3, 3), (1, 2), (1, 1), (1, 2), (1, 1))
    tiling = ProductTiling((16, 8, 16), 1, 2, 2, 2, 2, 3)
    script = tma_schedule(case.text(), gpu_architecture("sm_90"), tiling)
    made = vtac.compile(case.text(), "cuda", "sm_90", schedule=script)
    assert isinstance(made, CudaProgram)
    gpu.execute(made)
    arrays = case.arrays()
    np.testing.assert_array_equal(made(*arrays, device="gpu"), case.wanted(arrays))
    assert "map of type 6, rank 4, pixels 32 x 32 from -2 to -2, swizzle 2" in gpu.calls
    gpu.fail("cuTensorMapEncodeIm2col", 1)
    with pytest.raises(
        LaunchError, match="tensor map of `x`: cuTensorMapEncodeIm2col answers CUDA_ERROR_INVALID_VALUE"
    ):
        made.run_on_gpu(arrays)


def strided(text: str) -> str:
    """A convolution that takes every other pixel."""
    changed = text.replace("strides = dense<1>", "strides = dense<2>")
    for kind in (
        "%empty = tensor.empty() : tensor<2x8x8x32xf32>",
        "-> tensor<2x8x8x32xf32>",
        "outs(%empty : tensor<2x8x8x32xf32>",
    ):
        changed = changed.replace(kind, kind.replace("2x8x8x32xf32", "2x4x4x32xf32"))
    return changed.replace("outs(%start : tensor<2x8x8x32xf32>", "outs(%start : tensor<2x4x4x32xf32>").replace(
        "func.return %y : tensor<2x8x8x32xf32>", "func.return %y : tensor<2x4x4x32xf32>"
    )
