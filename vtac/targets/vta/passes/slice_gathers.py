"""slice-gathers: elements extracted at indices that are known are slices, repetitions and concatenations.

before: %y = linalg.generic outs(%e) { %i = linalg.index 0   %v = tensor.extract %x[%i / 2] }    %x of 4 elements
after:  %0 = linalg.generic ins(%x) { (i, j) -> (i) }
        %y = tensor.collapse_shape %0 [[0, 1]]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, ModuleOp, TensorType, i64
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.locations import location_of
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.errors import CompileError, EvaluationError
from vtac.evaluate.gathers import Gather, Table, match_gather
from vtac.partition.alu_building import elementwise
from vtac.partition.tile_operations import Made
from vtac.rewriting.edits import replace_by
from vtac.rewriting.walker import rewrite_once

MOST_RUNS = 64
"""Slices along one dimension that take the place of a gather."""


class SliceGather(RewritePattern):
    """An operation that extracts elements of a tensor, each index known and moved by one loop."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenericOp, rewriter: PatternRewriter) -> None:
        if not isinstance(op.parent_op(), FuncOp):
            return
        try:
            found = match_gather(op)
        except EvaluationError as error:
            said = str(error).removeprefix(f"{error.location}: ")
            raise CompileError(f"an index of 'tensor.extract' has no value: {said}", error.location) from None
        if found is None:
            return
        refuse_outside(found)
        if all(loop is None for loop in found.loops):
            return  # one element, which the host gives
        runs = [_runs(table) for table in found.tables]
        if all(len(one) <= MOST_RUNS or _repetition(t) for one, t in zip(runs, found.tables, strict=True)):
            made = _Slices(found).run()
            if made:
                replace_by(op, made, rewriter)
            else:
                rewriter.replace(op, [], [found.source])


def refuse_outside(found: Gather) -> None:
    """Raise `CompileError` for an element that the tensor does not have."""
    outside = found.outside()
    if outside is not None:
        dim, table = outside
        extent = shape_of(found.source)[dim]
        raise CompileError(
            f"'tensor.extract' reads index {int(table.min())} to {int(table.max())} of dimension {dim}, "
            f"whose extent is {extent}; indices from 0 to {extent - 1} are required",
            location_of(found.op),
        )


@dataclass(frozen=True)
class _Run:
    """Indices from `first` on, `step` apart."""

    first: int
    count: int
    step: int


def _runs(table: Table) -> list[_Run]:
    """The fewest runs of rising indices, taken one after the other, that a table is."""
    found: list[_Run] = []
    numbers = [int(one) for one in table]
    at = 0
    while at < len(numbers):
        step, end = 1, at + 1
        if end < len(numbers) and numbers[end] > numbers[at]:
            step = numbers[end] - numbers[at]
            while end < len(numbers) and numbers[end] - numbers[end - 1] == step:
                end += 1
        found.append(_Run(numbers[at], end - at, step))
        at = end
    return found


def _repetition(table: Table) -> tuple[int, int] | None:
    """How often in turn 0, 1, .. to the last are repeated, and each of them in a row; None for another table."""
    elements = int(table.max()) + 1 if table.size else 0
    inner = int(np.argmax(table != 0)) if elements > 1 else 1
    if inner < 1 or not table.size or len(table) % (elements * inner):
        return None
    outer = len(table) // (elements * inner)
    repeated = np.tile(np.repeat(np.arange(elements), inner), outer)
    return (outer, inner) if np.array_equal(table, repeated) else None


