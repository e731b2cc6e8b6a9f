"""What executing a function would take, told before it starts: memory and iterations, held against the limits."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from xdsl.dialects import scf
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.ir import Block, Operation
from xdsl.traits import SymbolTable

from vtac.analysis.expressions.trips import constant_trips
from vtac.analysis.nests.nest import buffer_name
from vtac.analysis.nests.tiles import perfect_nest
from vtac.analysis.types.sizes import MAX_RANK, rank_of, total_bytes, values_under
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.evaluate.refusals import refused
from vtac.limits import ITERATIONS, MEMORY, STEP_ITERATIONS

_GRID_BYTES = 16
"""What numpy holds per point that it computes at once, beside the arrays themselves: positions and values."""


def refuse_too_much(function: FuncOp, steps: int = 1, beside: int = 0) -> None:
    """Raises `EvaluationError` where executing a function would take more than the limits allow.

    `steps` is how often its body is executed, `beside` what it takes in bytes beside its values.
    """
    name = function.sym_name.data
    _refuse_recursion(function)
    _refuse_rank(function)
    found = MEMORY.refusal(total_bytes(values_under(function)) + beside)
    if found:
        raise refused(f"cannot execute '{name}': its arrays take {found}", function)
    for op, count in _nests(function.body.block, steps):
        found = ITERATIONS.refusal(count)
        if found:
            what = f"block '{op.block_name}'" if isinstance(op, BlockOp) else f"'{op.name}'"
            raise refused(f"cannot execute '{name}': {what} takes {found}", op)
        found = MEMORY.refusal(_points_at_once(op) * _GRID_BYTES)
        if found:
            raise refused(f"cannot execute '{name}': computing '{op.name}' takes {found}", op)


def _refuse_recursion(function: FuncOp) -> None:
    """Functions that call themselves, whichever way around, have no end: nothing decides about a call."""
    open_calls, done = [function], set[FuncOp]()
    pending = [iter(_callees(function))]
    while pending:
        callee = next(pending[-1], None)
        if callee is None:
            done.add(open_calls.pop())
            pending.pop()
        elif callee in open_calls:
            way = " -> ".join(one.sym_name.data for one in (*open_calls[open_calls.index(callee) :], callee))
            raise refused(f"cannot execute '{function.sym_name.data}': it calls itself, {way}", callee)
        elif callee not in done:
            open_calls.append(callee)
            pending.append(iter(_callees(callee)))


def _callees(function: FuncOp) -> list[FuncOp]:
    calls = [op for op in function.walk() if isinstance(op, CallOp)]
    found = [SymbolTable.lookup_symbol(call, call.callee) for call in calls if call.parent_op() is not None]
    return [callee for callee in found if isinstance(callee, FuncOp) and callee.body.blocks]


def _refuse_rank(function: FuncOp) -> None:
    for value in values_under(function):
        if rank_of(value.type) > MAX_RANK:
            owner = value.owner
            raise refused(
                f"cannot execute '{function.sym_name.data}': '{buffer_name(value)}' has {rank_of(value.type)} "
                f"dimensions; arrays of numpy have at most {MAX_RANK}",
                owner if isinstance(owner, Operation) else function,
            )


def _nests(body: Block, steps: int) -> Iterator[tuple[Operation, int]]:
    """Each operation that loops, with its iterations; one that is run by itself counts as many that are not."""
    for op in body.ops:
        if isinstance(op, LinalgStructuredOperation):
            yield op, _structured(op)
        elif isinstance(op, ForOp):
            nest = perfect_nest(op)
            if nest is None:
                yield from _nests(op.body.block, steps * op.trip_count)
                continue
            loops, block = nest
            yield block, max(steps * STEP_ITERATIONS, steps * prod(loop.trip_count for loop in loops))
        elif isinstance(op, scf.ForOp):
            inside = steps * constant_trips(op)
            yield op, inside * STEP_ITERATIONS
            yield from _nests(op.body.block, inside)
        elif op.regions:
            for region in op.regions:
                for block in region.blocks:
                    yield from _nests(block, steps)
        elif steps > 1:
            yield op, steps * STEP_ITERATIONS


def _structured(op: LinalgStructuredOperation) -> int:
    parallel, reduced = _extents(op)
    return max(parallel * reduced, reduced * STEP_ITERATIONS)


def _points_at_once(op: Operation) -> int:
    return _extents(op)[0] if isinstance(op, LinalgStructuredOperation) else 0


def _extents(op: LinalgStructuredOperation) -> tuple[int, int]:
    """Points of the parallel iterators, and of the others; both 1 where they do not follow from the shapes."""
    try:
        extents = op.get_static_loop_ranges()
    except NotImplementedError:
        return 1, 1
    kinds = [kind.data is IteratorType.PARALLEL for kind in op.get_iterator_types()]
    parallel = prod(extent for extent, is_parallel in zip(extents, kinds, strict=True) if is_parallel)
    return parallel, prod(extent for extent, is_parallel in zip(extents, kinds, strict=True) if not is_parallel)
