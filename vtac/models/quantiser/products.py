"""Weights and bias of a product as integers, with a shift for each feature."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from vtac.models.layer import Array
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.products import Linear
from vtac.models.quantiser.scales import Scale

_TRIED = 3
_WIDEST = 23
"""Shifts are less than that, so that a zero point in front of one fits 30 bits."""


@dataclass(frozen=True, eq=False)
class IntegerProduct:
    """(sum of weights * (data - zero) + bias) >> shifts, by feature.

    The bias holds the half by which shifts round, and the zero point of results in front of the shift.

    Without requantisation shifts are 0, and a result stands for itself times `sizes`, by feature.
    `bound` is the largest magnitude that any sum, partial ones included, can have.
    """

    weights: NDArray[np.int8]
    bias: NDArray[np.int32]
    shifts: NDArray[np.int32]
    sizes: NDArray[np.float64]
    bound: int


def quantise_product(layer: Convolution | Linear, source: Scale, result: Scale | None) -> IntegerProduct:
    """A layer for data at one scale and results at another, or as 32-bit sums where there is none.

    The scale of a feature's weights is the one of least squared error among those that make
    source * weights / result a power of two, that keep the bias within 30 bits and its shift
    within 0 to 22. ModelError where a shift is below 0, or sums could leave 32 bits.
    """
    features = layer.weights.shape[0]
    rows = layer.weights.reshape(features, -1).astype(np.float64)
    bias = np.zeros(features) if layer.bias is None else layer.bias.astype(np.float64)
    unit = 1.0 if result is None else result.mantissa / source.mantissa
    exponents = [_exponent(row, float(one), unit, source, result) for row, one in zip(rows, bias, strict=True)]
    sizes = unit * np.exp2(np.array(exponents, np.float64))
    weights = _nearest(rows / sizes[:, None])
    wanted = [0 if result is None else result.exponent - source.exponent - own for own in exponents]
    shifts = np.array(wanted, np.int64)
    if shifts.min() < 0:
        raise layer.refuse("the results of a feature are finer than its sums", "calibration data that vary more")
    halves = np.where(shifts > 0, np.left_shift(1, np.maximum(shifts - 1, 0)), 0)
    whole = np.floor(bias / (source.size * sizes) + 0.5).astype(np.int64) + halves
    if result is not None:
        whole += np.left_shift(np.int64(result.zero), shifts)
    bound = int((np.abs(weights).sum(1, dtype=np.int64) * (128 - source.zero) + np.abs(whole)).max())
    if bound >= 1 << 31:
        raise layer.refuse(f"its sums can reach {bound:,}", "sums within 32 bits: fewer channels or a smaller bias")
    return IntegerProduct(
        weights.astype(np.int8).reshape(layer.weights.shape),
        whole.astype(np.int32),
        shifts.astype(np.int32),
        source.size * sizes,
        bound,
    )


def _exponent(row: NDArray[np.float64], bias: float, unit: float, source: Scale, result: Scale | None) -> int:
    """Of the scale of a feature's weights: `unit` times two to it."""
    largest = float(np.abs(row).max()) / unit
    fits_bias = ceil(log2(abs(bias) / (source.size * unit))) - 29 if bias else -_WIDEST
    lowest, highest = fits_bias, None
    if result is not None:
        highest = result.exponent - source.exponent
        lowest = max(lowest, highest - (_WIDEST - 1))
    if not largest:
        return lowest if highest is None else max(lowest, highest - 8)
    clips_none = ceil(log2(largest / 127))
    tried = sorted({max(clips_none - less, lowest) for less in range(_TRIED)}, reverse=True)
    usable = [one for one in tried if highest is None or one <= highest]
    return min(usable or tried, key=lambda e: (_error(row / unit, 2.0**e), -e))


def _error(row: NDArray[np.float64], size: float) -> float:
    return float(((row - _nearest(row / size) * size) ** 2).sum())


def _nearest(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rounded half up, within eight bits."""
    return np.clip(np.floor(numbers + 0.5), -128, 127).astype(np.int64)


def quantise_array(array: Array, scale: Scale) -> NDArray[np.int8]:
    """Data at a scale, rounded half up, clipped to eight bits."""
    places = np.floor(array.astype(np.float64) / scale.size + 0.5) + scale.zero
    return np.clip(places, -128, 127).astype(np.int8)
