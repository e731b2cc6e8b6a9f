"""Weights and bias of a product as integers, with a shift for each feature."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from vtac.models.layer import Array
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.products import Linear
from vtac.models.quantiser.moments import Moments
from vtac.models.quantiser.options import Options
from vtac.models.quantiser.rounding import Float64, nearest, rounded
from vtac.models.quantiser.scales import Scale

_TRIED = 3
_WIDEST = 23
"""Shifts are less than that, so that a zero point in front of one fits 30 bits."""


@dataclass(frozen=True, eq=False)
class IntegerProduct:
    """(sum of weights * (data - zero) + bias) >> shifts, by feature.

    The bias holds what rounds, and the zero point of results in front of the shift.

    Without requantisation shifts are 0, and a result stands for itself times `sizes`, by feature.
    `bound` is the largest magnitude that any sum, partial ones included, can have.
    """

    weights: NDArray[np.int8]
    bias: NDArray[np.int32]
    shifts: NDArray[np.int32]
    sizes: NDArray[np.float64]
    bound: int

    def without_zero(self, zero: int) -> IntegerProduct:
        """The same for data that are not made less `zero`, padding included."""
        taken = self.weights.reshape(self.weights.shape[0], -1).sum(1, dtype=np.int64) * zero
        return replace(self, bias=(self.bias - taken).astype(np.int32))


@dataclass(frozen=True)
class Requantisation:
    """What a product's sums are brought to: a scale, and what is added in front of its zero point."""

    scale: Scale
    offset: int = 0
    """Added to results, in steps of the scale, before they are shifted."""


def quantise_product(
    layer: Convolution | Linear,
    source: Scale,
    result: Requantisation | None,
    options: Options = Options(),  # noqa: B008 - frozen
    moments: Moments | None = None,
) -> IntegerProduct:
    """A layer for data at one scale and results at another, or as 32-bit sums where there is none.

    The scale of a feature's weights is the one of least squared error among those that make
    source * weights / result a power of two, that keep the bias within 30 bits and its shift
    within 0 to 22. ModelError where a shift is below 0, or sums could leave 32 bits.
    """
    features = layer.weights.shape[0]
    rows = layer.weights.reshape(features, -1).astype(np.float64)
    bias = np.zeros(features) if layer.bias is None else layer.bias.astype(np.float64)
    unit = 1.0 if result is None else result.scale.mantissa / source.mantissa
    exponents = _exponents(rows, bias, unit, source, result, options)
    sizes = unit * np.exp2(exponents.astype(np.float64))[:, None]
    by_squares = options.weights == "least-squares" and moments is not None and moments.count > 0
    weights = rounded(rows / sizes, moments) if moments is not None and by_squares else nearest(rows / sizes)
    if options.correct_bias and moments is not None:
        bias = bias + _mean_error(rows - weights * sizes, moments)
    wanted = np.zeros(features, np.int64) if result is None else result.scale.exponent - source.exponent - exponents
    if wanted.min() < (1 if result is not None and options.rounding == "half-even" else 0):
        raise layer.refuse("the results of a feature are finer than its sums", "calibration data that vary more")
    whole = np.floor(bias / (source.size * sizes[:, 0]) + 0.5).astype(np.int64)
    if result is not None:
        whole += _rounding(wanted, options) + np.left_shift(np.int64(result.offset), wanted)
    return _checked(layer, source, weights, whole, wanted, source.size * sizes[:, 0])


def _checked(
    layer: Convolution | Linear,
    source: Scale,
    weights: Float64,
    bias: NDArray[np.int64],
    shifts: NDArray[np.int64],
    sizes: Float64,
) -> IntegerProduct:
    bound = int((np.abs(weights).sum(1) * (128 + abs(source.zero)) + np.abs(bias)).max())
    if bound >= 1 << 31:
        raise layer.refuse(f"its sums can reach {bound:,}", "sums within 32 bits: fewer channels or a smaller bias")
    integers = weights.astype(np.int8).reshape(layer.weights.shape)
    return IntegerProduct(integers, bias.astype(np.int32), shifts.astype(np.int32), sizes, bound)


def _rounding(shifts: NDArray[np.int64], options: Options) -> NDArray[np.int64]:
    """Half of what is shifted out."""
    halves = np.where(shifts > 0, np.left_shift(1, np.maximum(shifts - 1, 0)), 0)
    return halves if options.rounding != "down" else np.zeros_like(halves)


def _mean_error(errors: Float64, moments: Moments) -> Float64:
    """What errors of weights (features, columns) add to the mean of results."""
    grouped = errors.reshape(moments.groups, -1, errors.shape[1])
    return (grouped @ moments.mean[:, :, None]).reshape(-1)


def _exponents(
    rows: Float64, bias: Float64, unit: float, source: Scale, result: Requantisation | None, options: Options
) -> NDArray[np.int64]:
    """Of the scale of each feature's weights: `unit` times two to it."""
    least = 1 if options.rounding == "half-even" else 0
    highest = None if result is None else result.scale.exponent - source.exponent - least
    if options.per_feature:
        found = [_exponent(row, float(one), unit, source, highest) for row, one in zip(rows, bias, strict=True)]
        return np.array(found, np.int64)
    largest = float(bias[np.argmax(np.abs(bias))])
    return np.full(len(rows), _exponent(rows.reshape(-1), largest, unit, source, highest), np.int64)


def _exponent(row: Float64, bias: float, unit: float, source: Scale, highest: int | None) -> int:
    largest = float(np.abs(row).max()) / unit
    lowest = ceil(log2(abs(bias) / (source.size * unit))) - 29 if bias else -_WIDEST
    if highest is not None:
        lowest = max(lowest, highest - (_WIDEST - 1))
    if not largest:
        return lowest if highest is None else max(lowest, highest - 8)
    clips_none = ceil(log2(largest / 127))
    tried = sorted({max(clips_none - less, lowest) for less in range(_TRIED)}, reverse=True)
    usable = [one for one in tried if highest is None or one <= highest]
    return min(usable or tried, key=lambda e: (_error(row / unit, 2.0**e), -e))


def _error(row: Float64, size: float) -> float:
    return float(((row - nearest(row / size) * size) ** 2).sum())


def quantise_array(array: Array, scale: Scale) -> NDArray[np.int8]:
    """Data at a scale, rounded half up, clipped to eight bits."""
    places = np.floor(array.astype(np.float64) / scale.size + 0.5) + scale.zero
    return np.clip(places, -128, 127).astype(np.int8)
