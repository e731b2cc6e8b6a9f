"""Steps that the blocked schedules of matmul and conv2d end with: threads, memories, and instructions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vtac.schedule import BlockRef, LoopRef, Schedule


def share(schedule: Schedule, loop: LoopRef, threads: int, outermost: LoopRef) -> None:
    """Let virtual threads share a loop, outside of the outermost one; one thread is none."""
    if threads > 1:
        _, thread = schedule.split(loop, factor=threads)
        schedule.reorder(thread, outermost)
        schedule.bind(thread, "cthread")


def place(
    schedule: Schedule, product: BlockRef, elementwise: Sequence[BlockRef], operands: Sequence[BlockRef], step: LoopRef
) -> None:
    """Results stay among the accumulators; operands are loaded for each step of the reduction."""
    for block in (product, *elementwise):
        schedule.set_scope(block, 0, "vta.acc")
    for block in operands:
        schedule.compute_at(block, step)
        schedule.dma_copy(schedule.get_loop(block, "i0"))


def instruct(schedule: Schedule, elementwise: Sequence[BlockRef], stored: LoopRef, multiplied: LoopRef) -> None:
    """Tiles of the result are stored, those of the product multiplied, and the rest is for the ALU."""
    schedule.dma_copy(stored)
    schedule.tensorize(multiplied, "vta.gemm")
    for block in elementwise:
        schedule.alu(schedule.get_loop(block, "i0"))
