"""What a block of a tiling takes of a multiprocessor, and the order in which blocks take their tiles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vtac.dialects.gpu_hardware import GpuArchitecture
    from vtac.targets.cuda.schedules.tiling import ProductSize, ProductTiling

ASYNC_BYTES = 4
"""The least that an asynchronous copy moves."""
_GROUPS = (8, 4, 2)
"""Rows of blocks that take their tiles together."""
_CARRIED_REGISTERS = 3
"""Of an element that waits in a register: itself, and what ptxas keeps of its address and guard; with 2 some spill."""
BARRIER_BYTES = 1024
"""Room for mbarriers, with what aligns the buffers of boxes behind them."""


def are_asynchronous(tiling: ProductTiling, size: ProductSize) -> tuple[bool, ...]:
    """Whether a's and b's copies are as wide as asynchronous ones; narrower ones wait in registers."""
    parts = zip(tiling.block, size.lanes, strict=False)
    return tuple(tiling.lanes(part, lanes) * size.element_bytes >= ASYNC_BYTES for part, lanes in parts)


def registers(tiling: ProductTiling, size: ProductSize) -> int:
    """About what a thread needs, with the elements of a later step that wait in registers, and their addresses."""
    if tiling.stages == 1 or tiling.boxes:
        return tiling.registers
    rows, columns, depth = tiling.block
    carried = sum(
        part * depth // tiling.threads
        for part, away in zip((rows, columns), are_asynchronous(tiling, size), strict=True)
        if not away
    )
    return tiling.registers + _CARRIED_REGISTERS * carried


def used_bytes(tiling: ProductTiling, size: ProductSize, record: GpuArchitecture) -> int:
    """Shared memory of a block: what is needed at different times lies in one place where it would not fit besides."""
    apart = tiling.shared_bytes(size.element_bytes, overlaid=False, staged=size.staged)
    if tiling.boxes:
        return apart + BARRIER_BYTES
    if apart <= record.static_shared_bytes_per_block:
        return apart
    return tiling.shared_bytes(size.element_bytes, overlaid=True, staged=size.staged)


def grouped(tiling: ProductTiling, size: ProductSize, multiprocessors: int) -> ProductTiling:
    """The tiling with blocks in groups of rows, where they are more than run at a time."""
    rows, columns, _ = tiling.block
    tall, wide = -(-size.sizes[0] // rows), -(-size.sizes[1] // columns)
    group = next((group for group in _GROUPS if tall % group == 0), 1)
    return replace(tiling, group=group) if wide > 1 and tall * wide > multiprocessors else tiling
