"""Convolutions of any images by im2col maps: exact against numpy as text on the CPU and in numpy; what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lowering import lower
from nhwc_programs import Convolution

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import ScheduleError
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.cuda.schedules.wgmma_products import group_tiling

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
LANES = ProductTiling((16, 8, 16), 1, 2, 2, 2, 2, 3)
"""Tiles of 32 pixels x 32 features, steps of 32 channels of a tap, three stages."""
GROUPS = group_tiling(1, 32, 2, 64, 3)
"""64 pixels of a warpgroup, in the same steps and stages."""
WAYS = {
    "mma.sync": ("sm_90", LANES, False),
    "mma.sync, roles": ("sm_90", LANES, True),
    "wgmma, roles": ("sm_90a", GROUPS, True),
}
Way = tuple[str, ProductTiling, bool]

OF = Convolution.of
CASES = {
    "3 x 3": OF(3, (7, 7), (3, 3), padding=1),
    "3 x 3 of stride 2, odd images": OF(3, (15, 13), (3, 3), padding=1, stride=2),
    "7 x 7 of stride 2": OF(1, (9, 11), (7, 7), padding=3, stride=2),
    "dilation 2": OF(2, (9, 8), (3, 3), padding=2, dilation=2),
    "no padding": OF(2, (9, 5), (3, 2)),
    "1 x 1": OF(5, (5, 5), (1, 1), channels=64),
    "1 x 1 of stride 2": OF(3, (7, 9), (1, 1), stride=2, channels=96),
    "rows of 16 pixels": OF(3, (7, 16), (3, 3), padding=1),
    "other padding on each side": Convolution(2, (5, 9), 32, 32, (1, 3), (1, 2), (1, 2), (0, 2), (0, 1)),
    "strides and dilations that differ": Convolution(3, (17, 14), 32, 32, (2, 5), (2, 1), (1, 2), (1, 3), (0, 2)),
    "one dimension": OF(3, (37,), (5,), padding=2, stride=3),
    "three dimensions": OF(2, (5, 6, 7), (3, 3, 3), padding=1),
    "three dimensions of stride 2": OF(2, (5, 6, 7), (2, 2, 2), stride=2, padding=1),
}


def compiled(case: Convolution, way: Way) -> CudaProgram:
    architecture, tiling, specialize = way
    script = tma_schedule(case.text(), gpu_architecture(architecture), tiling, specialize=specialize)
    made = vtac.compile(case.text(), "cuda", architecture, schedule=script)
    assert isinstance(made, CudaProgram)
    return made


@needs_cpu
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_convolutions_are_exact(case: Convolution, way: Way) -> None:
    program, arrays = compiled(case, way), case.arrays()
    images = program.launch.tensor_maps[0]
    assert images.corners is not None
    assert images.box == (32, way[1].block[0])
    np.testing.assert_array_equal(program(*arrays), case.wanted(arrays))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_kernel_level_is_exact_too(case: Convolution) -> None:
    architecture, tiling, _ = WAYS["mma.sync"]
    script = tma_schedule(case.text(), gpu_architecture(architecture), tiling)
    arrays = case.arrays()
    module = lower(case.text(), gpu_architecture(architecture), script)
    np.testing.assert_array_equal(evaluate(module, *arrays), case.wanted(arrays))


@needs_cpu
@settings(max_examples=12)
@given(data=st.data())
def test_any_window_on_any_image(data: st.DataObject) -> None:
    """Windows of up to 4 x 4 with strides to 3 and dilations to 2, padding to 3 on each side; tiled boxes or pixels."""
    pairs = [data.draw(st.tuples(st.integers(1, top), st.integers(1, top))) for top in (4, 3, 2)]
    low, high = (data.draw(st.tuples(st.integers(0, 3), st.integers(0, 3))) for _ in range(2))
    window, strides, dilations = pairs
    sizes = data.draw(st.tuples(st.integers(7, 17), st.integers(7, 17)))
    case = Convolution(data.draw(st.integers(1, 4)), sizes, 64, 32, window, strides, dilations, low, high)
    program, arrays = compiled(case, WAYS["mma.sync, roles"]), case.arrays()
    np.testing.assert_array_equal(program(*arrays), case.wanted(arrays))


def test_the_bounding_box_has_as_many_pixels_as_the_result() -> None:
    case = Convolution(3, (17, 14), 32, 32, (2, 5), (2, 1), (1, 2), (1, 3), (0, 2))
    images = compiled(case, WAYS["mma.sync"]).launch.tensor_maps[0]
    assert images.corners is not None
    assert (images.steps, images.corners.lower, images.corners.upper) == ((1, 1, 2, 1), (-3, -1), (-6, -1))


def test_a_schedule_is_found_for_odd_images() -> None:
    """Of ResNet's convolutions of 7 x 7 pixels, where no tile is whole rows."""
    case = OF(64, (7, 7), (3, 3), padding=1, channels=512, features=512)
    for architecture in ("sm_90", "sm_90a"):
        made = vtac.compile(
            case.text(), "cuda", architecture, schedule=tma_schedule(case.text(), gpu_architecture(architecture))
        )
        assert isinstance(made, CudaProgram)
        assert made.launch.tensor_maps[0].corners is not None


REFUSED = {
    "a stride of 9": (OF(2, (37, 40), (3, 3), stride=9, padding=1), "steps [1, 9, 9, 1]; each is from 1 to 8"),
    "channels of two taps in a step": (
        OF(2, (7, 7), (3, 3), channels=48, padding=1),
        "'x' is not addressed by one part of a loop along each dimension",
    ),
    "windows that reach too far in three dimensions": (
        Convolution(2, (3, 3, 45), 32, 32, (1, 1, 2), (1, 1, 1), (1, 1, 33), (0, 0, 0), (0, 0, 0)),
        "'x' has no such pixels: windows reach over 33 pixels; of 5 dimensions 31 are possible",
    ),
}


@pytest.mark.parametrize(("case", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused(case: Convolution, message: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        tma_schedule(case.text(), gpu_architecture("sm_90"), LANES)
    assert message in caught.value.message
