"""Where buffers lie in DRAM: 4 KiB pages from 0x1000, in order, micro-ops last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain, count
from math import prod
from typing import Literal

from vtac.dialects.hardware import DRAM_PAGE_BYTES

Role = Literal["input", "constant", "filled", "output", "scratch", "uop"]
"""What a buffer is for; one that is `filled` has contents before a run, and kernels store parts of it."""

CONTENTS: tuple[Role, ...] = ("constant", "filled")
"""Roles of buffers with contents that no caller gives."""

DType = Literal["int8", "int16", "int32", "int64", "uint32"]

FIRST_ADDRESS = 0x1000
_ITEM_BYTES: dict[str, int] = {"int8": 1, "int16": 2, "int32": 4, "int64": 8, "uint32": 4}
_HOST_ITEM_BYTES: dict[str, int] = {"bool": 1, "float16": 2, "float32": 4, "float64": 8}
"""What a host function may take besides."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """One buffer in DRAM. `address` is its physical byte address, `shape` counts items.

    `strides` are the items between neighbours in each dimension where it is laid out as a part of something larger,
    with gaps; there are none where its items lie one behind the other.
    """

    name: str
    role: Role
    dtype: DType
    shape: tuple[int, ...]
    address: int = 0
    is_argument: bool = False
    is_result: bool = False
    strides: tuple[int, ...] = ()

    @property
    def span(self) -> int:
        """Items from its first to its last, gaps included."""
        if not self.strides or not all(self.shape):
            return prod(self.shape)
        return 1 + sum((extent - 1) * stride for extent, stride in zip(self.shape, self.strides, strict=True))

    @property
    def nbytes(self) -> int:
        """Bytes from its first to its last, gaps included."""
        return self.span * (_ITEM_BYTES | _HOST_ITEM_BYTES)[self.dtype]


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

    Each starts on a multiple of `alignment` bytes, the configuration's DRAM alignment.
    """
    address = FIRST_ADDRESS
    placed: list[Buffer] = []
    for buffer in buffers:
        address = align(address, alignment)
        placed.append(replace(buffer, address=address))
        address = align(address + buffer.nbytes, DRAM_PAGE_BYTES)
    return placed, address


def place_shared(buffers: Iterable[tuple[Buffer, int]], address: int, alignment: int) -> tuple[list[Buffer], int]:
    """Buffers at their offsets in an area that begins behind `address`, and the first free page after it."""
    base = align(address, alignment)
    placed = [replace(buffer, address=base + offset) for buffer, offset in buffers]
    end = max((buffer.address + buffer.nbytes for buffer in placed), default=address)
    return placed, align(end, DRAM_PAGE_BYTES)


def align(address: int, step: int) -> int:
    """The next multiple of `step`."""
    return -(-address // step) * step
