"""What one run takes on at most: memory, iterations and operations, each a setting of the environment.

A limit is looked at before work starts, so that a program that asks for more is refused at once and
with a small memory. What hardware limits is not settled here but by the target, and cannot be set.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from vtac.errors import VtacError

INSTRUCTION_BYTES = 1 << 10
"""What an instruction takes while a stream is written: its row, its origin and what orders it."""

STEP_ITERATIONS = 1 << 10
"""Iterations that numpy computes side by side in the time of one that it computes by itself."""


class LimitError(VtacError):
    """A setting of the environment that is no limit."""

    kind = "limit"


@dataclass(frozen=True)
class Limit:
    """One limit: the variable that sets it, what it is without one, and what it counts."""

    variable: str
    default: int
    unit: str

    @property
    def value(self) -> int:
        """The limit as it is set now. Raises `LimitError` for a setting that is no positive integer."""
        text = os.environ.get(self.variable, "").strip()
        if not text:
            return self.default
        if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) > 0):
            raise LimitError(f"{self.variable}={text!r}: a positive number of {self.unit} is required, such as 1000000")
        return int(text)

    def refusal(self, amount: int) -> str:
        """Why an amount is too much, and how to allow it; empty where it is not."""
        most = self.value
        if amount <= most:
            return ""
        return f"{shown(amount)} {self.unit}; the limit is {most:,} (set {self.variable} to allow more)"


_MOST_DIGITS = 30

MEMORY = Limit("VTAC_MAX_MEMORY", 1 << 32, "bytes")
"""What the arrays of one program, or one constant, may take."""

ITERATIONS = Limit("VTAC_MAX_ITERATIONS", (1 << 31) - 1, "iterations")
"""Iterations of one loop nest that is executed or laid out."""

OPERATIONS = Limit("VTAC_MAX_OPERATIONS", 1 << 17, "operations")
"""Operations of the IR that one rewrite may write out, as unrolling does."""

CACHE = Limit("VTAC_MAX_CACHE", 1 << 30, "bytes")
"""What the programs that are kept for the next time may take on disk."""

LIMITS = (MEMORY, ITERATIONS, OPERATIONS, CACHE)
"""All of them."""


def shown(amount: int) -> str:
    """An amount for a message, however large."""
    return f"{amount:,}" if amount < 1 << 100 else f"2**{amount.bit_length() - 1} or more"
