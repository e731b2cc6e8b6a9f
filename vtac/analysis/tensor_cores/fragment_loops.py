"""Which loop loads fragments and multiplies with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xdsl.ir import Operation, SSAValue

from vtac.analysis.nests.nest import buffer_name, enclosing_loops
from vtac.dialects.schedule.declared import PIPELINE
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.wmma import LoadMatrixSyncOp, MmaSyncOp, StoreMatrixSyncOp


@dataclass(frozen=True)
class Accesses:
    """The warp operations that load an array of fragments, and those that multiply with it."""

    loads: tuple[LoadMatrixSyncOp, ...]
    multiplies: tuple[MmaSyncOp, ...]


def accesses_of(fragments: SSAValue) -> Accesses:
    """The users of an array of fragments of matrix_a or matrix_b."""
    users = [use.operation for use in fragments.uses]
    loads = tuple(op for op in users if isinstance(op, LoadMatrixSyncOp))
    return Accesses(loads, tuple(op for op in users if isinstance(op, MmaSyncOp)))


def buffering_loop(accesses: Accesses, copies: int) -> ForOp | str:
    """The innermost loop around all accesses, when loads may run ahead in it; else why not."""
    operations: Sequence[Operation] = (*accesses.loads, *accesses.multiplies)
    if not accesses.loads or not accesses.multiplies:
        return "nothing loads it or nothing multiplies with it"
    loop: ForOp | None = None
    for level in zip(*(enclosing_loops(op) for op in operations), strict=False):
        if any(other is not level[0] for other in level):
            break
        loop = level[0]
    if loop is None or loop.loop_kind.is_bound:
        return (
            "no serial loop holds its loads together with the multiplies: compute_at the load in a loop over tiles of k"
        )
    name = f"loop '{loop.loop_name}', which loads it,"
    if PIPELINE.is_on(loop):
        return (
            f"{name} is pipelined: the next iteration's tiles are still on their way; split it, so that a loop over "
            "tiles lies inside"
        )
    if loop.trip_count < copies:
        return f"{name} has extent {loop.trip_count}; {copies} copies need {copies} iterations or more"
    for load in accesses.loads:
        if _is_written(load.memory, loop):
            return (
                f"{name} also writes '{buffer_name(load.memory)}', so its loads cannot run ahead: load in a loop "
                "inside of the copy's"
            )
    return loop


def _is_written(memory: SSAValue, loop: ForOp) -> bool:
    return any(
        (isinstance(op, BlockOp) and op.output is memory) or (isinstance(op, StoreMatrixSyncOp) and op.memory is memory)
        for op in loop.walk()
    )
