"""The larger and the smaller of two floats, with the signs that zeros have in MLIR.

`arith.maximumf` and `arith.minimumf` take -0.0 for less than +0.0, and give no number where an operand is none.
numpy's functions leave open which zero they give.
"""

from __future__ import annotations

import numpy as np

from vtac.evaluate.numbers import Array


def larger(left: Array, right: Array) -> Array:
    """The larger float of each pair; +0.0 of zeros with both signs; NaN where one is NaN."""
    return np.where(np.equal(left, right), np.where(np.signbit(left), right, left), np.maximum(left, right))


def smaller(left: Array, right: Array) -> Array:
    """The smaller float of each pair; -0.0 of zeros with both signs; NaN where one is NaN."""
    return np.where(np.equal(left, right), np.where(np.signbit(left), left, right), np.minimum(left, right))