class _Slices:
    """Makes the operations in place of one gather."""

    def __init__(self, found: Gather) -> None:
        self.found = found
        self.made = Made()

    def run(self) -> Made:
        """Dimension by dimension, then the order of the loops; nothing if the result is the source itself."""
        value, repeated = self.found.source, dict[int, tuple[int, int]]()
        for dim, table in enumerate(self.found.tables):
            repetition = _repetition(table)
            if repetition is not None and int(table.max()) + 1 == shape_of(value)[dim] and len(table) > 1:
                repeated[dim] = repetition
            else:
                value = self._sliced(value, dim, _runs(table))
        value = self._repeated(value, [repeated.get(dim, (1, 1)) for dim in range(len(self.found.tables))])
        self._in_order(value)
        return self.made

    def _sliced(self, value: SSAValue, dim: int, runs: Sequence[_Run]) -> SSAValue:
        """The elements of runs along one dimension, one behind the other."""
        shape = list(shape_of(value))
        if [(run.first, run.count) for run in runs] == [(0, shape[dim])]:
            return value
        parts: list[SSAValue] = []
        for run in runs:
            offsets, sizes, steps = [0] * len(shape), list(shape), [1] * len(shape)
            offsets[dim], sizes[dim], steps[dim] = run.first, run.count, run.step
            parts.append(self.made.put(tensor.ExtractSliceOp.from_static_parameters(value, offsets, sizes, steps)))
        if len(parts) == 1:
            return parts[0]
        shape[dim] = sum(run.count for run in runs)
        return self.made.put(tensor.ConcatOp(parts, dim, TensorType(element_of(value), shape)))

    def _repeated(self, value: SSAValue, times: Sequence[tuple[int, int]]) -> SSAValue:
        """All of a tensor several times along dimensions, and each element several times in a row."""
        if all(pair == (1, 1) for pair in times):
            return value
        shape, loops, groups = list[int](), list[int](), list[list[int]]()
        for extent, (outer, inner) in zip(shape_of(value), times, strict=True):
            begin = len(shape)
            loops.append(begin + (outer > 1))
            shape += [*([outer] if outer > 1 else []), extent, *([inner] if inner > 1 else [])]
            groups.append([*range(begin, len(shape))])
        element = element_of(value)
        self.made += elementwise([value], [tuple(loops)], shape, element, lambda body: body.args[0])
        extents = [extent * outer * inner for extent, (outer, inner) in zip(shape_of(value), times, strict=True)]
        return self._collapsed(self.made[-1].results[0], groups, TensorType(element, extents))

    def _in_order(self, value: SSAValue) -> None:
        """The dimensions as the loops of the result have them."""
        loops, result = self.found.loops, self.found.op.res[0]
        if shape_of(value) == shape_of(result) and _rising([loop for loop in loops if loop is not None]):
            return
        kept = [dim for dim, loop in enumerate(loops) if loop is not None]
        if len(kept) < len(loops):
            value = self._without_units(value, kept)
        read = tuple(loop for loop in loops if loop is not None)
        self.made += elementwise([value], [read], shape_of(result), element_of(value), lambda body: body.args[0])

    def _without_units(self, value: SSAValue, kept: Sequence[int]) -> SSAValue:
        shape = shape_of(value)
        begins = [0, *(kept[1:] if kept else ()), len(shape)]
        groups = [[*range(begin, end)] for begin, end in pairwise(begins)] if kept else []
        return self._collapsed(value, groups, TensorType(element_of(value), [shape[dim] for dim in kept]))

    def _collapsed(self, value: SSAValue, groups: Sequence[Sequence[int]], kind: TensorType[Attribute]) -> SSAValue:
        attribute = ArrayAttr([ArrayAttr([IntegerAttr(dim, i64) for dim in group]) for group in groups])
        properties = {"reassociation": attribute}
        op: Operation = tensor.CollapseShapeOp(operands=[value], result_types=[kind], properties=properties)
        return self.made.put(op)


def _rising(loops: Sequence[int]) -> bool:
    return all(first < second for first, second in pairwise(loops))


@dataclass(frozen=True)
class SliceGathers(ModulePass):
    """Write nearest upsampling, flips and gathers with constant indices by operations that move data.

    requires: host functions on tensors of static shape.
    ensures:  no `linalg.generic` extracts elements at indices that are computed of constants and of one loop each,
              if at most 64 slices along each dimension, or repetitions of all of it, give the same.
    declines: an index outside of the tensor, or that divides by 0; other extractions stay as they are.
    """

    name = "slice-gathers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            rewrite_once(function, SliceGather())
