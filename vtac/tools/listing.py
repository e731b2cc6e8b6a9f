"""Assembly listings that say where each instruction came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Origin(Protocol):
    """The operation that an instruction came from, its `file:line:col`, and its layer in a network."""

    @property
    def op(self) -> str: ...
    @property
    def location(self) -> str: ...
    @property
    def kernel(self) -> str: ...


def described(origin: Origin) -> str:
    """The origin as text: `conv1: vta.gemm net.mlir:12:8`."""
    layer = f"{origin.kernel}: " if origin.kernel else ""
    return f"{layer}{origin.op} {origin.location}".rstrip()


def listing(assembly: str, origins: Sequence[Origin]) -> str:
    """Returns `assembly`, one instruction per line, with each one's origin as a comment; unchanged without origins."""
    if not origins:
        return assembly
    lines = assembly.splitlines()
    width = max(len(line) for line in lines)
    commented = [f"{line:<{width}}  # {described(origin)}" for line, origin in zip(lines, origins, strict=True)]
    return "\n".join(commented) + "\n"
