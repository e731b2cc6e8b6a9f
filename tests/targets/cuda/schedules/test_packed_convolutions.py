"""Convolutions of packed images on wgmma and in boxes: exact, as text on the CPU and in numpy; what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from dynamic_programs import EXTENT, dynamic
from hypothesis import given, settings
from hypothesis import strategies as st
from lowering import lower
from mma_kernels import banks_of
from nhwc_programs import Convolution
from packed_convolutions import PackedConvolution

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.dialects.wmma.declared import INSTRUCTIONS, Instructions
from vtac.errors import ScheduleError
from vtac.evaluate import evaluate
from vtac.schedule import Schedule
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.dynamic import CudaDynamic
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.mma_products import mma_schedule
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.cuda.schedules.wgmma_products import group_tiling, wgmma_schedule
from vtac.workloads.wmma_conv2d import WmmaConv2D

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
OF = Convolution.of


def wide(images: int = 64, channels: int = 64, features: int = 64, element: str = "f16") -> Convolution:
    """Images of 5 x 4 pixels under windows of 3 x 3, padded."""
    made = OF(images, (5, 4), (3, 3), padding=1, channels=channels, features=features)
    return replace(made, element=element)


CASES: Mapping[str, PackedConvolution] = {
    "3 x 3": PackedConvolution(wide(), relu=True),
    "stride 2": PackedConvolution(OF(64, (7, 6), (3, 3), padding=1, stride=2, channels=64, features=64)),
    "dilation 2": PackedConvolution(OF(64, (5, 6), (3, 2), padding=2, dilation=2, channels=64, features=64)),
    "1 x 1": PackedConvolution(OF(64, (3, 5), (1, 1), channels=192, features=64)),
    "1 x 1 of stride 2": PackedConvolution(OF(64, (5, 4), (1, 1), stride=2, channels=192, features=64)),
    "other padding on each side": PackedConvolution(
        Convolution(64, (5, 4), 64, 64, (2, 3), (1, 2), (1, 1), (0, 2), (1, 1))
    ),
    "one dimension": PackedConvolution(OF(64, (9,), (3,), padding=1, channels=64, features=64)),
    "three dimensions": PackedConvolution(OF(64, (3, 2, 3), (2, 2, 2), padding=1, channels=64, features=64)),
    "features by channels": PackedConvolution(wide(), along_depth=True),
    "bf16 in tiles of 8 x 64 and 64 x 32": PackedConvolution(wide(element="bf16"), (8, 64, 32)),
    "bytes": PackedConvolution(wide(element="i8"), (16, 32, 16), along_depth=True),
}
ODD: Mapping[str, PackedConvolution] = {
    "one tile of images": PackedConvolution(wide(16)),
    "three tiles of images": PackedConvolution(wide(48, 48, 80)),
    "two taps in a step": PackedConvolution(wide(64, 32, 48)),
    "bytes, channels by features": PackedConvolution(wide(element="i8"), (16, 32, 16)),
}
CHUNKS: Mapping[str, PackedConvolution] = {
    "8 channels, 8 features": PackedConvolution(wide(), (16, 8, 8)),
    "8 channels, features by channels": PackedConvolution(wide(), (8, 8, 16), along_depth=True),
    "bytes of 16 channels": PackedConvolution(wide(element="i8"), along_depth=True),
}
"""Tiles whose rows in memory are 16 bytes."""


def tilings(case: PackedConvolution) -> tuple[ProductTiling, ProductTiling]:
    """64 x 32 in steps of 64 channels and three stages: of warps, of a warpgroup."""
    width = 1 if case.plain.element == "i8" else 2
    lanes = ProductTiling((16, 8, 32 // width), 2, 2, 2, 2, 2 * width, 3)
    return lanes, group_tiling(1, 32, width, 64 * width, 3)


def run(case: PackedConvolution, architecture: str, script: Schedule) -> CudaProgram:
    """A program that gives what numpy does."""
    made = vtac.compile(case.text(), "cuda", architecture, schedule=script)
    assert isinstance(made, CudaProgram)
    np.testing.assert_array_equal(made(*case.arrays()), case.wanted())
    return made


@needs_cpu
@pytest.mark.parametrize("case", [*CASES.values(), *ODD.values()], ids=[*CASES, *ODD])
def test_wgmma_is_exact(case: PackedConvolution) -> None:
    run(case, "sm_90a", wgmma_schedule(case.text()))


@needs_cpu
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_boxes_are_exact(case: PackedConvolution) -> None:
    """A box has the images of a pixel, a tile of channels wide; of the kernel a tile of a step's channels."""
    for architecture, tiling in zip(("sm_90", "sm_90a"), tilings(case), strict=True):
        script = tma_schedule(case.text(), gpu_architecture(architecture), tiling, specialize=architecture == "sm_90a")
        made = run(case, architecture, script)
        images, kernel = made.launch.tensor_maps
        n, c, _ = case.tile
        assert images.box[:2] == (c, n)
        assert images.extents[0] == c
        assert images.swizzle == c * images.element_bytes
        assert images.rank == kernel.rank == 5


