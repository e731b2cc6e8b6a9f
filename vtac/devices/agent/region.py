"""Memory that host and accelerator share: one contiguous range, and blocks in it."""

from __future__ import annotations

import hashlib
from typing import Protocol

from vtac.devices.agent.faults import Refusal

ADDRESS_END = 1 << 32
"""The accelerator's addresses have 32 bits."""

_ZEROS = bytes(1 << 20)


class Region(Protocol):
    """A contiguous range. `base` is the address of its first byte as the accelerator sees it."""

    base: int
    view: memoryview
    """The host's view, as bytes."""

    def to_device(self, offset: int, nbytes: int) -> None:
        """Make what the host wrote visible to the accelerator."""
        ...

    def from_device(self, offset: int, nbytes: int) -> None:
        """Make what the accelerator wrote visible to the host."""
        ...

    def close(self) -> None: ...


class PlainRegion:
    """A range of ordinary memory, coherent."""

    def __init__(self, base: int, view: memoryview) -> None:
        self.base = base
        self.view = view

    def to_device(self, offset: int, nbytes: int) -> None:
        """Nothing to do."""

    def from_device(self, offset: int, nbytes: int) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to give back."""


class Block:
    """Bytes `address` to `address + nbytes` of a region, as the accelerator addresses them."""

    def __init__(self, address: int, nbytes: int) -> None:
        self.address = address
        self.nbytes = nbytes

    @property
    def end(self) -> int:
        return self.address + self.nbytes

    def holds(self, address: int, nbytes: int) -> bool:
        return self.address <= address and nbytes >= 0 and address + nbytes <= self.end


class Heap:
    """Blocks of a region, the first place that fits; new ones hold zeros."""

    def __init__(self, region: Region) -> None:
        if region.base < 0 or region.base + region.view.nbytes > ADDRESS_END:
            raise Refusal(
                "address",
                f"memory at 0x{region.base:x} of {region.view.nbytes} bytes; the accelerator's addresses have 32 bits",
                "reserve memory below 4 GiB",
            )
        self.region = region
        self.blocks: list[Block] = []

    @property
    def largest_free(self) -> int:
        """Bytes of the largest gap."""
        return max((end - begin for begin, end in self._gaps()), default=0)

    def allocate(self, nbytes: int, alignment: int) -> Block:
        """A block of zeros. Raises `Refusal` where none is large enough."""
        for begin, end in self._gaps():
            address = -(-begin // alignment) * alignment
            if address + nbytes <= end:
                block = Block(address, nbytes)
                self.blocks.append(block)
                self.blocks.sort(key=lambda held: held.address)
                self.clear(address, nbytes)
                return block
        raise Refusal(
            "memory",
            f"{nbytes:,} contiguous bytes are wanted; the largest gap in the device's {self.region.view.nbytes:,} "
            f"bytes has {self.largest_free:,}",
            "close other programs on the device, or give it more memory",
        )

    def free(self, block: Block) -> None:
        self.blocks.remove(block)

    def bytes_at(self, address: int, nbytes: int) -> memoryview:
        """The host's view of a range, which its holder has looked at."""
        offset = address - self.region.base
        return self.region.view[offset : offset + nbytes]

    def clear(self, address: int, nbytes: int) -> None:
        """Zeros."""
        view = self.bytes_at(address, nbytes)
        for begin in range(0, nbytes, len(_ZEROS)):
            step = min(len(_ZEROS), nbytes - begin)
            view[begin : begin + step] = _ZEROS[:step]
        self.region.to_device(address - self.region.base, nbytes)

    def digest(self, block: Block, ranges: list[tuple[int, int]]) -> str:
        """SHA-256 of parts of a block, as (offset, bytes), in hexadecimal."""
        found = hashlib.sha256()
        for offset, nbytes in ranges:
            self.region.from_device(block.address + offset - self.region.base, nbytes)
            found.update(self.bytes_at(block.address + offset, nbytes))
        return found.hexdigest()

    def _gaps(self) -> list[tuple[int, int]]:
        begins = [self.region.base, *(block.end for block in self.blocks)]
        ends = [*(block.address for block in self.blocks), self.region.base + self.region.view.nbytes]
        return [(begins[place], ends[place]) for place in range(len(begins))]
