"""Arithmetic on 32-bit integers as a list of steps, before there are operations for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from vtac.analysis.values.scaled_integers import Amount

StepName: TypeAlias = Literal["add", "sub", "mul", "max", "min", "shl", "shr"]


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, or one per channel, as an operand."""

    value: Amount


Source: TypeAlias = int | Constant
"""What a step takes: an operand or the result of an earlier step, by number, or a constant."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation; shifts right keep the sign."""

    name: StepName
    left: Source
    right: Source


@dataclass
class Recipe:
    """Steps over `operands` integers. Operands have the first numbers, then each step's result the next.

    `choices` say where the integers may differ from what rounded floats would have given.
    """

    operands: int
    steps: list[Step] = field(default_factory=list[Step])
    choices: list[str] = field(default_factory=list[str])

    def add(self, name: StepName, left: Source, right: Source) -> int:
        """The number of a new step's result."""
        self.steps.append(Step(name, left, right))
        return self.operands + len(self.steps) - 1

    def shift_left(self, source: int, amount: Amount) -> int:
        """`source << amount`; nothing for 0."""
        return source if amount == 0 else self.add("shl", source, Constant(amount))
