"""Recipes in place of floating point: the same numbers, proven or for every value."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from vtac.analysis.values.recipes import Constant, Recipe, Source, StepName
from vtac.analysis.values.scaled_floats import round_half_even
from vtac.analysis.values.scaled_integers import Amount, Channels, NotScaledError, Scaled

Integers = NDArray[np.int64]
STEPS: dict[StepName, Callable[[Integers, Integers], Integers]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "shl": np.left_shift,
    "shr": np.right_shift,
}


def run(recipe: Recipe, *operands: Integers) -> Integers:
    """The last step's result, in 32-bit arithmetic that wraps; channels lie along the last dimension."""
    values: list[Integers] = list(operands)

    def value(source: Source) -> Integers:
        return spread(source.value) if isinstance(source, Constant) else values[source]

    for step in recipe.steps:
        result = STEPS[step.name](value(step.left), value(step.right))
        values.append(result.astype(np.int32).astype(np.int64))
    return values[-1]


def spread(amount: Amount) -> Integers:
    return np.array(amount.values if isinstance(amount, Channels) else amount, dtype=np.int64)


@pytest.mark.parametrize("bits", range(1, 31))
def test_half_to_even(bits: int) -> None:
    """Around every multiple of a half near zero and at the ends of what is allowed."""
    most = (1 << 31) - 1 - (1 << (bits - 1)) - (1 << bits) + 1
    halves = np.arange(-9, 10, dtype=np.int64) << (bits - 1)
    near = (halves[:, None] + np.arange(-2, 3)).reshape(-1)
    x = np.concatenate([near, [most, most - 1, -(1 << 31)]])
    x = x[(x <= most) & (x >= -(1 << 31))]
    recipe = Recipe(1)
    _, fact = round_half_even(0, Scaled(int(x.min()), int(x.max()), -bits), recipe)
    found = run(recipe, x)
    np.testing.assert_array_equal(found, np.rint(x / 2.0**bits).astype(np.int64))
    assert (fact.low, fact.high) == (found.min(), found.max())
    assert len(recipe.steps) == 5


@pytest.mark.parametrize("exponents", [(-1, -9), (0, -3, 2), (-30, -1)])
def test_half_to_even_per_channel(exponents: Sequence[int]) -> None:
    x = np.arange(-3000, 3000, dtype=np.int64)[:, None].repeat(len(exponents), axis=1)
    recipe = Recipe(1)
    round_half_even(0, Scaled(-3000, 2999, Channels(0, tuple(exponents))), recipe)
    np.testing.assert_array_equal(run(recipe, x), np.rint(x * 2.0 ** np.array(exponents)).astype(np.int64))


@pytest.mark.parametrize("bits", [4, 31])
def test_half_to_even_that_may_wrap_is_refused(bits: int) -> None:
    with pytest.raises(NotScaledError, match="bound the bias, or clamp first"):
        round_half_even(0, Scaled(-(1 << 31), (1 << 31) - 1, -bits), Recipe(1))
