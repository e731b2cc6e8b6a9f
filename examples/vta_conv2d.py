"""2D convolution with requantisation on the VTA; the defaults are ResNet-18's ninth."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from typing import cast

import flags
import numpy as np
import runner

import vtac
from vtac.targets.vta.programs.arrays import Array
from vtac.workloads import reference
from vtac.workloads.conv2d import Conv2D, Conv2DTiling


def add_options() -> ArgumentParser:
    options = runner.parser(
        __doc__ or "", "python examples/vta_conv2d.py --stride 2 --h-block 7 --w-block 7 --vthreads 1"
    )
    options.add_argument("--batch", type=int, help="images, a multiple of BATCH; BATCH without it")
    options.add_argument("--height", type=int, default=14)
    options.add_argument("--width", type=int, default=14)
    options.add_argument("--in-channels", type=int, default=256)
    options.add_argument("--out-channels", type=int, default=256)
    options.add_argument("--kernel", type=int, default=3, help="rows and columns of the kernel")
    options.add_argument("--padding", type=int, default=1, help="zeros on each side")
    options.add_argument("--stride", type=int, default=1)
    options.add_argument("--batch-block", type=int, help="images on chip at a time; BATCH without it")
    options.add_argument("--h-block", type=int, default=7, help="output rows on chip at a time")
    options.add_argument("--w-block", type=int, default=14, help="output columns on chip at a time")
    options.add_argument("--ic-block", type=int, default=16, help="input channels on chip at a time")
    options.add_argument("--oc-block", type=int, default=128, help="output channels on chip at a time")
    options.add_argument("--vthreads", type=int, default=2, help="virtual threads")
    options.add_argument("--vthread-axis", choices=("oc", "h"), default="oc", help="the block loop they split")
    options.add_argument("--tail", choices=("error", "guard"), default="error", help="blocks that do not divide")
    return options


def layer_of(given: Namespace, config: vtac.VTAConfig) -> Conv2D:
    return Conv2D(
        config.batch if given.batch is None else given.batch,
        given.height,
        given.width,
        given.in_channels,
        given.out_channels,
        given.kernel,
        given.padding,
        given.stride,
        config=config,
    )


def tiling_of(given: Namespace) -> Conv2DTiling:
    return Conv2DTiling(
        given.h_block,
        given.w_block,
        given.ic_block,
        given.oc_block,
        given.batch_block,
        given.vthreads,
        given.vthread_axis,
        given.tail,
    )


def work(given: Namespace, config: vtac.VTAConfig) -> runner.Work:
    """The convolution that the options ask for, with its data and its result."""
    layer = layer_of(given, config)

    def arrays(random: np.random.Generator, low: int, high: int) -> tuple[Array, ...]:
        flags.check_range(low, high, np.iinfo(np.int8))
        image = (layer.batch, layer.in_channels, layer.height, layer.width)
        filters = (layer.out_channels, layer.in_channels, layer.kernel, layer.kernel)
        data = random.integers(low, high, image).astype(np.int8)
        kernel = random.integers(low, high, filters).astype(np.int8)
        return (
            cast(Array, reference.pack_images(data, config.batch, config.block_in)),
            cast(Array, reference.pack_images(kernel, config.block_out, config.block_in)),
        )

    def expected(packed: tuple[Array, ...]) -> Array:
        data, kernel = (reference.unpack_images(array).astype(np.int8) for array in packed)
        result = reference.conv2d(layer, data, kernel)
        return cast(Array, reference.pack_images(result, config.batch, config.block_out))

    title = (
        f"convolution: {layer.batch} x {layer.in_channels} x {layer.height} x {layer.width} -> "
        f"{layer.out_channels} x {layer.out_height} x {layer.out_width}, {layer.kernel}x{layer.kernel} "
        f"stride {layer.stride} padding {layer.padding}, int8"
    )
    return runner.Work(title, layer.text(), lambda: layer.schedule(tiling_of(given)), arrays, expected)


def main() -> int:
    given = add_options().parse_args()
    return runner.main(given, lambda config: work(given, config))


if __name__ == "__main__":
    sys.exit(main())
