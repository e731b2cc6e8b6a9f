"""Floating point that is integer arithmetic in disguise: integers times powers of two, and their rounding."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vtac.partition.alu_trees import INT32, DeclineError, Number, Step
from vtac.partition.products import scaled_up

SINGLE_EXACT = 1 << 24
"""Integers up to here are exact in f32."""


def round_half_even(number: Number, amount: int) -> Number:
    """number / 2^amount, rounded to the nearest integer, half to even; the sum of all additions may not wrap.

    ((number >> n) + 1) has the quotient's parity inverted; its last bit, spread over the word, is -1 for an even
    quotient and 0 for an odd one. With 2^(n-1) added to that, the shift rounds half up for odd quotients and half
    down for even ones. Raises `DeclineError` where an addition may wrap.
    """
    if amount == 0:
        return number
    if amount < 0:
        return scaled_up(number, -amount)
    if number.tree is None:
        half, rest = divmod(number.low, 1 << amount)
        twice = 2 * rest - (1 << amount)
        return Number.constant(half + (twice > 0 or (twice == 0 and half % 2 == 1)))
    if amount > 30 or not number.within(INT32[0], INT32[1] - (1 << (amount - 1))):
        raise DeclineError(
            f"it rounds half to even by {amount} bits a value between {number.low} and {number.high}; with additions "
            "and shifts that is exact only while they stay within 32 bits: bound the bias, or clamp first"
        )
    parity = Step("shl", Step("add", Step("shr", number.tree, amount), 1), 31)
    even = Step("shr", parity, 31)
    total = Step("add", Step("add", number.tree, even), 1 << (amount - 1))
    one = 1 << amount
    return Number(Step("shr", total, amount), number.low // one, -(-number.high // one))


@dataclass(frozen=True)
class Scaled:
    """A floating-point number in disguise: `number` times 2^`exponent`.

    Beyond `limit` (after scaling to integers) rounding of f32 may have changed it.
    """

    number: Number
    exponent: int
    limit: int | None = None

    def times(self, power: int) -> Scaled:
        return replace(self, exponent=self.exponent + power)