@needs_cpu
@pytest.mark.parametrize(("name", "roles", "cluster"), [*zip(CHUNKS, (True, False, None), (1, 2, 1), strict=True)])
def test_boxes_of_one_chunk_a_row_are_panels(name: str, roles: bool | None, cluster: int) -> None:
    """Eight rows at one column lie side by side: neither instruction needs a swizzle, nor waits for a bank."""
    case = CHUNKS[name]
    for architecture, tiling in zip(("sm_90", "sm_90a"), tilings(case), strict=True):
        record = gpu_architecture(architecture)
        script = tma_schedule(case.text(), record, tiling, specialize=roles, cluster=cluster)
        made = run(case, architecture, script)
        images = made.launch.tensor_maps[0]
        assert (images.row_bytes, images.swizzle) == (16, 0)
        lowered = lower(case.text(), record, script)
        assert {one.turns for one in banks_of(lowered)} <= {1}
        np.testing.assert_array_equal(evaluate(lowered, *case.arrays()), case.wanted())


@needs_cpu
@pytest.mark.parametrize("name", ["one tile of images", "three tiles of images", "two taps in a step"])
def test_boxes_of_any_sizes(name: str) -> None:
    for architecture in ("sm_90", "sm_90a"):
        made = run(ODD[name], architecture, tma_schedule(ODD[name].text(), gpu_architecture(architecture)))
        assert len(made.launch.tensor_maps) == 2


@pytest.mark.parametrize("name", ["3 x 3", "features by channels", "bytes", "bf16 in tiles of 8 x 64 and 64 x 32"])
def test_no_access_of_shared_memory_waits_for_a_bank(name: str) -> None:
    text = CASES[name].text()
    scripts = {"sm_90": (tma_schedule, mma_schedule), "sm_90a": (tma_schedule, wgmma_schedule)}
    for architecture, schedules in scripts.items():
        record = gpu_architecture(architecture)
        for schedule in schedules:
            assert {one.turns for one in banks_of(lower(text, record, schedule(text, record)))} <= {1}


@pytest.mark.parametrize("name", ["3 x 3", "stride 2", "bytes"])
def test_the_kernel_level_is_exact_too(name: str) -> None:
    case, record = CASES[name], gpu_architecture("sm_90a")
    tiling = tilings(case)[1]
    for script in (tma_schedule(case.text(), record, tiling), wgmma_schedule(case.text(), record, tiling)):
        module = lower(case.text(), record, script)
        np.testing.assert_array_equal(evaluate(module, *case.arrays()), case.wanted())


@needs_cpu
@settings(max_examples=4)
@given(data=st.data())
def test_any_window_on_any_packed_image(data: st.DataObject) -> None:
    pairs = [data.draw(st.tuples(st.integers(1, top), st.integers(1, top))) for top in (3, 2, 2)]
    low, high = (data.draw(st.tuples(st.integers(0, 2), st.integers(0, 2))) for _ in range(2))
    sizes = data.draw(st.tuples(st.integers(5, 7), st.integers(5, 7)))
    images, channels = 16 * data.draw(st.integers(1, 5)), 32 * data.draw(st.integers(2, 3))
    window, strides, dilations = pairs
    plain = Convolution(images, sizes, channels, 32, window, strides, dilations, low, high)
    case = PackedConvolution(plain, along_depth=data.draw(st.booleans()))
    run(case, "sm_90a", wgmma_schedule(case.text()))
    run(case, "sm_90", tma_schedule(case.text(), gpu_architecture("sm_90")))


