"""Lookups: directives that give a handle and change nothing."""

from __future__ import annotations

from vtac.analysis.nests.nest import enclosing_loops
from vtac.dialects.schedule import lookups as ops
from vtac.dialects.schedule.arguments import make_directive, whole
from vtac.schedule.recording import Recording, name_hint
from vtac.schedule.references import BlockRef, BufferRef, LoopRef
from vtac.text.excerpts import pointed_methods


@pointed_methods
class Lookups(Recording):
    """The methods that find blocks, loops and buffers."""

    def get_block(self, name: str, position: int | None = None) -> BlockRef:
        """The block of that name; with a position, that one of the blocks from an operation, as `linalg.matmul`.

        Positions count from 0 in program order. Raises with the names there are.
        """
        return self._blocks(self.direct(ops.GetBlockOp, block_name=name, position=position))[0]

    def get_loops(self, block: BlockRef) -> tuple[LoopRef, ...]:
        """All loops around a block, outermost first."""
        op = make_directive(ops.GetLoopsOp, {"block": block}, 0)
        found = enclosing_loops(self._handles.block(op.block, op))
        return self._loops(self._apply(make_directive(ops.GetLoopsOp, {"block": block}, len(found))))

    def get_loop(self, block: BlockRef, name: str | int) -> LoopRef:
        """The innermost loop of that name around a block, or the one at a position: 0 is outermost, -1 innermost.

        A dimension of the block's named operation (`m`, `kh`, ...) names the one loop that runs over it.
        """
        position = whole(name)
        wanted = name if position is None else f"#{position}"
        return self._loops(self.direct(ops.GetLoopOp, block=block, loop_name=wanted))[0]

    def get_buffer(self, name: str) -> BufferRef:
        """The buffer of that name."""
        op = self.direct(ops.GetBufferOp, buffer_name=name)
        op.buffer.name_hint = name_hint(name)
        return BufferRef(op.buffer, name)
