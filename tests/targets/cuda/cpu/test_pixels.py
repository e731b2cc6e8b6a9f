"""Pixels of images by im2col maps: what they bring, as seen on GPUs and as PTX says; faults planted and found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vtac.dialects.im2col import Corners
from vtac.dialects.tensor_maps import TensorMap
from vtac.errors import KernelFault, KernelTextError
from vtac.evaluate.boxes import pixel_places, problem_of_start
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.inline_ptx import rewrite_asm
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.launch import LaunchRecord, Parameter

needs_cpu = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
TEXT = Path(__file__).parent.parent.joinpath("kernels", "pixels_of_images.cu").read_text(encoding="utf-8")
FIRST = "FIRST_C = 0, FIRST_W = 2, FIRST_H = 1, FIRST_N = 0"
WRONG = "wrong numbers"


def map_of(lower: tuple[int, ...], upper: tuple[int, ...], images: int = 2) -> TensorMap:
    """16 pixels of all 32 channels of images of 4 x 4."""
    strides = (128, 512, 2048)
    return TensorMap(
        "x", "float32", (32, 4, 4, images), strides, (32, 16), (1, 1, 1, 1), 128, "zero", Corners(lower, upper)
    )


def images(number: int = 2) -> Array:
    """Pixel p of all images holds p + 1 in every channel, and a fraction that tells channels apart."""
    pixels = np.arange(1, 16 * number + 1, dtype=np.float32)
    return (pixels[:, None] + np.arange(32, dtype=np.float32) / 64).reshape(number, 4, 4, 32)


def ran(text: str, one: TensorMap, orders: int = 3) -> Array:
    array = images(one.extents[-1])
    parameters = (Parameter("x", "input", "float32", array.shape), Parameter("y", "output", "float32", (2, 16, 32)))
    launch = LaunchRecord("copy", (1, 1, 1), (32, 1, 1), 0, parameters, (one,))
    return run_on_cpu(text, launch, [array], orders=orders, workers=1).outputs[0]


def started(w: int, h: int, n: int, right: int, down: int) -> str:
    """The text with another start, and the same offsets in both stages."""
    changed = TEXT.replace(FIRST, f"FIRST_C = 0, FIRST_W = {w}, FIRST_H = {h}, FIRST_N = {n}")
    return changed.replace("tap, 1 - tap,\n", f"{right}, {down},\n")


SEEN = {
    "an image": (map_of((0, 0), (0, 0), 1), (0, 0, 0), (0, 0), [*range(1, 17)]),
    "a padded image": (
        map_of((-1, -1), (-1, -1), 1),
        (-1, -1, 0),
        (0, 0),
        [0, 0, 0, 0, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11],
    ),
    "offsets of one": (map_of((-1, -1), (-1, -1), 1), (-1, -1, 0), (1, 1), [*range(1, 17)]),
    "two images": (map_of((0, 0), (0, 0)), (3, 1, 0), (0, 0), [*range(8, 24)]),
    "two padded images": (
        map_of((-1, -1), (-1, -1)),
        (2, 1, 0),
        (0, 0),
        [7, 0, 9, 10, 11, 0, 0, 0, 0, 0, 17, 18, 19, 0, 21, 22],
    ),
}
"""What Triton's tutorial on TMA's im2col mode prints of a run on a GPU: map, first pixel (w, h, n), offsets, pixels."""


@needs_cpu
@pytest.mark.parametrize(("one", "first", "offsets", "wanted"), SEEN.values(), ids=SEEN.keys())
def test_what_was_seen_on_a_gpu(
    one: TensorMap, first: tuple[int, int, int], offsets: tuple[int, int], wanted: list[int]
) -> None:
    found = ran(started(*first, *offsets), one)
    np.testing.assert_array_equal(np.floor(found), np.broadcast_to(np.array(wanted)[:, None], (2, 16, 32)))


@pytest.mark.parametrize(("one", "first", "offsets", "wanted"), SEEN.values(), ids=SEEN.keys())
def test_the_interpreter_has_the_same_pixels(
    one: TensorMap, first: tuple[int, int, int], offsets: tuple[int, int], wanted: list[int]
) -> None:
    c, w, h, n = pixel_places(one, (0, *first), offsets)
    inside = np.logical_and.reduce(
        [(at >= 0) & (at < extent) for at, extent in zip((w, h, n), one.extents[1:], strict=True)]
    )
    array = images(one.extents[-1])
    found = np.where(inside, array[n.clip(0, one.extents[-1] - 1), h.clip(0, 3), w.clip(0, 3), c], 0)
    np.testing.assert_array_equal(np.floor(found[:, 0]), wanted)


def test_both_walks_agree_with_the_example_of_the_manual() -> None:
    """PTX's example of a traversal stride: images of 14 x 8, boxes from -1 to 12 and to 6 in steps of 2."""
    one = TensorMap(
        "x",
        "float16",
        (64, 8, 14, 64),
        (128, 1024, 14336),
        (16, 32),
        (1, 2, 2, 1),
        32,
        "zero",
        Corners((-1, -1), (-1, -1)),
    )
    _, w, h, n = pixel_places(one, (0, 5, 7, 7), (1, 1))
    assert [*zip(w[:6, 0], h[:6, 0], n[:6, 0], strict=True)] == [
        (6, 8, 7),
        (0, 10, 7),
        (2, 10, 7),
        (4, 10, 7),
        (6, 10, 7),
        (0, 12, 7),
    ]
    assert (w[9, 0], h[9, 0], n[9, 0]) == (0, 0, 8)


