"""The larger and the smaller of numbers as MLIR's `arith.maximumf` and `minimumf` have it, for references in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def larger(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """The larger of two numbers; of two zeros that which their sum is: -0.0 if both are."""
    found = np.asarray(np.maximum(first, second))
    return np.add(first, second, out=found, where=(first == 0) & (second == 0))


def smaller(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """The smaller of two numbers; -0.0 is less than +0.0, though they are equal."""
    return -larger(-first, -second)
