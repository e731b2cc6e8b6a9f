"""Where buffers lie in DRAM: 4 KiB pages from 0x1000, in order, micro-ops last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain, count
from math import prod
from typing import Literal

Role = Literal["input", "constant", "output", "scratch", "uop"]
DType = Literal["int8", "int16", "int32", "int64", "uint32"]

PAGE_BYTES = 4096
FIRST_ADDRESS = 0x1000
_ITEM_BYTES: dict[str, int] = {"int8": 1, "int16": 2, "int32": 4, "int64": 8, "uint32": 4}


@dataclass(frozen=True, slots=True)
class Buffer:
    """One buffer in DRAM. `address` is its physical byte address, `shape` counts items."""

    name: str
    role: Role
    dtype: DType
    shape: tuple[int, ...]
    address: int = 0
    is_argument: bool = False
    is_result: bool = False

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * _ITEM_BYTES[self.dtype]


class Names:
    """Names of buffers, each given once: `y`, `y_1`, `y_2`."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, name: str) -> str:
        """The name, with the first free number behind it when it is taken."""
        choices = chain((name,), (f"{name}_{number}" for number in count(1)))
        free = next(choice for choice in choices if choice not in self._taken)
        self._taken.add(free)
        return free


def place(buffers: Iterable[Buffer], alignment: int) -> tuple[list[Buffer], int]:
    """The buffers with addresses in order, and the first free page after them.

    Each starts on a page, and on a multiple of `alignment` bytes: the largest element, in
    whose units DRAM is addressed.
    """
    step = max(PAGE_BYTES, alignment)
    address = FIRST_ADDRESS
    placed: list[Buffer] = []
    for buffer in buffers:
        address = _align(address, step)
        placed.append(replace(buffer, address=address))
        address = _align(address + buffer.nbytes, PAGE_BYTES)
    return placed, address


def _align(address: int, step: int) -> int:
    return -(-address // step) * step
