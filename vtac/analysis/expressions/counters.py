"""Digits of a loop's iteration, `(i + offset) / period % wrap`, and how each follows from those before it.

A digit stays for `period` iterations, then goes one up, at `wrap` back to 0. Digits whose periods are products of other
digits' wraps step where those end: the digits of one number.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from vtac.analysis.expressions.linear import Linear, Quotient, Remainder


@dataclass(frozen=True)
class Digit:
    """`(i + offset) / period % wrap`; without a wrap the quotient alone."""

    period: int
    wrap: int | None
    offset: int

    @property
    def start(self) -> int:
        """The digit of iteration 0."""
        whole = self.offset // self.period
        return whole if self.wrap is None else whole % self.wrap

    @property
    def is_cheap(self) -> bool:
        """Whether shifts and masks give the digit: all its divisors are powers of two."""
        return _is_power(self.period) and _is_power(self.wrap or 1)

    @property
    def next(self) -> Digit | None:
        """The digit that is now what this one becomes when it steps; None where it only counts up."""
        if self.wrap is None:
            return None
        return Digit(self.period, self.wrap, (self.offset + self.period) % (self.period * self.wrap))


def digit_of(atom: Hashable, variable: Hashable) -> Digit | None:
    """A quotient or remainder as a digit of a variable; None for what is none."""
    if isinstance(atom, Quotient):
        offset = _offset(atom.numerator, variable)
        return None if offset is None else Digit(atom.divisor, None, offset)
    if not isinstance(atom, Remainder):
        return None
    offset = _offset(atom.numerator, variable)
    if offset is not None:
        return Digit(1, atom.divisor, offset)
    (inner, *others) = atom.numerator.terms
    if others or not isinstance(inner, Quotient) or atom.numerator.terms[inner] != 1:
        return None
    offset = _offset(inner.numerator, variable)
    return (
        None if offset is None else Digit(inner.divisor, atom.divisor, offset + atom.numerator.constant * inner.divisor)
    )


def _offset(numerator: Linear, variable: Hashable) -> int | None:
    """The constant of `variable + constant`."""
    return numerator.constant if numerator.terms == {variable: 1} and numerator.constant >= 0 else None


def _is_power(number: int) -> bool:
    return number & (number - 1) == 0


class Counters:
    """Digits that a loop carries, in an order in which each may be stepped before those after it."""

    def __init__(self, wanted: Iterable[Digit]) -> None:
        self._all: dict[Digit, None] = dict.fromkeys(wanted)
        for digit in list(self._all):
            self._complete(digit)
        self.order: Sequence[Digit] = self._ordered()

    def turns(self, digit: Digit) -> list[Digit]:
        """The digits that all stand at their last value where one steps; none where it steps after every iteration.

        Raises `ValueError` where no digits end so often.
        """
        found: list[Digit] = []
        period = digit.period
        while period > 1:
            lower = self._ending(period, digit.offset)
            if lower is None:
                raise ValueError(f"no digit ends every {period} iterations")
            found.append(lower)
            period = lower.period
        return found

    def follows(self, digit: Digit) -> Digit | None:
        """A digit carried too, stepped later, that is now what this one becomes; None without one."""
        after = digit.next
        is_later = after in self._all and self.order.index(after) > self.order.index(digit)
        return after if is_later else None

    def _complete(self, digit: Digit) -> None:
        """Let there be digits that say when this one steps."""
        period = digit.period
        while period > 1:
            lower = self._ending(period, digit.offset)
            if lower is None:
                self._all[Digit(1, period, digit.offset % period)] = None
                return
            period = lower.period

    def _ending(self, period: int, offset: int) -> Digit | None:
        """A digit that comes to its end every so many iterations, at those of an offset."""
        return next(
            (
                one
                for one in sorted(self._all, key=lambda one: -one.period)
                if one.wrap is not None and one.period * one.wrap == period and (one.offset - offset) % period == 0
            ),
            None,
        )

    def _ordered(self) -> Sequence[Digit]:
        found: dict[Digit, None] = {}
        visited: set[Digit] = set()

        def visit(digit: Digit) -> None:
            if digit in visited:
                return
            visited.add(digit)
            after = digit.next
            if after in self._all:
                visit(after)
            found[digit] = None

        for digit in sorted(self._all, key=lambda one: (one.period, one.wrap or 0, one.offset)):
            visit(digit)
        return sorted(found, key=lambda one: one.period)[::-1]