MAP = map_of((-1, -1), (-1, -1))
LOAD = "x_map, FIRST_C, FIRST_W, FIRST_H, FIRST_N, tap, 1 - tap,"


def wanted() -> Array:
    """Both stages: one pixel down, then one to the right."""
    padded = np.pad(images(), ((0, 1), (1, 1), (1, 1), (0, 0)))
    walk = [(n, h, w) for n in range(3) for h in range(4) for w in range(4)]
    start = walk.index((0, 2, 3))
    rows = walk[start : start + 16]
    return np.stack([[padded[n, h + down, w + right] for n, h, w in rows] for right, down in ((0, 1), (1, 0))])


def found_in(text: str, one: TensorMap = MAP) -> str:
    """The message of the fault that a run ends with, `wrong numbers` where it ends, nothing where it is right."""
    try:
        return "" if np.array_equal(ran(text, one), wanted()) else WRONG
    except KernelFault as fault:
        return fault.message


@needs_cpu
def test_pixels_arrive_whatever_the_order_is() -> None:
    np.testing.assert_array_equal(ran(TEXT, MAP, orders=8), wanted())


FAULTS = {
    "width and height change places": (LOAD, LOAD.replace("FIRST_W, FIRST_H", "FIRST_H, FIRST_W"), WRONG),
    "channels come last": (LOAD, LOAD.replace("FIRST_C, FIRST_W", "FIRST_W, FIRST_C"), WRONG),
    "images come first": (LOAD, "x_map, FIRST_N, FIRST_C, FIRST_H, FIRST_W, tap, 1 - tap,", WRONG),
    "offsets change places": (LOAD, LOAD.replace("tap, 1 - tap", "1 - tap, tap"), WRONG),
    "an offset more": (LOAD, LOAD.replace("1 - tap", "2 - tap"), WRONG),
    "offsets are added to coordinates, too": (LOAD, LOAD.replace("FIRST_H", "FIRST_H + 1 - tap"), WRONG),
    "a negative offset": (LOAD, LOAD.replace("1 - tap", "tap - 1"), "an offset of 65535 along dimension 2 of `x`"),
    "another channel": ("FIRST_C = 0", "FIRST_C = 4", WRONG),
    "another image": ("FIRST_N = 0", "FIRST_N = 1", WRONG),
    "a start before the bounding box": (
        "FIRST_W = 2",
        "FIRST_W = -2",
        "pixels of `x` from -2 on along dimension 1",
    ),
    "a start behind the bounding box": ("FIRST_H = 1", "FIRST_H = 3", "the bounding box goes from -1 to 2"),
    "bytes of fewer pixels are expected": ("2048", "1920", "deadlock"),
    "bytes of more pixels are expected": ("2048", "2176", "deadlock"),
    "nobody waits": ("    mbarrier_wait(full_at + 8 * tap, 0);\n", "", "race"),
    "all taps go to one stage": ("(tile[tap]), x_map", "(tile[0]), x_map", "race"),
    "a stage starts within a swizzle": ("(tile[tap]), x_map", "(tile[tap]) + 128, x_map", "misaligned"),
    "what is read is not swizzled": ("(threadIdx.x / 4 ^ row % 8)", "(threadIdx.x / 4)", WRONG),
    "a tiled copy by a map of pixels": (
        'im2col.mbarrier::complete_tx::bytes "\n               "[%0], [%1, {%2, %3, %4, %5}], [%6], {%7, %8};"',
        'tile.mbarrier::complete_tx::bytes "\n               "[%0], [%1, {%2, %3, %4, %5}], [%6];"',
        "0 offsets of `x`, whose map has 2 dimensions of space",
    ),
    "pixels at three coordinates": (
        '4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes "\n               '
        '"[%0], [%1, {%2, %3, %4, %5}], [%6], {%7, %8};',
        '3d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes "\n               "[%0], [%1, {%2, %3, %4}], '
        "[%6], {%7};",
        "a box at 3 coordinates of `x`, which has 4 dimensions",
    ),
}


