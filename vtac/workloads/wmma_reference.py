"""Numpy references of the tensor-core workloads, in float64 or int64, computed where they are needed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vtac.evaluate.bfloat16 import from_bfloat16
from vtac.targets.cuda.arrays import Array
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_conv2d_plain import PlainConv2D
from vtac.workloads.wmma_matmul import WmmaMatmul
from vtac.workloads.wmma_tiles import TILE

Doubles = NDArray[np.float64]


def conv2d_at(layer: WmmaConv2D, data: Array, kernel: Array, wanted: NDArray[np.bool_]) -> Doubles:
    """The convolution of packed arrays at every pixel of which `wanted` has an element; zeros elsewhere."""
    p, size = layer.padding, layer.kernel
    margin = ((0, 0), (p, p), (p, p), (0, 0), (0, 0), (0, 0))
    padded = np.pad(data, margin)
    weights = kernel.astype(np.float64).transpose(0, 1, 2, 4, 3, 5).reshape(-1, layer.out_channels)
    result = np.zeros(layer.output_shape)
    for h, w in np.argwhere(wanted.any(axis=(0, 3, 4, 5))):
        top, left = h * layer.stride, w * layer.stride
        window = padded[:, top : top + size, left : left + size].astype(np.float64)
        rows = window.transpose(0, 4, 1, 2, 3, 5).reshape(layer.batch, -1)
        tiles = (rows @ weights).reshape(layer.batch // TILE, TILE, -1, TILE)
        result[:, h, w] = tiles.transpose(0, 2, 1, 3)
    return result


def plain_conv2d_at(layer: PlainConv2D, data: Array, kernel: Array, wanted: NDArray[np.bool_]) -> Doubles:
    """`conv2d_at` of plain images, of each image by itself: zeros where nothing of a pixel is wanted."""
    nchw = layer.layout == "nchw"
    images = data.transpose(0, 2, 3, 1) if nchw else data
    filters = (kernel.transpose(2, 3, 1, 0) if nchw else kernel).astype(np.float64).reshape(-1, layer.out_channels)
    p, size = layer.padding, layer.kernel
    padded = np.pad(images, ((0, 0), (p, p), (p, p), (0, 0)))
    result = np.zeros((layer.batch, layer.out_height, layer.out_width, layer.out_channels))
    pixels: NDArray[np.bool_] = np.any(wanted, axis=1 if nchw else 3)
    for h, w in np.argwhere(pixels.any(axis=0)):
        chosen = np.flatnonzero(pixels[:, h, w])
        top, left = h * layer.stride, w * layer.stride
        window = padded[chosen, top : top + size, left : left + size].astype(np.float64)
        result[chosen, h, w] = window.reshape(len(chosen), -1) @ filters
    return result.transpose(0, 3, 1, 2) if nchw else result


def matmul_at(layer: WmmaMatmul, inputs: Sequence[Array], wanted: NDArray[np.bool_]) -> Doubles | NDArray[np.int64]:
    """The product with its epilogue, in the rows of which `wanted` has an element; zeros elsewhere."""
    a, b = (from_bfloat16(x.astype(np.uint16)) if layer.element == "bf16" else x for x in inputs[:2])
    rows = np.flatnonzero(wanted.any(axis=1))
    result = np.zeros((layer.m, layer.n))
    result[rows] = a[rows].astype(np.float64) @ b.astype(np.float64)
    if layer.bias:
        result += inputs[2].astype(np.float64)
    if layer.relu:
        result = np.maximum(result, 0)
    return result.astype(np.int64) if layer.element == "s8" else result
