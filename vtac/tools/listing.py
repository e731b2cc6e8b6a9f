"""Assembly listings that say where each instruction came from."""

from __future__ import annotations

from collections.abc import Sequence


def listing(assembly: str, origins: Sequence[object]) -> str:
    """Returns `assembly`, one instruction per line, with each one's origin as a comment; unchanged without origins."""
    if not origins:
        return assembly
    lines = assembly.splitlines()
    width = max(len(line) for line in lines)
    commented = [f"{line:<{width}}  # {origin}" for line, origin in zip(lines, origins, strict=True)]
    return "\n".join(commented) + "\n"
