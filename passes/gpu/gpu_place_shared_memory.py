"""gpu-place-shared-memory: buffers beyond the static 48 KiB get offsets in one dynamic array."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.gpu_architecture import architecture_of
from vtac.analysis.kernels.shared_memory import overlaid_offsets, shared_buffers, shared_offsets, static_bytes
from vtac.dialects.gpu_hardware import GpuArchitecture
from vtac.dialects.wmma.declared import DYNAMIC_BYTES, KERNEL, SHARED_OFFSET
from vtac.rewriting.walker import rewrite_once


@dataclass
class PlaceSharedMemory(RewritePattern):
    """A kernel that keeps more than blocks have without asking -> one whose launch asks, with a place per buffer.

    Each buffer starts at a multiple of 128 bytes; those that are needed at different times share memory.
    """

    architecture: GpuArchitecture | None

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FuncOp, rewriter: PatternRewriter) -> None:
        buffers = shared_buffers(op) if KERNEL.is_on(op) else []
        if shared_offsets(buffers)[1] <= static_bytes(self.architecture):
            return
        offsets, end = overlaid_offsets(op, buffers)
        for buffer, offset in zip(buffers, offsets, strict=True):
            SHARED_OFFSET.set(buffer, offset)
        DYNAMIC_BYTES.set(op, end)
        rewriter.notify_op_modified(op)


@dataclass(frozen=True)
class GpuPlaceSharedMemory(ModulePass):
    """Place the shared buffers of kernels that need more than static shared memory.

    Places depend on all buffers of a kernel: `vtac.analysis.kernels.shared_memory` plans them, the pattern notes them.

    requires: kernels (convert-loops-to-gpu).
    ensures:  buffers of a kernel that keeps more than the static 48 KiB in shared memory have a
              `wmma.shared_offset`, and the kernel `wmma.dynamic_shared_bytes`, where the last one ends.
    declines: nothing; whether it fits is for gpu-check-shared-memory to say.
    """

    name = "gpu-place-shared-memory"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, PlaceSharedMemory(architecture_of(op)))
