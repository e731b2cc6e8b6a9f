"""Directives on blocks and buffers: where a block is computed, and where what it reads and writes lies."""

from __future__ import annotations

from typing import SupportsIndex, overload

from xdsl.dialects.builtin import BoolAttr, StringAttr, UnitAttr
from xdsl.ir import Attribute

from vtac.dialects.schedule import block_directives as ops
from vtac.dialects.schedule.arguments import INTEGER, integer
from vtac.dialects.schedule.spellings import Scope
from vtac.errors import ScheduleError
from vtac.schedule.recording import Recording
from vtac.schedule.references import BlockRef, BufferRef, LoopRef
from vtac.text.excerpts import pointed_methods

Annotation = int | bool | str | None


@pointed_methods
class BlockDirectives(Recording):
    """The methods that place blocks and buffers."""

    def compute_at(self, block: BlockRef, loop: LoopRef) -> None:
        """Compute what a loop's consumers need of a block inside that loop."""
        self.direct(ops.ComputeAtOp, block=block, loop=loop)

    def reverse_compute_at(self, block: BlockRef, loop: LoopRef) -> None:
        """Compute a consumer block inside the loop that produces its input."""
        self.direct(ops.ReverseComputeAtOp, block=block, loop=loop)

    def compute_inline(self, block: BlockRef) -> None:
        """Replace reads of a block's output by its body."""
        self.direct(ops.ComputeInlineOp, block=block)

    def cache_read(self, block: BlockRef, index: int, scope: Scope, gather: bool = False) -> BlockRef:
        """Let a block read a copy of input `index` in a scope; the copying block.

        With `gather`, dimensions read in steps are copied without what lies between.
        """
        return self._blocks(self.direct(ops.CacheReadOp, block=block, index=index, scope=scope, gather=gather))[0]

    def cache_write(self, block: BlockRef, index: int, scope: Scope) -> BlockRef:
        """Let a block write a buffer in a scope, copied out afterwards; the copying block."""
        return self._blocks(self.direct(ops.CacheWriteOp, block=block, index=index, scope=scope))[0]

    @overload
    def set_scope(self, target: BlockRef | BufferRef, scope: Scope, /) -> None: ...
    @overload
    def set_scope(self, target: BlockRef, index: int, scope: Scope, /) -> None: ...
    def set_scope(self, target: BlockRef | BufferRef, *index_and_scope: int | str) -> None:
        """Place a buffer, or the output of a block, in a scope.

        `set_scope(block, 0, "vta.acc")`, `set_scope(block, "vta.acc")` or `set_scope(buffer, "vta.acc")`. Raises
        `ScheduleError` for other arguments.
        """
        index, scope = (0, *index_and_scope)[-2:] if len(index_and_scope) in (1, 2) else (None, None)
        if not isinstance(index, SupportsIndex) or not isinstance(scope, str):
            raise ScheduleError("set_scope: expected (target, scope) or (target, index, scope)")
        self.direct(ops.SetScopeOp, target=target, index=index, scope=scope)

    def decompose_reduction(self, block: BlockRef, loop: LoopRef) -> BlockRef:
        """Split a reduction's init off, before a loop; the init's block."""
        return self._blocks(self.direct(ops.DecomposeReductionOp, block=block, loop=loop))[0]

    def double_buffer(self, target: BlockRef | BufferRef, copies: int = 2) -> None:
        """Give a buffer, or the one that a block writes, copies used in turn by loop iterations.

        On the VTA tokens of the program then follow the data: a load may run ahead by as many
        iterations as its buffer has copies. `copies=1` asks for that order of tokens alone.
        Of fragments an iteration loads the next one's while it multiplies with its own.
        """
        self.direct(ops.DoubleBufferOp, target=target, copies=copies)

    def skip_padding(self, block: BlockRef) -> None:
        """Leave out the iterations of a multiply-accumulate that read padding of zeros."""
        self.direct(ops.SkipPaddingOp, block=block)

    def annotate(self, target: BlockRef | LoopRef, key: str, value: Annotation = None) -> None:
        """Put a note of your own on a block or loop."""
        self.direct(ops.AnnotateOp, target=target, key=key, value=_annotation(key, value))


def _annotation(key: str, value: object) -> Attribute:
    if value is None:
        return UnitAttr()
    if isinstance(value, bool):
        return BoolAttr.from_bool(value)
    if isinstance(value, str):
        return StringAttr(value)
    return integer("annotate", key, value, f"a bool, {INTEGER}, a string or None")
