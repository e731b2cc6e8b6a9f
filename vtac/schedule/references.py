"""What stands for blocks, loops and buffers of a schedule in Python."""

from __future__ import annotations

from dataclasses import dataclass

from vtac.analysis.nests.reductions import reduces
from vtac.dialects.schedule.arguments import Reference
from vtac.dialects.schedule.payload import ForOp
from vtac.text.short import short_name


@dataclass(frozen=True, eq=False)
class BlockRef(Reference):
    """A handle to one block."""

    name: str

    def __repr__(self) -> str:
        return f"<block {short_name(self.name)}>"


@dataclass(frozen=True, eq=False)
class LoopRef(Reference):
    """A handle to one loop, with its name and extent when the handle was made."""

    name: str
    extent: int
    _loop: ForOp

    @property
    def reduces(self) -> bool:
        """Whether iterations add to one result, in some block that stands in the loop now."""
        return reduces(self._loop)

    def __repr__(self) -> str:
        return f"<loop {short_name(self.name)} of {self.extent}>"


@dataclass(frozen=True, eq=False)
class BufferRef(Reference):
    """A handle to one buffer."""

    name: str

    def __repr__(self) -> str:
        return f"<buffer {short_name(self.name)}>"
