"""Extremes under guards, against all values."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from vtac.analysis.expressions.linear import Extents, Linear, Quotient, Remainder
from vtac.analysis.kernels.extremes import Problem, shortened

NAMES: tuple[str, ...] = ("a", "b", "c")
EXTENTS = st.fixed_dictionaries({name: st.integers(1, 6) for name in NAMES})


@st.composite
def expressions(draw: st.DrawFn, extents: Mapping[str, int]) -> Linear:
    """A sum of multiples of variables, of quotients and of remainders of such sums."""
    total = Linear(draw(st.integers(-6, 6)))
    for name in NAMES:
        total = total + Linear.variable(name) * draw(st.integers(-3, 3))
    if draw(st.booleans()):
        inner = Linear(draw(st.integers(0, 3)))
        for name in NAMES:
            inner = inner + Linear.variable(name) * draw(st.integers(0, 4))
        divisor = draw(st.integers(2, 5))
        divided = inner.floor_divide if draw(st.booleans()) else inner.modulo
        total = total + divided(divisor, {**extents}) * draw(st.integers(-3, 3))
    return total


def value(expression: Linear, point: Mapping[str, int]) -> int:
    total = expression.constant
    for atom, factor in expression.terms.items():
        if isinstance(atom, Quotient):
            total += factor * (value(atom.numerator, point) // atom.divisor)
        elif isinstance(atom, Remainder):
            total += factor * (value(atom.numerator, point) % atom.divisor)
        else:
            total += factor * point[str(atom)]
    return total


def bounds(expression: Linear, guards: list[Linear], extents: Mapping[str, int]) -> tuple[int, int] | None:
    points = [dict(zip(NAMES, at, strict=True)) for at in product(*(range(extents[name]) for name in NAMES))]
    found = [value(expression, at) for at in points if all(value(guard, at) >= 0 for guard in guards)]
    return (min(found), max(found)) if found else None


@given(st.data())
def test_exact_and_relaxed(data: st.DataObject) -> None:
    sizes = data.draw(EXTENTS)
    extents: Extents = {**sizes}
    expression = data.draw(expressions(sizes))
    guards = data.draw(st.lists(expressions(sizes), max_size=3))
    wanted = bounds(expression, guards, sizes)
    if wanted is None:
        return
    shorter = shortened(guards, extents)
    found = Problem.exact(expression, guards, shorter).extremes()
    assert found is not None
    assert (found[0].value, found[1].value) == wanted
    for extreme in found:
        point = dict.fromkeys(NAMES, 0) | {str(variable): at for variable, at in extreme.point.items()}
        assert value(expression, point) == extreme.value
    relaxed = Problem.relax(expression, guards, shorter).extremes()
    assert relaxed is not None
    assert relaxed[0].value <= wanted[0]
    assert relaxed[1].value >= wanted[1]


def test_a_row_and_a_column_of_a_pixel_are_taken_apart() -> None:
    """16 pixels in rows of 4: the one to the right below is one of them where row and column are at most 2."""
    extents: Extents = {"p": 16}
    pixel = Linear.variable("p")
    row, column = pixel.floor_divide(4, extents), pixel.modulo(4, extents)
    guards = [Linear(2) - row, Linear(2) - column]
    for made in (Problem.exact, Problem.relax):
        found = made(pixel + 5, guards, extents).extremes()
        assert found is not None
        assert (found[0].value, found[1].value) == (5, 15)
    assert Problem.relax(pixel + 5, guards, extents).points() == 1
    assert Problem.exact(pixel + 5, guards, extents).points() == 16


def test_guards_that_never_hold() -> None:
    extents: Extents = {"p": 16}
    pixel = Linear.variable("p")
    assert Problem.exact(pixel, [pixel - 12, Linear(11) - pixel], extents).extremes() is None