@needs_cpu
@pytest.mark.parametrize(("old", "new", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_planted_faults_are_found(old: str, new: str, message: str) -> None:
    assert TEXT.count(old) >= 1, old
    assert message in found_in(TEXT.replace(old, new, 1))


MAPS = {
    "another lower corner": replace(MAP, corners=Corners((0, -1), (-1, -1))),
    "another upper corner": replace(MAP, corners=Corners((-1, -1), (0, -1))),
    "corners by height and width": replace(MAP, corners=Corners((-1, -1), (-1, 0))),
    "no padding": replace(MAP, corners=Corners((0, 0), (0, 0))),
    "fewer pixels": replace(MAP, box=(32, 8)),
    "more pixels": replace(MAP, box=(32, 17)),
    "fewer channels": replace(MAP, box=(16, 16)),
    "every other pixel": replace(MAP, steps=(1, 2, 1, 1), corners=Corners((-2, -1), (-1, -1))),
    "no swizzle": replace(MAP, swizzle=0),
    "a pitch of other rows": replace(MAP, strides=(128, 256, 1024)),
    "fewer rows are inside": replace(MAP, extents=(32, 4, 3, 2)),
    "a fill of NaN": replace(MAP, fill="nan"),
    "a tiled map": TensorMap("x", "float32", MAP.extents, MAP.strides, (32, 4, 4, 1), MAP.steps, 128),
}


@needs_cpu
@pytest.mark.parametrize("one", MAPS.values(), ids=MAPS.keys())
def test_wrong_maps_are_found(one: TensorMap) -> None:
    assert found_in(TEXT, one) != ""


@needs_cpu
def test_a_start_between_steps_is_found() -> None:
    """Where the walk would go on in the next row is documented nowhere."""
    one = replace(MAP, steps=(1, 2, 1, 1))
    assert "the bounding box begins at -1, and is walked in steps of 2" in found_in(TEXT, one)


def test_the_interpreter_refuses_such_starts() -> None:
    assert problem_of_start(MAP, (0, 3, 0, 0), (0, 0)) == "pixels of 'x' from 3 along dimension 1; from -1 to 2 by 1"
    assert "an offset of 256 along dimension 2" in problem_of_start(MAP, (0, 0, 0, 0), (0, 256))


def test_offsets_are_registers_of_16_bits() -> None:
    with pytest.raises(KernelTextError, match='an offset is a register of 16 bits, "h", not "r"'):
        rewrite_asm(TEXT.replace('"h"(right)', '"r"(right)'))


def test_each_dimension_of_space_has_an_offset() -> None:
    with pytest.raises(KernelTextError, match=r"cp.async.bulk.tensor.4d of pixels takes 2 offsets, not 1"):
        rewrite_asm(TEXT.replace("{%7, %8}", "{%7}"))
