"""Results of a run against the input program, as numpy executes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vtac.errors import VtacError
from vtac.evaluate import evaluate
from vtac.targets.cuda.comparison import compare
from vtac.tools.commands.programs import parse_program

_Array = NDArray[np.generic]


class DifferenceError(VtacError):
    """Results that are not the input program's."""

    kind = "difference"


def compared(source: str, function: str | None, inputs: Sequence[_Array], outputs: Mapping[str, _Array]) -> str:
    """A line per result of a program file that was run on some inputs.

    Integers must be equal, floats nearly so. Raises `DifferenceError` with the first element that differs.
    """
    expected = evaluate(parse_program(source, function), *inputs)
    wanted = expected if isinstance(expected, tuple) else (expected,)
    lines: list[str] = []
    for (name, found), right in zip(outputs.items(), wanted, strict=True):
        comparison = compare(found, right)
        if not comparison.correct:
            wrong = np.argwhere(found != right)
            first = tuple(int(index) for index in wrong[0])
            raise DifferenceError(
                f"result '{name}' differs from the program executed by numpy in {len(wrong):,} of {found.size:,} "
                f"elements, first in {list(first)}: {found[first]} instead of {right[first]}"
            )
        lines.append(f"{name}: {comparison}\n")
    return "".join(lines)
