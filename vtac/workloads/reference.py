"""Numpy references of the workloads, and packing to the VTA's layouts. Exact in int32."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vtac.workloads.conv2d import Conv2D
from vtac.workloads.matmul import Matmul

Int8 = NDArray[np.int8]
Int32 = NDArray[np.int32]


def pack_rows(array: NDArray[np.generic], rows: int, columns: int) -> NDArray[np.generic]:
    """(R, C) -> (R / rows, C / columns, rows, columns)."""
    height, width = array.shape
    return array.reshape(height // rows, rows, width // columns, columns).transpose(0, 2, 1, 3)


def pack_images(array: NDArray[np.generic], rows: int, columns: int) -> NDArray[np.generic]:
    """(N, C, H, W) -> (N / rows, C / columns, H, W, rows, columns)."""
    n, c, h, w = array.shape
    return array.reshape(n // rows, rows, c // columns, columns, h, w).transpose(0, 2, 4, 5, 1, 3)


def unpack_rows(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """The inverse of `pack_rows`."""
    rows, columns, row, column = array.shape
    return array.transpose(0, 2, 1, 3).reshape(rows * row, columns * column)


def unpack_images(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """The inverse of `pack_images`."""
    n, c, h, w, row, lane = array.shape
    return array.transpose(0, 4, 1, 5, 2, 3).reshape(n * row, c * lane, h, w)


def requantised(total: NDArray[np.int64], shift: int) -> Int8:
    """clip(total >> shift, 0, 127) as int8, after wrapping to int32 as the accumulator does."""
    wrapped = total.astype(np.int32)
    return np.clip(wrapped >> shift, 0, 127).astype(np.int8)


def vadd(a: Int32, b: Int32) -> Int8:
    """The low 8 bits of a + b."""
    return (a + b).astype(np.int8)


def matmul(layer: Matmul, data: Int8, weight: Int8) -> Int8:
    """(batch, in) and (out, in) -> (batch, out)."""
    total = data.astype(np.float64) @ weight.astype(np.float64).T
    return requantised(total.astype(np.int64), layer.shift)


def conv2d(layer: Conv2D, data: Int8, kernel: Int8) -> Int8:
    """NCHW data and OIHW kernel -> NCHW result."""
    p, k, s = layer.padding, layer.kernel, layer.stride
    padded = np.pad(data.astype(np.float64), ((0, 0), (0, 0), (p, p), (p, p)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(2, 3))[:, :, ::s, ::s]
    total = np.tensordot(windows, kernel.astype(np.float64), axes=((1, 4, 5), (1, 2, 3)))
    return requantised(total.astype(np.int64).transpose(0, 3, 1, 2), layer.shift)
