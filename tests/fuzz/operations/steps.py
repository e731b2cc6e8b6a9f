"""Elementwise computation as a list of steps, each with its text and its meaning.

The steps of a list stand in the body of one generic, or in a generic each, as frontends print them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuzz.extrema import larger, smaller
from fuzz.networks import DTYPES, Network, Value
from fuzz.operations.text import generic, letters

Meaning = Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True)
class Step:
    """`lines` may hold `{x}` (what comes in), `{y}` (what goes out), `{v}` (an operand of the step's own), `{c}`
    followed by a number (a constant of the step) and `{t}` followed by one (a name for something between)."""

    element: str
    """Of the result."""
    lines: tuple[str, ...]
    meaning: Meaning
    constants: tuple[str, ...] = field(default=())
    operand: tuple[Value, str] | None = None
    """One more operand, and its map."""

    def text(self, position: int, given: str, operand: str) -> list[str]:
        names = {"x": given, "y": f"%y{position}", "v": operand, "c": f"%c{position}_", "t": f"%t{position}_"}
        made = [f"%c{position}_{i} = arith.constant {c}" for i, c in enumerate(self.constants)]
        return [*made, *(line.format(**names) for line in self.lines)]


def apply_steps(network: Network, name: str, source: Value, steps: Sequence[Step], *, chained: bool) -> Value:
    """Define `name` as what the steps make of a value."""
    if not chained:
        return _apply(network, name, source, steps)
    value = source
    for number, step in enumerate(steps):
        value = _apply(network, name if step is steps[-1] else f"{name}_s{number}", value, [step])
    return value


def _apply(network: Network, name: str, source: Value, steps: Sequence[Step]) -> Value:
    array: NDArray[Any] = network.results[source.name]
    operands, given, body = [(source, letters(len(source.shape)))], "%a0", list[str]()
    for position, step in enumerate(steps):
        if step.operand is not None:
            operands.append(step.operand)
        body += step.text(position, given, f"%a{len(operands) - 1}")
        given = f"%y{position}"
        array = step.meaning(array).astype(DTYPES[step.element])
    result = Value(name, source.shape, steps[-1].element)
    lines = [line.replace("linalg.yield %y", f"linalg.yield {given}") for line in generic(result, operands, body)]
    return network.define(result, lines, array)


_INTEGERS: dict[str, Callable[[Any, Any], Any]] = {
    "addi": np.add,
    "subi": np.subtract,
    "muli": np.multiply,
    "maxsi": np.maximum,
    "minsi": np.minimum,
    "shrsi": np.right_shift,
    "shli": np.left_shift,
}
_FLOATS: dict[str, Callable[[Any, Any], Any]] = {
    "addf": np.add,
    "mulf": np.multiply,
    "divf": np.divide,
    "maximumf": larger,
    "minimumf": smaller,
}
BINARY = tuple(_INTEGERS)


def meaning_of(operator: str, first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """Integers in 64 bits, which wrap to what the element type holds when stored."""
    return _INTEGERS[operator](first.astype(np.int64), second.astype(np.int64))


def integer(operator: str, number: int, element: str = "i32", *, reverse: bool = False) -> Step:
    """With a number on the right, or on the left."""
    constant = np.array(number, np.int64)
    sides = "{c}0, {x}" if reverse else "{x}, {c}0"

    def meaning(array: NDArray[Any]) -> NDArray[Any]:
        return meaning_of(operator, constant, array) if reverse else meaning_of(operator, array, constant)

    return Step(element, (f"{{y}} = arith.{operator} {sides} : {element}",), meaning, (f"{number} : {element}",))


def with_operand(operator: str, operand: tuple[Value, str], numbers: NDArray[Any], element: str = "i32") -> Step:
    """With an operand of its own, whose numbers are given as they broadcast."""
    return Step(
        element,
        (f"{{y}} = arith.{operator} {{x}}, {{v}} : {element}",),
        lambda array: meaning_of(operator, array, numbers),
        operand=operand,
    )


def floating(operator: str, number: float) -> Step:
    """In single precision, with a number on the right."""
    constant = np.float32(number)
    return Step(
        "f32",
        (f"{{y}} = arith.{operator} {{x}}, {{c}}0 : f32",),
        lambda array: _FLOATS[operator](array, constant),
        (f"{number:.9e} : f32",),
    )


def floating_operand(operator: str, operand: tuple[Value, str], numbers: NDArray[Any]) -> Step:
    return Step(
        "f32",
        (f"{{y}} = arith.{operator} {{x}}, {{v}} : f32",),
        lambda array: _FLOATS[operator](array, numbers),
        operand=operand,
    )


def round_even() -> Step:
    return Step("f32", ("{y} = math.roundeven {x} : f32",), np.rint)


def cast_to(operator: str, given: str, element: str) -> Step:
    """Any of arith's casts; unsigned ones read or write the same bits."""

    def meaning(array: NDArray[Any]) -> NDArray[Any]:
        if operator in ("extui", "uitofp"):
            return array.view(np.uint8)
        return array.astype(np.uint8).view(np.int8) if operator == "fptoui" else array

    return Step(element, (f"{{y}} = arith.{operator} {{x}} : {given} to {element}",), meaning)


def clamp(low: int, high: int, element: str = "i32", *, selected: bool = False) -> list[Step]:
    """By maximum and minimum, or by comparisons."""
    if not selected:
        return [integer("maxsi", low, element), integer("minsi", high, element)]
    return [_selected("slt", low, element), _selected("sgt", high, element)]


def _selected(predicate: str, number: int, element: str) -> Step:
    return Step(
        element,
        (
            f"{{t}}0 = arith.cmpi {predicate}, {{x}}, {{c}}0 : {element}",
            f"{{y}} = arith.select {{t}}0, {{c}}0, {{x}} : {element}",
        ),
        lambda array: np.maximum(array, number) if predicate == "slt" else np.minimum(array, number),
        (f"{number} : {element}",),
    )


def leaky(shift: int, element: str, *, selected: bool) -> Step:
    """x where positive, else x divided by a power of two, rounded down: as a maximum, or by a comparison."""
    lines = [f"{{t}}0 = arith.shrsi {{x}}, {{c}}0 : {element}"]
    constants = [f"{shift} : {element}"]
    if selected:
        lines += [
            f"{{t}}1 = arith.cmpi sge, {{x}}, {{c}}1 : {element}",
            f"{{y}} = arith.select {{t}}1, {{x}}, {{t}}0 : {element}",
        ]
        constants.append(f"0 : {element}")
    else:
        lines.append(f"{{y}} = arith.maxsi {{x}}, {{t}}0 : {element}")
    return Step(element, tuple(lines), lambda array: np.where(array >= 0, array, array >> shift), tuple(constants))
