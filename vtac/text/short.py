"""Short texts for the prompt: the signature of a program, names and numbers in a line."""

from __future__ import annotations

from collections.abc import Sequence

from vtac.targets.target import Parameter
from vtac.text.reports import one_line

MOST_PARAMETERS = 6
MOST_CHARACTERS = 60


def short_name(name: str, most: int = MOST_CHARACTERS) -> str:
    """A name on one line, without characters that cannot be seen, cut when it has more than so many."""
    seen = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in one_line(name))
    return seen if len(seen) <= most else f"{seen[: most - 3]}..."


def signature(name: str, arguments: Sequence[Parameter], results: Sequence[Parameter]) -> str:
    """What a program takes and gives: `matmul(data int8[1x64], weight int8[64x64]) -> (res int8[1x64])`."""
    return f"{short_name(name)}({_parameters(arguments)}) -> ({_parameters(results)})"


def counted(count: int, what: str) -> str:
    """`1 stream`, `2 streams`, `1,200 instructions`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _parameters(parameters: Sequence[Parameter]) -> str:
    shown = [_parameter(one) for one in parameters[:MOST_PARAMETERS]]
    more = len(parameters) - len(shown)
    return ", ".join([*shown, *([f"{more} more"] if more else [])])


def _parameter(parameter: Parameter) -> str:
    shape = "x".join(map(str, parameter.shape))
    return f"{short_name(parameter.name)} {parameter.dtype}[{shape}]"
