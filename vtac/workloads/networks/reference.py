"""Numpy references of network layers, exact: sums below 2^53 are taken in float64, by BLAS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int8] | NDArray[np.int32]
Int8 = NDArray[np.int8]
Int64 = NDArray[np.int64]
Activation: TypeAlias = Literal["none", "relu", "relu6", "leaky"]
"""relu6 clips at 96 (six at a scale of 1 / 16); leaky keeps an eighth of what is negative."""


def requantised(total: NDArray[Any], shift: int, activation: Activation, residual: Integers | None = None) -> Int8:
    """The activation of (total >> shift) + residual, clipped to int8."""
    shifted = total.astype(np.int64) >> shift
    if residual is not None:
        shifted = shifted + residual
    if activation == "leaky":
        shifted = np.maximum(shifted, shifted >> 3)
    low = 0 if activation in ("relu", "relu6") else -128
    return np.clip(shifted, low, 96 if activation == "relu6" else 127).astype(np.int8)


def matrix_product(left: Integers, right: Integers) -> Int64:
    """(M, K) times (K, N), also in batches."""
    return (left.astype(np.float64) @ right.astype(np.float64)).astype(np.int64)


def convolution(
    data: Integers, kernel: Integers, stride: int, pads: Sequence[int], groups: int = 1, dilation: int = 1
) -> Int64:
    """NCHW data and FCHW kernel -> NFHW; one matrix product per tap. `pads` are top, left, bottom, right."""
    top, left, bottom, right = pads
    padded = np.pad(data, ((0, 0), (0, 0), (top, bottom), (left, right))).astype(np.float64)
    images, channels, height, width = padded.shape
    features, per_group, rows, columns = kernel.shape
    out_height = (height - (rows - 1) * dilation - 1) // stride + 1
    out_width = (width - (columns - 1) * dilation - 1) // stride + 1
    total = np.zeros((images, groups, features // groups, out_height * out_width))
    weights = kernel.astype(np.float64).reshape(groups, features // groups, per_group, rows, columns)
    for y in range(rows):
        for x in range(columns):
            taken = padded[:, :, y * dilation :: stride, x * dilation :: stride][:, :, :out_height, :out_width]
            total += weights[..., y, x] @ taken.reshape(images, groups, channels // groups, -1)
    return total.astype(np.int64).reshape(images, features, out_height, out_width)


def maximum_pool(data: Integers, kernel: int, stride: int, pads: Sequence[int]) -> Int8:
    """NCHW, padded with -128; `pads` are top, left, bottom, right."""
    top, left, bottom, right = pads
    padded = np.pad(data, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=-128)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(2, 3))
    return windows[:, :, ::stride, ::stride].max(axis=(4, 5)).astype(np.int8)


def between_zeros(data: Int8, stride: int) -> Int8:
    """NCHW with stride - 1 zeros between neighbours."""
    images, channels, height, width = data.shape
    result = np.zeros((images, channels, (height - 1) * stride + 1, (width - 1) * stride + 1), np.int8)
    result[:, :, ::stride, ::stride] = data
    return result
