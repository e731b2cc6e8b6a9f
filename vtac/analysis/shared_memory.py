"""What a kernel keeps in shared memory: its buffers, their sizes, and how they lie one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import FixedBitwidthType
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp

from vtac.analysis.nest import element_type_of, scope_of, shape_of, strides_of
from vtac.dialects.gpu_hardware import GpuArchitecture, gpu_architectures

ALIGNMENT = 128
"""Bytes that the start of each buffer is a multiple of: a row of banks, and more than any access needs."""


def shared_buffers(kernel: FuncOp) -> list[AllocOp]:
    """The allocations in shared memory, in program order."""
    return [op for op in kernel.walk() if isinstance(op, AllocOp) and scope_of(op.memref) == "shared"]


def buffer_bytes(op: AllocOp) -> int:
    """Bytes from a buffer's first element to its last, padding between rows included."""
    width = cast("FixedBitwidthType", element_type_of(op.memref)).size
    return shape_of(op.memref)[0] * strides_of(op.memref)[0] * width


def shared_offsets(buffers: Sequence[AllocOp]) -> tuple[list[int], int]:
    """The byte where each buffer starts when one follows the other, and where the last one ends."""
    offsets: list[int] = []
    start = end = 0
    for op in buffers:
        offsets.append(start)
        end = start + buffer_bytes(op)
        start = -(-end // ALIGNMENT) * ALIGNMENT
    return offsets, end


def records_for(architecture: GpuArchitecture | None) -> tuple[GpuArchitecture, ...]:
    """The architectures that a kernel may run on: the one given, else all that are known."""
    return (architecture,) if architecture is not None else tuple(gpu_architectures().values())


def static_bytes(architecture: GpuArchitecture | None) -> int:
    """Shared memory that a block has without asking for it, on every architecture that the kernel may run on."""
    return min(record.static_shared_bytes_per_block for record in records_for(architecture))
