"""Rounding of weights: to the nearest step, or so that the results of the layer change least."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vtac.models.quantiser.moments import Moments

Float64 = NDArray[np.float64]
_DAMPING = 0.01
_BLOCK = 64
LOWEST, HIGHEST = -128, 127


def nearest(numbers: Float64) -> Float64:
    """Rounded half up, within eight bits."""
    return np.clip(np.floor(numbers + 0.5), LOWEST, HIGHEST)


def rounded(steps: Float64, moments: Moments) -> Float64:
    """Weights (features, columns), in steps, as integers of which the results differ least in the mean square.

    Columns are rounded one after the other, those that vary most first; each takes up the error that those before it
    have left in the results (Babai's nearest plane, by which GPTQ rounds too).
    """
    grouped = steps.reshape(moments.groups, -1, steps.shape[1])
    result = np.empty_like(grouped)
    for number, run in enumerate(moments.runs):
        covariance = moments.covariance(number)
        spread = np.diagonal(covariance, axis1=1, axis2=2)
        order = np.argsort(-spread, axis=1, kind="stable")
        back = np.argsort(order, axis=1, kind="stable")
        sorted_steps = np.take_along_axis(grouped[:, :, run], order[:, None], 2)
        found = _round_in_order(sorted_steps, _factor(covariance, order))
        result[:, :, run] = np.take_along_axis(found, back[:, None], 2)
    return result.reshape(steps.shape)


def _factor(covariance: Float64, order: NDArray[np.intp]) -> Float64:
    """R, upper triangular, of which R times its transpose is the covariance with its columns in order, damped."""
    size = order.shape[1]
    ordered = np.take_along_axis(np.take_along_axis(covariance, order[:, :, None], 1), order[:, None], 2)
    mean = np.trace(ordered, axis1=1, axis2=2) / size
    damped = ordered + np.maximum(_DAMPING * mean, np.finfo(np.float64).tiny)[:, None, None] * np.eye(size)
    scale = np.where(mean > 0, mean, 1)[:, None, None]
    unit = np.where(mean[:, None, None] > 0, damped / scale, np.eye(size))
    return np.linalg.cholesky(unit[:, ::-1, ::-1])[:, ::-1, ::-1]


def _round_in_order(steps: Float64, factor: Float64) -> Float64:
    """The column j of errors times R is made least by rounding steps[j] with what errors before it add to it."""
    size = steps.shape[2]
    errors = np.zeros_like(steps)
    result = np.empty_like(steps)
    for first in range(0, size, _BLOCK):
        last = min(size, first + _BLOCK)
        carried = errors[:, :, :first] @ factor[:, :first, first:last]
        for column in range(first, last):
            inside = errors[:, :, first:column] @ factor[:, first:column, column, None]
            left = (carried[:, :, column - first] + inside[:, :, 0]) / factor[:, column, column, None]
            result[:, :, column] = nearest(steps[:, :, column] + left)
            errors[:, :, column] = steps[:, :, column] - result[:, :, column]
    return result
