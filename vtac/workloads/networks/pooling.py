"""Poolings of networks, NCHW."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

import numpy as np

from vtac.workloads.networks.core import NetworkCore, Values
from vtac.workloads.networks.reference import Int8, maximum_pool, requantised
from vtac.workloads.tensor_text import Tensor, window_attributes


class Poolings(NetworkCore):
    """Layers that take the maximum or the sum of windows."""

    def max_pool(
        self, source: Tensor, name: str, kernel: int, stride: int, *, pads: Sequence[int] | None = None
    ) -> Tensor:
        """Maximum over windows, padded by half of an odd kernel with the smallest i8 unless `pads` say how."""
        batch, channels, height, width = source.shape
        around = tuple(pads) if pads is not None else (kernel // 2,) * 4
        high = (height + around[0] + around[2] - kernel) // stride + 1
        wide = (width + around[1] + around[3] - kernel) // stride + 1
        result = Tensor(name, (batch, channels, high, wide))
        data = self._pad(source, f"{name}_padded", around, -128)
        window = self._empty(f"{name}_window", (kernel, kernel))
        self._structured(result, f"linalg.pooling_nchw_max {window_attributes(stride)}", [data, window], -128)
        described = f"max pool {kernel}x{kernel}/{stride} {channels} {high}x{wide}"
        return self._record(
            result, described, 0, lambda values: maximum_pool(values[source.name], kernel, stride, around)
        )

    def average_pool(self, source: Tensor, name: str, kernel: int) -> Tensor:
        """Sums over windows side by side, requantised: the mean, where the kernel is a power of two."""
        batch, channels, height, width = source.shape
        result = Tensor(name, (batch, channels, height // kernel, width // kernel))
        self._sum_windows(source, result, kernel, kernel, kernel)
        rows, columns = result.shape[2:]

        def compute(values: Values) -> Int8:
            data = values[source.name][:, :, : rows * kernel, : columns * kernel].astype(np.int64)
            total = data.reshape(batch, channels, rows, kernel, columns, kernel).sum((3, 5))
            return requantised(total, _mean_shift(kernel, kernel), "none")

        return self._record(result, f"average pool {kernel}x{kernel}/{kernel} {channels} {rows}x{columns}", 0, compute)

    def sum_pool(self, source: Tensor, name: str) -> Tensor:
        """The sum over all rows and columns, requantised: the mean, but for a power of two. (N, C, 1, 1)."""
        batch, channels, height, width = source.shape
        result = Tensor(name, (batch, channels, 1, 1))
        self._sum_windows(source, result, height, width, 1)

        def compute(values: Values) -> Int8:
            total = values[source.name].sum(axis=(2, 3), keepdims=True, dtype=np.int64)
            return requantised(total, _mean_shift(height, width), "none")

        return self._record(result, f"sum pool {height}x{width} {channels}", 0, compute)

    def _sum_windows(self, source: Tensor, result: Tensor, height: int, width: int, stride: int) -> None:
        window = self._empty(f"{result.name}_window", (height, width))
        total = Tensor(f"{result.name}_sum", result.shape, "i32")
        self._structured(total, f"linalg.pooling_nchw_sum {window_attributes(stride)}", [source, window], 0)
        self._requantise(total, result, _mean_shift(height, width), "none", None)


def _mean_shift(height: int, width: int) -> int:
    return max(0, round(log2(height * width)))
