"""2D convolution on tensor cores, fp16 in and fp32 accumulation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import flags
import numpy as np
import wmma_runner as runner
from numpy.typing import NDArray

import vtac
from vtac.dialects.gpu_hardware import GpuArchitecture
from vtac.errors import CompileError
from vtac.targets.cuda.arrays import Array
from vtac.workloads.nhwc_conv2d import NhwcConv2D
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_conv2d_plain import LAYOUTS, PlainConv2D
from vtac.workloads.wmma_reference import conv2d_at, plain_conv2d_at

BY_PIXELS = ("wgmma", "tma")
"""Schedules whose rows of a product are pixels, of images as they are, NHWC or packed."""


def parsed() -> argparse.Namespace:
    """The command line: the layer's sizes, its layout and what both examples have."""
    options = runner.parser(
        __doc__ or "",
        "python examples/wmma_conv2d.py --batch 64 --stride 2 --emit conv2d.cu",
        ("seed", "fast", "mma", *BY_PIXELS),
    )
    options.add_argument("--batch", type=int, default=256, help="images; packed, a multiple of 16")
    options.add_argument("--height", type=int, default=14)
    options.add_argument("--width", type=int, default=14)
    options.add_argument("--in-channels", type=int, default=256)
    options.add_argument("--out-channels", type=int, default=512)
    options.add_argument("--kernel", type=int, default=3, help="rows and columns of the kernel")
    options.add_argument("--padding", type=int, default=1, help="zeros on each side")
    options.add_argument("--stride", type=int, default=1)
    options.add_argument(
        "--layout",
        choices=("packed", *LAYOUTS),
        default="packed",
        help="of the arguments: NHWCnc in 16 x 16 tiles, or images of any size that the kernel packs: NHWC with an "
        "HWIO kernel, or NCHW with OIHW",
    )
    return options.parse_args()


def layer_of(given: argparse.Namespace) -> WmmaConv2D:
    """The layer in its layout. Raises `CompileError` for a schedule that the layout does not go with."""
    sizes = (given.batch, given.height, given.width, given.in_channels, given.out_channels)
    window = (given.kernel, given.padding, given.stride)
    by_pixels = given.schedule in BY_PIXELS
    if by_pixels and given.layout == "nchw":
        raise CompileError(
            f"schedule {given.schedule}: rows of its product are pixels whose channels lie side by side; "
            "use --layout nhwc or packed"
        )
    if given.layout == "packed":
        return WmmaConv2D(*sizes, *window)
    return (NhwcConv2D if by_pixels else PlainConv2D)(*sizes, *window, given.layout)


def schedule_of(name: str, layer: WmmaConv2D, architecture: GpuArchitecture) -> vtac.Schedule:
    """The schedule of a name."""
    if name == "seed":
        return layer.seed_schedule()
    if name == "tma":
        from vtac.targets.cuda.schedules.tma_products import tma_schedule

        return tma_schedule(layer.text(), architecture)
    if name == "wgmma":
        from vtac.targets.cuda.schedules.wgmma_products import wgmma_schedule

        return wgmma_schedule(layer.text(), architecture)
    if name == "mma":
        from vtac.workloads.mma_conv2d import mma_conv_schedule, mma_tiling

        return mma_conv_schedule(layer, mma_tiling(layer, architecture))
    from vtac.workloads.wmma_fast import choose_tiling, fast_schedule

    return fast_schedule(layer, choose_tiling(layer, architecture))


def work_of(layer: WmmaConv2D, schedule: Callable[[], vtac.Schedule]) -> runner.Work:
    """What the runner compiles, runs and compares."""

    def arrays(random: np.random.Generator, low: int, high: int) -> tuple[Array, ...]:
        flags.check_range(low, high, np.iinfo(np.int16))
        data = random.integers(low, high, layer.data_shape, np.int16).astype(np.float16)
        return data, random.integers(low, high, layer.kernel_shape, np.int16).astype(np.float16)

    def expected(inputs: tuple[Array, ...], wanted: NDArray[np.bool_]) -> Array:
        if isinstance(layer, PlainConv2D):
            return plain_conv2d_at(layer, inputs[0], inputs[1], wanted)
        return conv2d_at(layer, inputs[0], inputs[1], wanted)

    title = (
        f"convolution: {layer.batch} x {layer.height} x {layer.width} x {layer.in_channels} -> "
        f"{layer.out_height} x {layer.out_width} x {layer.out_channels}, {layer.kernel}x{layer.kernel} "
        f"stride {layer.stride} padding {layer.padding}, fp16 with fp32 accumulation"
    )
    pixels = layer.batch * layer.out_height * layer.out_width
    operations = 2 * pixels * layer.out_channels * layer.in_channels * layer.kernel**2
    return runner.Work(title, layer.text(), schedule, arrays, expected, operations)


def main() -> int:
    given = parsed()

    def work(architecture: GpuArchitecture) -> runner.Work:
        layer = layer_of(given)
        return work_of(layer, lambda: schedule_of(given.schedule, layer, architecture))

    return runner.main(given, work)


if __name__ == "__main__":
    sys.exit(main())
