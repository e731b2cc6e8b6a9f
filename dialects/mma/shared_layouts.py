"""How a buffer lies in shared memory: plain or padded rows, or rows whose 16-byte chunks change places (a swizzle).

Shared memory has 32 banks of 4 bytes. Eight lanes move 16 bytes each at a time, and do so at once where they come to
all 32 banks: eight rows of a matrix at the same column do not, where the pitch is a multiple of 128 bytes. A swizzle
gives each row its chunks in another order: chunk c of row r lies where chunk c xor r would (both taken modulo the
chunks that change places). Padding does the same with a pitch of an odd multiple of 16 bytes, and takes memory.

For a pitch of up to 128 bytes this is the swizzle of `wgmma` and TMA: bits 4 to 6 of an address take up bits 7 to 9.
Wider rows they take in panels: of each row the first `swizzle` bytes lie in the first panel, the next in the second.
Panels of one chunk need no other order: eight rows at one column are neighbours there, and meet all banks as they lie.
"""

from __future__ import annotations

from dataclasses import dataclass

CHUNK = 16
"""Bytes that stay together."""
BANKS_BYTES = 128
"""Bytes of all banks side by side."""
SWIZZLES = (0, 32, 64, 128)
"""Bytes of a row within which chunks change places; 0 for none."""


@dataclass(frozen=True, slots=True)
class SharedLayout:
    """Rows `pitch` bytes apart, whose chunks change places within each `swizzle` bytes; 0 where they do not.

    `panel_rows`, where it is not 0: every so many rows are cut into panels of `swizzle` bytes of each row, one panel
    after the other, and chunks change places within a panel's rows.
    """

    pitch: int
    swizzle: int = 0
    panel_rows: int = 0

    def problem(self) -> str:
        """Why memory cannot lie so; empty when it can."""
        if self.swizzle not in SWIZZLES and not (self.swizzle == CHUNK and self.panel_rows):
            return f"a swizzle of {self.swizzle} bytes; {known_swizzles()} are possible, or 0 for none"
        if self.pitch < CHUNK or self.pitch % CHUNK:
            return f"a pitch of {self.pitch} bytes; a multiple of {CHUNK} is required"
        if self.swizzle and self.pitch % self.swizzle:
            return (
                f"a pitch of {self.pitch} bytes with a swizzle of {self.swizzle}: rows have to be whole multiples of "
                "the bytes that change places"
            )
        if self.panel_rows and not self.swizzle:
            return f"panels without a swizzle; a panel has rows of {CHUNK}, {known_swizzles()} bytes"
        if self.panel_rows and self.panel_rows * self.swizzle % self.period:
            return f"panels of {self.panel_rows} rows; the orders of chunks begin anew every {self.period} bytes"
        if self.swizzle and not self.panel_rows and self.pitch < BANKS_BYTES and BANKS_BYTES % self.pitch:
            return f"a pitch of {self.pitch} bytes with a swizzle: it has to divide {BANKS_BYTES} or be a multiple"
        return ""

    @property
    def shown(self) -> str:
        """The record as its attribute prints it."""
        panels = f" panels {self.panel_rows}" if self.panel_rows else ""
        return f"swizzle {self.swizzle} pitch {self.pitch}{panels}"

    @property
    def span(self) -> int:
        """Bytes within which chunks change places, as maps and descriptors name it; 0 where none does."""
        return self.swizzle if self.swizzle in SWIZZLES else 0

    @property
    def chunks(self) -> int:
        """Chunks that change places among each other."""
        return self.swizzle // CHUNK

    @property
    def row(self) -> int:
        """Bytes after which the order of chunks becomes another: a row, or as many as fill all banks."""
        return max(self.swizzle if self.panel_rows else self.pitch, BANKS_BYTES)

    @property
    def period(self) -> int:
        """Bytes after which the orders begin anew: a buffer, and each of its stages, starts at a multiple."""
        return self.row * max(self.chunks, 1)

    def place(self, byte: int) -> int:
        """Where a byte of the buffer lies."""
        if not self.swizzle:
            return byte
        apart = self.panelled(byte)
        return apart ^ (apart // self.row % self.chunks * CHUNK)

    def panelled(self, byte: int) -> int:
        """Where a byte of plain rows lies in panels, before chunks change places."""
        if not self.panel_rows:
            return byte
        row, column = divmod(byte, self.pitch)
        stage, row = divmod(row, self.panel_rows)
        panel, rest = divmod(column, self.swizzle)
        return ((stage * (self.pitch // self.swizzle) + panel) * self.panel_rows + row) * self.swizzle + rest


def known_swizzles() -> str:
    """The swizzles that there are, in words."""
    return f"{', '.join(map(str, SWIZZLES[1:-1]))} or {SWIZZLES[-1]}"
