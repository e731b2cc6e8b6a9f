"""specialize: warps that only ask for a loop's bulk copies, beside those that use them."""

from __future__ import annotations

from vtac.analysis.kernels.lanes import thread_extents
from vtac.dialects.gpu_hardware import WARP_SIZE
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.declared import ASYNC, SPECIALIZE
from vtac.dialects.schedule.gpu_directives import SpecializeOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, refusal

MOST_WARPS = 32


@rewrites(SpecializeOp)
def specialize(op: SpecializeOp, handles: Handles) -> None:
    """Mark a loop that is a pipeline of bulk copies.

    requires: such a loop, as many consumers as the block has warps, and producers that are whole rows of warps along
              threadIdx.y; all of them together at most 32.
    ensures:  `gpu-specialize-warps` adds the producing warps and gives each kind its part of the loop.
    refused:  other loops, a second time on one loop, and a threadIdx.x that is no warp wide.
    """
    loop = handles.loop(op.loop, op)
    producers, consumers = op.producers.value.data, op.consumers.value.data
    if ASYNC.get(loop) != "tma":
        raise refusal(
            op,
            f"loop {describe(loop)} is no pipeline of bulk copies",
            'pipeline it with async "tma" (in Python async_)',
        )
    if SPECIALIZE.is_on(loop):
        raise refusal(op, f"loop {describe(loop)} is specialized already", "specialize it once")
    threads = thread_extents(loop)
    lanes = threads.get(LoopKind.THREAD_X, WARP_SIZE)  # what a warp's lanes hold of tiles needs no loop
    if lanes != WARP_SIZE:
        raise refusal(op, f"threadIdx.x has {lanes} values", f"bind loops of {WARP_SIZE} iterations to it, or none")
    row = threads.get(LoopKind.THREAD_Y, 1)
    warps = row * threads.get(LoopKind.THREAD_Z, 1)
    if consumers != warps:
        raise refusal(op, f"{consumers} consumers in a block of {warps} warps", f"all warps of the block: {warps}")
    if producers % row:
        raise refusal(
            op, f"{producers} producers beside rows of {row} warps along threadIdx.y", f"a multiple of {row} producers"
        )
    if producers + consumers > MOST_WARPS:
        raise refusal(op, f"{producers + consumers} warps in a block", f"at most {MOST_WARPS}")
    SPECIALIZE.set(loop, (producers, consumers))
