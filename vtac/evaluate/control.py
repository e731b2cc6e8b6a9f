"""Loops and choices of scf and affine, executed iteration by iteration.

Iterations that may run in any order run in that of their indices; what would depend on the order is refused where
it can be told: two iterations of `scf.forall` that put something into one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from types import MappingProxyType
from typing import cast

import numpy as np
from xdsl.dialects import affine, memref, scf
from xdsl.ir import Operation, SSAValue

from vtac.analysis.values.integer_ranges import width_of
from vtac.dialects import frontend_affine_parallel, frontend_scf
from vtac.dialects.frontend_forall import Bounds, ForallOp
from vtac.dialects.frontend_tensor import ParallelInsertSliceOp
from vtac.evaluate.affine import holds
from vtac.evaluate.buffers import Buffer
from vtac.evaluate.frame import Found, Frame, Handler
from vtac.evaluate.memory import map_results
from vtac.evaluate.numbers import Array
from vtac.evaluate.reductions import reduced_by
from vtac.evaluate.refusals import refused
from vtac.evaluate.strided import mixed, strided_places


def _for(op: scf.ForOp, frame: Frame) -> None:
    first, end, step = frame.indices((op.lb, op.ub, op.step), op)
    bits = width_of(op.lb.type) or 64
    is_unsigned = frontend_scf.UNSIGNED in op.properties
    if is_unsigned:
        first, end, step = (number % (1 << bits) for number in (first, end, step))
    _repeat(op, _counted(op, first, end, step), op.iter_args, frame, bits if is_unsigned else 0)


def _affine_for(op: affine.ForOp, frame: Frame) -> None:
    first = max(map_results(op, op.lowerBoundMap, op.lowerBoundOperands, frame))
    end = min(map_results(op, op.upperBoundMap, op.upperBoundOperands, frame))
    _repeat(op, _counted(op, first, end, op.step.value.data), op.inits, frame)


def _counted(op: Operation, first: int, end: int, step: int) -> range:
    if step < 1:
        raise refused(f"'{op.name}' has a step of {step}: a positive one is required", op)
    return range(first, end, step)


def _repeat(op: Operation, numbers: range, starts: Sequence[SSAValue], frame: Frame, unsigned_bits: int = 0) -> None:
    """A loop that carries values from one iteration to the next."""
    block = op.regions[0].block
    carried: list[Found] = [frame.value(value, op) for value in starts]
    for number in numbers:
        frame.spend(op)
        is_large = unsigned_bits and number >> (unsigned_bits - 1)
        frame.bind_index(block.args[0], number - (1 << unsigned_bits) if is_large else number)
        frame.bind(block.args[1:], carried)
        carried = frame.yielded(block)
    frame.bind(op.results, carried)


def _choice(op: Operation, frame: Frame, *, is_true: bool) -> None:
    region = op.regions[0 if is_true else 1]
    if region.blocks:
        frame.bind(op.results, frame.yielded(region.block))


def _if(op: scf.IfOp, frame: Frame) -> None:
    _choice(op, frame, is_true=bool(frame.index(op.cond, op)))


def _affine_if(op: affine.IfOp, frame: Frame) -> None:
    numbers, count = frame.indices(op.args, op), op.condition.data.num_dims
    _choice(op, frame, is_true=bool(holds(op.condition.data, numbers[:count], numbers[count:])))


def _while(op: scf.WhileOp, frame: Frame) -> None:
    before, after = op.before_region.block, op.after_region.block
    carried: list[Found] = [frame.value(value, op) for value in op.arguments]
    while True:
        frame.spend(op)
        frame.bind(before.args, carried)
        goes_on, *carried = frame.yielded(before)
        if not cast(Array, goes_on).item():
            break
        frame.bind(after.args, carried)
        carried = frame.yielded(after)
    frame.bind(op.results, carried)


def _once(op: Operation, frame: Frame) -> None:
    """A region that is executed once."""
    frame.bind(op.results, frame.yielded(op.regions[0].block))


def _points(op: Operation, ranges: Sequence[range], arguments: Sequence[SSAValue], frame: Frame) -> Iterator[None]:
    """Every iteration of a nest, its indices bound, in the order of the indices."""
    for point in product(*ranges):
        frame.spend(op)
        for argument, number in zip(arguments, point, strict=True):
            frame.bind_index(argument, number)
        yield


def _parallel(op: scf.ParallelOp, frame: Frame) -> None:
    bounds = [frame.indices(values, op) for values in (op.lowerBound, op.upperBound, op.step)]
    ranges = [_counted(op, *one) for one in zip(*bounds, strict=True)]
    totals: list[Found] = [frame.value(value, op) for value in op.initVals]
    block = op.body.block
    for _ in _points(op, ranges, block.args, frame):
        last = frame.run_block(block)
        terms = [frame.value(value, last) for value in last.operands]
        for number, (region, term) in enumerate(zip(last.regions, terms, strict=True)):
            frame.bind(region.block.args, (totals[number], term))
            (totals[number],) = frame.yielded(region.block)
    frame.bind(op.results, totals)


def _affine_parallel(op: frontend_affine_parallel.ParallelOp, frame: Frame) -> None:
    lower, upper = op.lowerBoundsMap, op.upperBoundsMap
    count = lower.data.num_dims + lower.data.num_symbols
    firsts = _grouped(map_results(op, lower, op.map_operands[:count], frame), op.lowerBoundsGroups.get_values())
    ends = _grouped(map_results(op, upper, op.map_operands[count:], frame), op.upperBoundsGroups.get_values())
    bounds = zip(map(max, firsts), map(min, ends), op.step_values(), strict=True)
    block, kinds = op.body.block, op.reduction_names()
    totals: list[Array] = []
    for _ in _points(op, [_counted(op, *one) for one in bounds], block.args, frame):
        terms = [cast(Array, term) for term in frame.yielded(block)]
        reduced = zip(kinds, totals or [None] * len(kinds), terms, strict=True)
        totals = [reduced_by(op, kind, total, term) for kind, total, term in reduced]
    if len(totals) < len(kinds):
        raise refused(f"'{op.name}' has no iteration to reduce", op)
    frame.bind(op.results, totals)


def _grouped(results: Sequence[int], counts: Sequence[int]) -> list[list[int]]:
    left = iter(results)
    return [[next(left) for _ in range(int(count))] for count in counts]


def _forall(op: ForallOp, frame: Frame) -> None:
    numbers = [_bounds(op, one, frame) for one in op.bounds()]
    block, loops = op.body.block, len(op.static_upper)
    outputs = [frame.buffer(value, op) for value in op.outputs]
    targets = [output.copy(result.name_hint or output.name) for output, result in zip(outputs, op.res, strict=True)]
    taken = [np.zeros(target.shape, np.bool_) for target in targets]
    shared: list[SSAValue] = list(block.args[loops:])
    frame.bind(shared, outputs)
    for _ in _points(op, [_counted(op, *one) for one in zip(*numbers, strict=True)], block.args[:loops], frame):
        for insertion in frame.run_block(block).regions[0].block.ops:
            if not isinstance(insertion, ParallelInsertSliceOp):
                raise refused(f"cannot execute '{insertion.name}' at the end of '{op.name}'", insertion)
            if insertion.dest not in shared:
                raise refused(f"'{insertion.name}' goes into no shared tensor of the loops around it", insertion)
            number = shared.index(insertion.dest)
            _insert(insertion, targets[number], taken[number], frame)
    frame.bind(op.results, targets)


def _insert(op: ParallelInsertSliceOp, target: Buffer, taken: Array, frame: Frame) -> None:
    source, place = frame.buffer(op.source, op), strided_places(op, target.shape, frame)
    if taken[place].any():
        raise refused(f"'{op.name}': two iterations write one element, in no order that is told", op)
    taken[place] = True
    shape = target.data[place].shape
    target.put(place, source.data.reshape(shape), None if source.written is None else source.written.reshape(shape))


def _bounds(op: ForallOp, bounds: Bounds, frame: Frame) -> list[int]:
    return mixed(bounds[0], frame.indices(bounds[1], op))


HANDLERS: Mapping[type[Operation], Handler] = MappingProxyType(
    cast(
        "dict[type[Operation], Handler]",
        {
            scf.ForOp: _for,
            scf.IfOp: _if,
            scf.WhileOp: _while,
            scf.ExecuteRegionOp: _once,
            memref.AllocaScopeOp: _once,
            scf.ParallelOp: _parallel,
            ForallOp: _forall,
            affine.ForOp: _affine_for,
            affine.IfOp: _affine_if,
            frontend_affine_parallel.ParallelOp: _affine_parallel,
        },
    )
)
"""How each operation is executed."""
