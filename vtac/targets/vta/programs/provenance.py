"""Where the instructions of a program come from."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from vtac.errors import ExecutionError
from vtac.targets.vta.programs.work import Work

_INSTRUCTION = re.compile(r"\binstruction (\d+)\b(?! \()")
"""How faults name instructions, but for those that they show in parentheses behind."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an instruction comes from: the IR op, its source location and the kernel; empty when unknown.

    In a program of several kernels, `kernel` names the call that the instruction belongs to.
    """

    op: str
    location: str
    kernel: str = ""

    def __str__(self) -> str:
        """The origin in a listing: `conv1: vta.gemm net.mlir:12:8`."""
        layer = f"{self.kernel}: " if self.kernel else ""
        return f"{layer}{self.op} {self.location}".rstrip()


@contextmanager
def placed_faults(origins: Sequence[Origin]) -> Generator[None]:
    """Faults of a stream's instructions, with the places that these come from where `origins` has them."""
    try:
        yield
    except ExecutionError as error:
        placed = _placed(error, origins)
        if placed is None:
            raise
        raise placed from None


def _placed(error: ExecutionError, origins: Sequence[Origin]) -> ExecutionError | None:
    """The same fault with its place, and the others' behind their numbers; None where its place is not known."""
    own = origins[error.index] if error.index is not None and error.index < len(origins) else None
    if own is None or not own.location or error.location:
        return None
    seen = {error.index}

    def named(match: re.Match[str]) -> str:
        number = int(match[1])
        known = number not in seen and number < len(origins) and bool(origins[number].location)
        seen.add(number)
        return f"{match[0]} ({origins[number]})" if known else match[0]

    message = _INSTRUCTION.sub(named, error.message)
    return type(error)(message, error.index, error.kind, own.location)


@dataclass(frozen=True, slots=True)
class StoredPart:
    """The part of a buffer that a kernel stores to: offset and strides in elements."""

    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def end(self) -> int:
        """Behind the last element of the buffer that belongs to the part."""
        extents = zip(self.shape, self.strides, strict=True)
        return self.offset + 1 + sum((extent - 1) * stride for extent, stride in extents)


@dataclass(frozen=True, slots=True)
class KernelCall:
    """One of the kernels that a program consists of: the buffers it loads from and stores to, by name.

    `work` is what its layer takes at least, where that is known. `parts` says for each of `writes` what of it the
    kernel stores, None for all; it is empty where that is so of each. `layers` are the named values of the source that
    the kernel computes, in their order there.
    """

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    work: Work | None = None
    parts: tuple[StoredPart | None, ...] = ()
    layers: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its name, and the other layers that it holds."""
        return title_of(self.name, self.layers)


def title_of(name: str, layers: Sequence[str], most: int = 3) -> str:
    """What reports call a kernel: its name, and the other layers that it holds, `pool1 (conv1)`."""
    others = [layer for layer in layers if layer != name]
    if not others:
        return name
    more = f" and {len(others) - most} more" if len(others) > most else ""
    return f"{name} ({', '.join(others[:most])}{more})"
