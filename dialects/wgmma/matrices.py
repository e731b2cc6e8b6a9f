"""Matrices in shared memory as `wgmma` reads them: what a descriptor says of one, bit by bit, and where it lies.

Plain Python. After the PTX manual's sections on matrix descriptors and canonical layouts. A matrix consists of pieces
of 8 rows of `swizzle` bytes. By `k_major` a row of m (or n) is a row of a piece, by `mn_major`, for elements of 16
bits, a row of k. The 16-byte chunks of each row change places by the row's number, which is in bits 7 to 9 of an
address: a piece of 128-byte rows starts at a multiple of 1,024.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vtac.dialects.gpu_hardware import ELEMENT_BYTES
from vtac.dialects.mma.shared_layouts import CHUNK, SWIZZLES

PIECE_ROWS = 8
"""Rows of a piece."""
MAJORS = ("k_major", "mn_major")
_CODES: Mapping[int, int] = MappingProxyType({0: 0, 128: 1, 64: 2, 32: 3})
"""Bits 62 and 63 by swizzle."""
_FIELD = 14
"""Bits of an address, and of either offset, in units of 16 bytes."""
_LEADING, _STRIDE, _SWIZZLE = 16, 32, 62
"""Where the fields begin; the address begins at bit 0."""
ADDRESSABLE = CHUNK << _FIELD
"""Bytes of shared memory that a descriptor tells apart."""


@dataclass(frozen=True, slots=True)
class SharedMatrix:
    """How a matrix of `element` lies from its first byte on: all that a descriptor says but the address.

    `leading` and `stride` are in bytes. By `k_major` pieces of further rows lie `stride` apart, and `leading` separates
    the two chunks of k of a matrix that is not swizzled. By `mn_major` pieces of further k lie `stride` apart, and
    those of further m or n `leading`; not swizzled, the other way round.
    """

    element: str
    major: str
    swizzle: int
    leading: int
    stride: int

    def problem(self) -> str:
        """Why no matrix can lie so; empty when one can."""
        if self.element not in ("f16", "bf16", "tf32", "s8", "u8"):
            return f"a matrix of {self.element}; wgmma reads f16, bf16, tf32, s8 and u8"
        if self.major not in MAJORS:
            return f"unknown order '{self.major}'; the orders are {', '.join(MAJORS)}"
        if self.swizzle not in SWIZZLES:
            return f"a swizzle of {self.swizzle} bytes; 32, 64 or 128 are possible, or 0 for none"
        if self.major == "mn_major" and ELEMENT_BYTES[self.element] != 2:
            return f"a matrix of {self.element} in mn_major; elements of 16 bits only are read so: lay it out along k"
        for name, value in (("leading", self.leading), ("stride", self.stride)):
            if value % CHUNK or not 0 < value < ADDRESSABLE:
                return f"{name} {value}; a multiple of {CHUNK} bytes below {ADDRESSABLE:,} is required"
        return ""

    @property
    def alignment(self) -> int:
        """Bytes that the first row of a piece is a multiple of."""
        return max(CHUNK, PIECE_ROWS * self.swizzle)

    def encode(self, address: int) -> int:
        """The 64 bits of a descriptor."""
        return (
            address % ADDRESSABLE // CHUNK
            | self.leading // CHUNK << _LEADING
            | self.stride // CHUNK << _STRIDE
            | _CODES[self.swizzle] << _SWIZZLE
        )

    @property
    def constant(self) -> int:
        """A descriptor's bits besides the address."""
        return self.encode(0)

    def place(self, row: int, k: int) -> int:
        """Bytes from the first one to an element, before chunks change places; `row` of m or n."""
        width = ELEMENT_BYTES[self.element]
        if self.major == "mn_major":
            return self._place_by_columns(row, k)
        piece, line = divmod(row, PIECE_ROWS)
        chunk, byte = divmod(k * width, CHUNK)
        if self.swizzle:
            return piece * self.stride + line * self.swizzle + chunk * CHUNK + byte
        return piece * self.stride + line * CHUNK + chunk * self.leading + byte

    def _place_by_columns(self, row: int, k: int) -> int:
        piece, line = divmod(k, PIECE_ROWS)
        part, byte = divmod(2 * row, self.swizzle or CHUNK)
        if self.swizzle:
            return part * self.leading + piece * self.stride + line * self.swizzle + byte
        return part * self.stride + piece * self.leading + line * CHUNK + byte

    def swizzled(self, address: int) -> int:
        """Where the byte lies that would lie at an address if chunks did not change places."""
        order = address >> 7 & max(self.swizzle // CHUNK - 1, 0)
        return address ^ order * CHUNK

    @property
    def shown(self) -> str:
        """The record as its type prints it."""
        return f"{self.element} {self.major} swizzle {self.swizzle} leading {self.leading} stride {self.stride}"


def decode(descriptor: int, element: str, major: str) -> tuple[int, SharedMatrix]:
    """Address, and how the matrix lies, from a descriptor's bits."""

    def field(start: int, bits: int = _FIELD) -> int:
        return descriptor >> start & (1 << bits) - 1

    swizzle = {code: size for size, code in _CODES.items()}[field(_SWIZZLE, 2)]
    matrix = SharedMatrix(element, major, swizzle, field(_LEADING) * CHUNK, field(_STRIDE) * CHUNK)
    return field(0) * CHUNK, matrix
