"""How the elements of a block's result are given to threads."""

from __future__ import annotations

from collections.abc import Collection
from math import prod

from xdsl.ir import Operation

from vtac.analysis.nests.nest import writers_of
from vtac.analysis.nests.regions import plain_dimension
from vtac.dialects.gpu_hardware import WARP_SIZE
from vtac.dialects.schedule.payload import BlockOp
from vtac.dialects.schedule.spellings import TailName
from vtac.schedule import BlockRef, LoopRef, Schedule
from vtac.targets.cuda.schedules.product_matrices import payload_block

THREADS = 256
"""Threads of a block that compute elements each for itself."""


def in_memory_order(block: BlockOp) -> list[int]:
    """The spatial variables of a block, in the order of the dimensions that it writes."""
    written = [plain_dimension(expr) for expr in block.output_access.indices.results]
    walked = [variable for variable in written if variable is not None]
    rest = [v for v, one in enumerate(block.variables) if not one.reduction and v not in walked]
    return [*rest, *dict.fromkeys(walked)]


def fuse_loops(script: Schedule, loops: list[LoopRef]) -> LoopRef:
    """Some loops of one nest as one."""
    return script.fuse(*loops) if len(loops) > 1 else loops[0]


def bind_elements(script: Schedule, block: BlockRef, inside: Collection[int] = ()) -> LoopRef:
    """Give each thread one element of a block's result; the loop over the threads of a block.

    Along the variables `inside` a thread takes all of them.
    """
    loops = script.get_loops(block)
    spatial = [loops[variable] for variable in in_memory_order(payload_block(script, block)) if variable not in inside]
    others = [loop for loop in loops if loop not in spatial]
    if list(loops) != [*spatial, *others]:
        script.reorder(*spatial, *others)
    count = prod(loop.extent for loop in spatial)
    whole = fuse_loops(script, spatial)
    threads = min(THREADS, -(-count // WARP_SIZE) * WARP_SIZE)
    grid, thread = script.split(whole, factor=threads, tail=tail_of(count, threads))
    script.bind(grid, "blockIdx.x")
    script.bind(thread, "threadIdx.x")
    return thread


def tail_of(size: int, part: int) -> TailName:
    """What happens to what is left over when a size is cut into parts."""
    return "guard" if size % part else "error"


def inline_all(script: Schedule, blocks: list[BlockOp]) -> list[str]:
    """Compute elementwise intermediates where they are read; the names of the blocks that are left, in order."""
    left: list[str] = []
    for block in blocks:
        is_intermediate = isinstance(block.output.owner, Operation)
        if is_intermediate and not block.has_reduction and writers_of(block.output) == [block]:
            script.compute_inline(script.get_block(block.block_name))
        else:
            left.append(block.block_name)
    return left