@needs_cpu
@pytest.mark.parametrize(("sizes", "low"), [((3, 1), (0, 1)), ((4, 1), (2, 1))])
def test_images_that_are_never_read(sizes: tuple[int, int], low: tuple[int, int]) -> None:
    """The only column of windows lies in the padding: no copy of images is ever begun, and the result is zero."""
    plain = Convolution(8, sizes, 64, 32, (3, 1), (2, 2), (1, 1), low, (0, 0))
    case = PackedConvolution(replace(plain, element="i8"), (8, 64, 32), along_depth=True)
    assert not case.wanted().any()
    run(case, "sm_80", mma_schedule(case.text(), gpu_architecture("sm_80")))


def test_the_layer_of_the_tutorial_has_schedules() -> None:
    """256 images of 14 x 14, 256 to 512 channels: blocks are of one pixel, as these skip its padding."""
    text = WmmaConv2D().text()
    boxed = tma_schedule(text)
    assert "wgmma of boxes, 128 x 256 in steps of 64, 4 stages" in str(boxed.name)
    made = vtac.compile(text, "cuda", "sm_90a", schedule=boxed)
    assert isinstance(made, CudaProgram)
    assert [one.box for one in made.launch.tensor_maps] == [(16, 16, 1, 1, 8), (16, 16, 4, 1, 1)]
    assert str(wgmma_schedule(text).name) == "wgmma, 128 x 256 in steps of 64, 4 stages"


@needs_cpu
@pytest.mark.parametrize(("columns", "cluster"), [(64, (4, 1, 1)), (32, (1, 4, 1))])
def test_blocks_of_a_cluster_share_boxes(columns: int, cluster: tuple[int, int, int]) -> None:
    """Blocks of neighbouring pixels the kernel's, blocks of neighbouring features those of images."""
    case = PackedConvolution(wide(features=128))
    script = tma_schedule(case.text(), "sm_90a", group_tiling(1, columns, 2, 128, 3), cluster=4)
    assert run(case, "sm_90a", script).launch.cluster == cluster


@needs_cpu
@pytest.mark.parametrize("instructions", ["mma.sync", "wgmma", "tma"])
def test_any_number_of_tiles_of_images(instructions: Instructions) -> None:
    """A dynamic size stays outermost: rows are those of one tile of images after the other."""
    module = vtac.parse(dynamic(PackedConvolution(wide(16 * EXTENT)).text()))
    INSTRUCTIONS.set(module, instructions)
    made = vtac.compile(module, "cuda", "sm_90a")
    assert isinstance(made, CudaDynamic)
    for tiles in (1, 3):
        case = PackedConvolution(wide(16 * tiles))
        np.testing.assert_array_equal(made(*case.arrays()), case.wanted())


REFUSED = {
    "tiles of 8 bytes": (
        PackedConvolution(wide(), (16, 4, 16)),
        None,
        "tensor map of 'x': a stride of 8 bytes; a multiple of 16",
    ),
    "bytes that would have to turn": (
        ODD["bytes, channels by features"],
        group_tiling(1, 64, 1, 64, 3),
        "operands of other than 16 bits are multiplied along k, and boxes do not transpose",
    ),
    "images of two pixels in a block": (
        ODD["three tiles of images"],
        group_tiling(1, 16, 2, 32, 3),
        "'x' is not addressed by one part of a loop along each dimension",
    ),
    "a stride of 9": (
        PackedConvolution(OF(16, (19, 20), (3, 3), stride=9, padding=1, channels=64, features=32)),
        ProductTiling((16, 8, 16), 1, 2, 2, 2, 2, 3),
        "'x' is not addressed by one part of a loop along each dimension",
    ),
}


@pytest.mark.parametrize(("case", "tiling", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(case: PackedConvolution, tiling: ProductTiling | None, message: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        tma_schedule(case.text(), gpu_architecture("sm_90a"), tiling)
    assert message in caught.value.message
