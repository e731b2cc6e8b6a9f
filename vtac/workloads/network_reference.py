"""Numpy references of network layers, exact: sums below 2^53 are taken in float64, by BLAS."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int8] | NDArray[np.int32]
Int8 = NDArray[np.int8]
Int64 = NDArray[np.int64]


def requantised(total: Int64, shift: int, low: int, residual: Integers | None) -> Int8:
    """clip((total >> shift) + residual, low, 127) as int8."""
    shifted = total >> shift
    if residual is not None:
        shifted = shifted + residual
    return np.clip(shifted, low, 127).astype(np.int8)


def matrix_product(left: Integers, right: Integers) -> Int64:
    """(M, K) times (K, N)."""
    return (left.astype(np.float64) @ right.astype(np.float64)).astype(np.int64)


def convolution(data: Integers, kernel: Integers, stride: int, padding: int) -> Int64:
    """NCHW data and FCHW kernel -> NFHW; one matrix product per image and tap."""
    images, channels, height, width = data.shape
    features, _, rows, columns = kernel.shape
    padded = np.pad(data, ((0, 0), (0, 0), (padding, padding), (padding, padding))).astype(np.float64)
    out_height = (height + 2 * padding - rows) // stride + 1
    out_width = (width + 2 * padding - columns) // stride + 1
    total = np.zeros((images, features, out_height * out_width))
    for y in range(rows):
        for x in range(columns):
            taken = padded[:, :, y : y + stride * out_height : stride, x : x + stride * out_width : stride]
            taken = taken[:, :, :out_height, :out_width].reshape(images, channels, -1)
            total += kernel[:, :, y, x].astype(np.float64) @ taken
    return total.astype(np.int64).reshape(images, features, out_height, out_width)


def maximum_pool(data: Integers, kernel: int, stride: int, padding: int) -> Int8:
    """NCHW, padded with -128."""
    widths = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    padded = np.pad(data, widths, constant_values=-128)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(2, 3))
    return windows[:, :, ::stride, ::stride].max(axis=(4, 5)).astype(np.int8)
