"""Assembly listings that say where each instruction came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Origin(Protocol):
    """The operation that an instruction came from, and its `file:line:col`."""

    @property
    def op(self) -> str: ...
    @property
    def location(self) -> str: ...


def listing(assembly: str, origins: Sequence[Origin]) -> str:
    """Returns `assembly`, one instruction per line, with each one's origin as a comment; unchanged without origins."""
    if not origins:
        return assembly
    lines = assembly.splitlines()
    width = max(len(line) for line in lines)
    commented = [
        f"{line:<{width}}  # {origin.op} {origin.location}".rstrip()
        for line, origin in zip(lines, origins, strict=True)
    ]
    return "\n".join(commented) + "\n"
