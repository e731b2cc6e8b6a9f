"""Numbers along an axis as text: with as many digits as tell neighbours apart, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

_MILLION = 1e6
_MOST_DECIMALS = 12
_MOST_DECIMALS_OF_MILLIONS = 3
_EXACT = 1e-3
"""How far a label may be from its number, as a share of the distance between two of them."""


def tick_labels(values: Sequence[float]) -> list[str]:
    """The numbers as `250`, `140,000`, `7.5 M`, no two alike unless the numbers are.

    Millions are written as such where three decimals are enough for them.
    """
    step = min((abs(right - left) for left, right in pairwise(sorted(values)) if right != left), default=0.0)
    large = [value / _MILLION for value in values if abs(value) >= _MILLION]
    millions = _decimals(large, step / _MILLION)
    is_short = millions <= _MOST_DECIMALS_OF_MILLIONS
    plain = _decimals([value for value in values if not is_short or abs(value) < _MILLION], step)
    return [
        f"{_written(value / _MILLION, millions)} M" if is_short and abs(value) >= _MILLION else _written(value, plain)
        for value in values
    ]


def _decimals(values: Sequence[float], step: float) -> int:
    """The fewest decimals with which each value is exact to a thousandth of the step, or of itself."""
    for decimals in range(_MOST_DECIMALS):
        if all(abs(round(value, decimals) - value) <= _EXACT * (step or abs(value)) for value in values):
            return decimals
    return _MOST_DECIMALS


def _written(value: float, decimals: int) -> str:
    """A number without zeros at its end, and without the minus of a zero."""
    text = f"{round(value, decimals) + 0.0:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
