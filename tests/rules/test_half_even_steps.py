"""No program of fewer cycles of the ALU rounds half to even than the one that is used, in a machine of seven bits.

A step with an immediate takes a cycle for each tile, one with two tiles two. Half up is one shift: the half stands in
the bias. Half to even reads the sum twice, so that there is a second tile, into which it is added (2 cycles) on a
constant (1), a shift of each (2), and the sum of both (2): 7 cycles. The search goes over all immediates.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

WIDTH = 7
HALF = 1 << (WIDTH - 1)
BITS = 1
"""How many bits are rounded off. Parity counts from here on: more bits have the same steps farther apart."""

Functions = NDArray[np.int8]
"""What a tile holds for each sum: one program in a row."""

SUMS = np.arange(-8, 8)


def _wrapped(values: NDArray[np.int16]) -> Functions:
    return (((values + HALF) & (2 * HALF - 1)) - HALF).astype(np.int8)


def _half_even(sums: NDArray[np.int_]) -> NDArray[np.int_]:
    return np.round(sums / (1 << BITS)).astype(np.int_)


def _distinct(found: Functions) -> Functions:
    rows = np.ascontiguousarray(found).view(np.dtype((np.void, found.shape[-1])))
    return found[np.unique(rows, return_index=True)[1]]


def _with_immediates(before: Functions) -> Functions:
    """What one more step with any immediate leaves."""
    wide = before.astype(np.int16)
    made = [_wrapped(wide + number) for number in range(-HALF, HALF)]
    made += [np.minimum(before, np.int8(number)) for number in range(-HALF, HALF)]
    made += [np.maximum(before, np.int8(number)) for number in range(-HALF, HALF)]
    made += [before >> np.int8(amount) for amount in range(1, WIDTH)]
    made += [_wrapped(wide << np.int16(amount)) for amount in range(1, WIDTH)]
    return _distinct(np.concatenate(made))


def _combined(one: Functions, other: Functions) -> Functions:
    """What a step with two tiles leaves, of each row with each row."""
    left, right = one[:, None], other[None]
    made = [_wrapped(left.astype(np.int16) + right), np.minimum(left, right), np.maximum(left, right)]
    return np.concatenate([found.reshape(-1, found.shape[-1]) for found in made])


def _rounds(found: Functions) -> bool:
    """Whether a program gives the rounded sums, or those and a constant, which a store may cut off."""
    wanted = _half_even(SUMS)
    shifted = _wrapped(found.astype(np.int16) - found[:, :1].astype(np.int16))
    return bool((shifted == (wanted - wanted[0])).all(axis=-1).any())


def _sums(offset: int) -> Functions:
    """The sums with a number that the bias holds."""
    return (SUMS + offset).astype(np.int8)[None]


def _with_one_step_more(sums: Functions) -> Iterator[Functions]:
    """Two steps with two tiles, the first of which copies the sums onto a constant, and one with an immediate."""
    once = _distinct(np.concatenate([sums, _with_immediates(sums)]))
    yield _combined(once, once)
    yield _combined(sums, _with_immediates(once))
    yield _with_immediates(_distinct(_combined(sums, once)))
    for one in once:
        yield _combined(one[None], _with_immediates(one[None]))


def _of_copies(sums: Functions) -> Iterator[Functions]:
    """Those that copy the sums as they are and have two steps with immediates, other than `_with_one_step_more`."""
    once = _distinct(np.concatenate([sums, _with_immediates(sums)]))
    yield _with_immediates(_with_immediates(_distinct(_combined(sums, sums))))
    yield _with_immediates(_distinct(np.concatenate([_combined(one[None], one[None]) for one in once])))


def test_the_steps_that_are_used_round_half_to_even() -> None:
    up = _sums(1 << (BITS - 1)).astype(np.int16)
    found = (up >> (BITS + 1)) + ((up + (1 << BITS) - 1) >> (BITS + 1))
    np.testing.assert_array_equal(found[0], _half_even(SUMS))
    assert _rounds(found.astype(np.int8))


def test_no_program_of_one_tile_does() -> None:
    for offset in range(1 << BITS):
        once = _distinct(np.concatenate([_sums(offset), _with_immediates(_sums(offset))]))
        assert not _rounds(_with_immediates(once))


def test_no_program_with_one_step_less_does() -> None:
    """A second tile holds a constant, for a cycle, before the sums are added, or numbers that a maximum replaces."""
    for offset in range(1 << BITS):
        assert not any(_rounds(found) for found in _with_one_step_more(_sums(offset)))
        assert not any(_rounds(found) for found in _of_copies(_sums(offset)))
