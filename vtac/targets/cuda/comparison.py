"""A kernel's results against a reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vtac.targets.cuda.arrays import Array

TOLERANCE = 1e-3
"""Largest error of a floating-point result, as a share of the largest expected magnitude.

Sums of products are taken in another order than numpy's, each rounded to float32.
"""


BFLOAT16_TOLERANCE = 2**-7
"""The same of a bfloat16 result: one unit in its last place, and the rounding of sums on the way."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The largest absolute error over `elements`, the largest magnitude expected, the tolerance."""

    elements: int
    max_error: float
    magnitude: float
    tolerance: float

    @property
    def correct(self) -> bool:
        return self.elements > 0 and self.max_error <= self.tolerance

    def __str__(self) -> str:
        return (
            f"{self.elements:,} elements, largest error {self.max_error:.6g} of {self.magnitude:.6g} "
            f"(allowed {self.tolerance:.3g})"
        )


def compare(found: Array, expected: Array, written: Array | None = None, tolerance: float | None = None) -> Comparison:
    """Compare element by element in float64, where `written` is set; integers must be equal.

    Nothing to compare is not correct; neither is a result that is no number.
    """
    mask = np.ones(found.shape, np.bool_) if written is None else written.astype(np.bool_)
    wide = np.float64 if expected.dtype.kind == "f" else np.int64
    reference = expected.astype(wide)[mask]
    if reference.size == 0:
        return Comparison(0, 0.0, 0.0, 0.0)
    results = found.astype(wide)[mask]
    with np.errstate(invalid="ignore"):
        errors = np.where(results == reference, 0, np.abs(results - reference))  # equal infinities too
    largest = float(np.max(np.where(np.isnan(errors), np.inf, errors)))
    magnitude = float(np.max(np.abs(reference), where=np.isfinite(reference), initial=0))
    share = TOLERANCE if tolerance is None else tolerance
    return Comparison(reference.size, largest, magnitude, share * magnitude if wide is np.float64 else 0.0)
