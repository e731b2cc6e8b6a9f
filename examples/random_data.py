"""The flags of random data that all examples have: what they refuse."""

from __future__ import annotations

import numpy as np

import vtac


def check_flags(seed: int, low: int, high: int) -> None:
    """Refuse a seed or a range that numpy has no random numbers for."""
    if seed < 0:
        raise vtac.CompileError(f"--seed is {seed}; 0 or more is required")
    if high <= low:
        raise vtac.CompileError(f"--high {high} must be above --low {low}")


def check_range(low: int, high: int, element: type[np.signedinteger]) -> None:
    """Refuse random numbers from `low` to below `high` that an element cannot hold."""
    limits = np.iinfo(element)
    if low < limits.min or high > limits.max + 1:
        raise vtac.CompileError(
            f"random numbers from {low} to below {high} do not fit {element.__name__}: "
            f"choose --low and --high between {limits.min} and {int(limits.max) + 1}"
        )
