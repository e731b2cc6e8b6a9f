"""What a product sees: the mean of the elements that meet its weights, and their covariance."""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from vtac.models.layer import Array, Layer, Shape
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.products import Linear

_SAMPLED = 256
"""Positions of an image that are looked at, at most."""
_TOGETHER = 1152
"""Columns whose covariance is kept: that of columns further apart is not."""
_GOLDEN = 0.6180339887498949
Float64 = NDArray[np.float64]


class Moments:
    """Sums over samples, for the columns of a product's weights, group by group.

    `squares` are matrices (groups, n, n), one for each run of columns that are taken together; they are left out with
    `means_only`. They are of distances from the first sample's means: sums of squares of the numbers themselves would
    lose the digits of a covariance that is small beside the mean.
    """

    def __init__(self, layer: Convolution | Linear, shape: Shape, *, means_only: bool) -> None:
        self.layer = layer
        self.groups = layer.groups if isinstance(layer, Convolution) else 1
        columns = layer.weights[0].size
        self.runs = [slice(first, min(columns, first + _TOGETHER)) for first in range(0, columns, _TOGETHER)]
        self.count = 0
        self.total: Float64 = np.zeros((self.groups, columns))
        self._near: Array | None = None
        sizes = [] if means_only else [run.stop - run.start for run in self.runs]
        self.squares: list[Float64] = [np.zeros((self.groups, size, size)) for size in sizes]
        self._places = _places(layer, shape) if isinstance(layer, Convolution) else None

    @property
    def mean(self) -> Float64:
        """(groups, columns)."""
        return self.total / max(1, self.count)

    def covariance(self, run: int) -> Float64:
        """(groups, n, n), of the columns in a run."""
        near = np.zeros(1) if self._near is None else self._near[:, self.runs[run], 0]
        mean = self.mean[:, self.runs[run]] - near
        return self.squares[run] / max(1, self.count) - mean[:, :, None] * mean[:, None, :]

    def add(self, value: Array) -> None:
        """Look at a value that the layer reads, sample by sample, so that their order changes nothing."""
        for sample in value if value.ndim > 2 else value[:, None]:
            seen = self._columns(sample)
            self.count += seen.shape[2]
            self.total += seen.sum(2, dtype=np.float64)
            near = seen.mean(2, keepdims=True) if self._near is None else self._near
            self._near = near
            for number, run in enumerate(self.runs[: len(self.squares)]):
                part = seen[:, run] - near[:, run]
                self.squares[number] += part @ part.swapaxes(1, 2)

    def _columns(self, sample: Array) -> Array:
        """(groups, columns, places) of one sample."""
        if self._places is None or not isinstance(self.layer, Convolution):
            return np.ascontiguousarray(sample.reshape(-1, sample.shape[-1]).T)[None]
        window = self.layer.window
        size = window.positions(self.layer, sample.shape[1:])
        padded = window.padded(sample[None], size, 0.0)[0]
        down, across = self._places
        rows = (np.arange(window.size[0]) * window.dilation[0])[:, None, None] + down * window.stride[0]
        columns = (np.arange(window.size[1]) * window.dilation[1])[None, :, None] + across * window.stride[1]
        return padded[:, rows, columns].reshape(self.groups, -1, down.size)


def _places(layer: Convolution, shape: Shape) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the results that are looked at, evenly spread."""
    size = layer.window.positions(layer, shape[2:])
    count = prod(size)
    spread = np.arange(count) if count <= _SAMPLED else np.unique((np.arange(_SAMPLED) * _GOLDEN % 1 * count) // 1)
    down, across = np.divmod(spread.astype(np.intp), size[1])
    return down, across


def moments_of(layers: tuple[Layer, ...], shapes: dict[str, Shape], *, means_only: bool) -> dict[str, Moments]:
    """Those of all products, by name."""
    return {
        layer.name: Moments(layer, shapes[layer.inputs[0]], means_only=means_only)
        for layer in layers
        if isinstance(layer, Convolution | Linear)
    }
