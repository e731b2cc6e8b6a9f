"""What a kernel keeps in shared memory: its buffers, their sizes, and where they lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from xdsl.dialects.builtin import FixedBitwidthType
from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp, ReinterpretCastOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.kernels.shared_matrices import start_alignment
from vtac.analysis.nests.nest import element_type_of, scope_of, shape_of, strides_of
from vtac.dialects.gpu_hardware import GpuArchitecture, gpu_architectures

ALIGNMENT = 128
"""Bytes that the start of each buffer is a multiple of: a row of banks. Swizzled operands of wgmma need more."""


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
    end = 0
    for op in buffers:
        start = _aligned(end, op)
        offsets.append(start)
        end = start + buffer_bytes(op)
    return offsets, end


def _aligned(end: int, op: AllocOp) -> int:
    """The first place for a buffer after one that ends there."""
    return -(-end // alignment_of(op)) * alignment_of(op)


def alignment_of(op: AllocOp) -> int:
    """Bytes that a buffer's start is a multiple of."""
    return max(ALIGNMENT, start_alignment(op))


def overlaid_offsets(kernel: FuncOp, buffers: Sequence[AllocOp]) -> tuple[list[int], int]:
    """The byte where each buffer starts when those that are needed at different times share memory, and the last end.

    A buffer is needed from the first to the last statement of the kernel's body that touches it, with all that this
    statement holds: buffers of one loop lie apart.
    """
    needed = lifetimes(kernel, buffers)
    placed: list[tuple[int, int, range]] = []
    for op, time in zip(buffers, needed, strict=True):
        taken = sorted((start, end) for start, end, other in placed if _meet(time, other))
        start = 0
        for begin, end in taken:
            if start + buffer_bytes(op) <= begin:
                break
            start = max(start, _aligned(end, op))
        placed.append((start, start + buffer_bytes(op), time))
    return [start for start, _, _ in placed], max((end for _, end, _ in placed), default=0)


def lifetimes(kernel: FuncOp, buffers: Sequence[AllocOp]) -> list[range]:
    """The statements of a kernel's body, by number, from the first that touches a buffer to the last; else all."""
    numbers = {op: number for number, op in enumerate(kernel.body.block.ops)}
    found: list[range] = []
    for buffer in buffers:
        places = [numbers[_statement(user, kernel)] for user in _users(buffer.memref)] or [0, len(numbers)]
        found.append(range(min(places), max(places) + 1))
    return found


def _users(memory: SSAValue) -> Iterator[Operation]:
    """What touches a buffer, under whatever shape."""
    for use in memory.uses:
        if isinstance(use.operation, ReinterpretCastOp):
            yield from _users(use.operation.result)
        else:
            yield use.operation


def _statement(op: Operation, kernel: FuncOp) -> Operation:
    """What holds an operation in a kernel's body."""
    while op.parent_op() is not kernel:
        parent = op.parent_op()
        if parent is None:
            break
        op = parent
    return op


def _meet(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


def placed_bytes(kernel: FuncOp, buffers: Sequence[AllocOp], architecture: GpuArchitecture | None) -> int:
    """Shared memory of a kernel: one buffer after the other, or, where that is more than every block has, overlaid."""
    _, end = shared_offsets(buffers)
    return end if end <= static_bytes(architecture) else overlaid_offsets(kernel, buffers)[1]


def records_for(architecture: GpuArchitecture | None) -> tuple[GpuArchitecture, ...]:
    """The architectures that a kernel may run on: the one given, else all that are known."""
    return (architecture,) if architecture is not None else tuple(gpu_architectures().values())


def static_bytes(architecture: GpuArchitecture | None) -> int:
    """Shared memory that a block has without asking for it, on every architecture that the kernel may run on."""
    return min(record.static_shared_bytes_per_block for record in records_for(architecture))
