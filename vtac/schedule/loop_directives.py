"""Directives on loops: their order, their extents, and the hardware that runs them."""

from __future__ import annotations

from vtac.dialects.schedule import loop_directives as ops
from vtac.dialects.schedule.spellings import Intrinsic, TailName, ThreadName
from vtac.errors import ScheduleError
from vtac.schedule.recording import Recording
from vtac.schedule.references import LoopRef
from vtac.text.excerpts import pointed_methods


@pointed_methods
class LoopDirectives(Recording):
    """The methods that change loops, or say what runs them."""

    def split(
        self, loop: LoopRef, factor: int | None = None, nparts: int | None = None, tail: TailName = "error"
    ) -> tuple[LoopRef, LoopRef]:
        """Split a loop by inner extent (`factor`) or outer extent (`nparts`); (outer, inner).

        `tail` says what happens when that does not divide: "error", "guard" or "peel". Raises `ScheduleError` for a
        factor that is no integer.
        """
        if isinstance(factor, list | tuple):
            raise ScheduleError(
                f"split: factor is {factor!r}; one integer is required, as factor or nparts: split the inner loop "
                "again for more than two loops"
            )
        outer, inner = self._loops(self.direct(ops.SplitOp, loop=loop, factor=factor, nparts=nparts, tail=tail))
        return outer, inner

    def fuse(self, *loops: LoopRef) -> LoopRef:
        """Fuse perfectly nested loops, outermost first, into one."""
        return self._loops(self.direct(ops.FuseOp, loops=loops))[0]

    def reorder(self, *loops: LoopRef) -> None:
        """Put loops of one nest in the order given."""
        self.direct(ops.ReorderOp, loops=loops)

    def bind(self, loop: LoopRef, thread: ThreadName) -> None:
        """Bind a loop to "cthread" (virtual threads) or to a GPU index such as "blockIdx.x"."""
        self.direct(ops.BindOp, loop=loop, thread=thread)

    def vectorize(self, loop: LoopRef) -> None:
        """Run a loop's iterations as one vector operation."""
        self.direct(ops.VectorizeOp, loop=loop)

    def unroll(self, loop: LoopRef) -> None:
        """Repeat a loop's body instead of looping."""
        self.direct(ops.UnrollOp, loop=loop)

    def rotate(self, loop: LoopRef, outer: LoopRef, step: int) -> None:
        """Start a reduction loop `step` iterations later, modulo its extent, per iteration of `outer`."""
        self.direct(ops.RotateOp, loop=loop, outer=outer, step=step)

    def tensorize(self, loop: LoopRef, intrinsic: Intrinsic) -> None:
        """Compute a loop and all it holds by one hardware intrinsic, such as "vta.gemm"."""
        self.direct(ops.TensorizeOp, loop=loop, intrinsic=intrinsic)

    def dma_copy(self, loop: LoopRef) -> None:
        """Move what a loop copies by DMA."""
        self.direct(ops.DmaCopyOp, loop=loop)

    def alu(self, loop: LoopRef) -> None:
        """Compute a loop's elementwise block on the vector ALU."""
        self.direct(ops.AluOp, loop=loop)
