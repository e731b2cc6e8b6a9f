"""How long a search goes on: seconds, a number of tilings, or to its end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from time import monotonic

from vtac.errors import VtacError
from vtac.text.short import counted

_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_FORM = re.compile(r"(?P<number>\d{1,9}(?:\.\d{1,6})?)\s*(?P<unit>s|m|min|h)?")


@dataclass(frozen=True)
class Budget:
    """Seconds or tilings, of which at least one is None; both None are a search to its end.

    With a number of tilings the result is the same on any machine; with seconds it is what was found by then.
    """

    seconds: float | None = None
    tilings: int | None = None

    def __str__(self) -> str:
        if self.seconds is not None:
            return f"{self.seconds:g} s"
        return "the whole space" if self.tilings is None else counted(self.tilings, "tiling")

    def deadline(self) -> float | None:
        """When it ends, if it begins now."""
        return None if self.seconds is None else monotonic() + self.seconds


def shared(tilings: int, weights: Sequence[int]) -> list[int]:
    """Tilings by weights, all of them: what all up to one have is rounded down."""
    ends = [tilings * together // sum(weights) for together in accumulate(weights)]
    return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]


def budget_of(given: str | float | None) -> Budget:
    """`"60s"`, `"5m"`, `"1h"` are time and `"500"` is a number of tilings; so are a float and an int. None: no end.

    Raises `VtacError` for anything else, and for nothing at all.
    """
    if given is None:
        return Budget()
    if isinstance(given, str):
        match = _FORM.fullmatch(given.strip())
        if match is None or (match["unit"] is None and "." in match["number"]):
            raise VtacError(
                f"'{given}' is no budget: give seconds, minutes or hours such as 60s, 5m or 1h, or a number of tilings"
            )
        number = float(match["number"])
        found = Budget(tilings=int(number)) if match["unit"] is None else Budget(number * _UNITS[match["unit"]])
    else:
        found = Budget(tilings=given) if isinstance(given, int) else Budget(given)
    if not (found.seconds or found.tilings) or (found.seconds or 0) < 0 or (found.tilings or 0) < 0:
        raise VtacError(f"a budget of {given} finds nothing: give at least one tiling, or some seconds such as 60s")
    return found
