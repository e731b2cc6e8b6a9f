"""insert-repetitions: nearest upsampling puts the same tensor into a larger one, in steps, once for each repetition.

before: %s = linalg.generic ins(%x) { (n, c, h, i, w, j) -> (n, c, h, w) }     %x repeated along i and j
        %y = tensor.collapse_shape %s [[0], [1], [2, 3], [4, 5]]
after:  %0 = tensor.insert_slice %x into %empty[0, 0, 0, 0] [...] [1, 1, 2, 2]
        %1 = tensor.insert_slice %x into %0[0, 0, 0, 1] [...] [1, 1, 2, 2] ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, i8
from xdsl.dialects.func import FuncOp
from xdsl.dialects.tensor import CollapseShapeOp, EmptyOp, InsertSliceOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.partition.moves import moved_from
from vtac.rewriting.edits import replace_by
from vtac.rewriting.walker import rewrite_once

MOST_REPETITIONS = 64
"""Insertions that take the place of one upsampling: by 8 in both directions."""


@dataclass(frozen=True)
class _Repetition:
    """How one dimension of the result is a dimension of the source of so many elements, repeated.

    `outer` times all of it, each element `inner` times in a row.
    """

    outer: int
    elements: int
    inner: int

    @property
    def offsets(self) -> list[int]:
        """Where a copy of all elements, `inner` apart, begins."""
        return [begin * self.elements * self.inner + one for begin in range(self.outer) for one in range(self.inner)]


class InsertRepetition(RewritePattern):
    """A tensor of bytes that is repeated along dimensions which then become part of its own."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CollapseShapeOp, rewriter: PatternRewriter) -> None:
        moved = moved_from(op.src)
        if moved is None or element_of(op.result) != i8 or not isinstance(op.parent_op(), FuncOp):
            return
        source, dims = moved
        groups = [[int(dim.value.data) for dim in group.data] for group in op.reassociation.data]
        found = _repetitions(groups, shape_of(op.src), dims)
        if found is None or not 1 < prod(len(one.offsets) for one in found) <= MOST_REPETITIONS:
            return
        sizes, steps = [one.elements for one in found], [one.inner for one in found]
        made: list[Operation] = [EmptyOp([], op.result.type)]
        for offsets in product(*(one.offsets for one in found)):
            made.append(InsertSliceOp.from_static_parameters(source, made[-1].results[0], offsets, sizes, steps))
        replace_by(op, made, rewriter)


def _repetitions(
    groups: Sequence[Sequence[int]], shape: Sequence[int], dims: Sequence[int]
) -> list[_Repetition] | None:
    """What each dimension of the result is of the source's, in order; None where one is not one of them, repeated."""
    if list(dims) != sorted(dims):
        return None
    found: list[_Repetition] = []
    for group in groups:
        own = [place for place, dim in enumerate(group) if dim in dims]
        if len(own) != 1:
            return None
        extents = [shape[dim] for dim in group]
        found.append(_Repetition(prod(extents[: own[0]]), extents[own[0]], prod(extents[own[0] + 1 :])))
    return found


@dataclass(frozen=True)
class InsertRepetitions(ModulePass):
    """Write nearest upsampling as insertions of the same tensor, which device functions store where they belong.

    requires: host functions at the integer level.
    ensures:  no tensor of bytes is repeated along new dimensions that are then collapsed into its own, up to
              64 times.
    declines: nothing; other repetitions stay as they are.
    """

    name = "insert-repetitions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            rewrite_once(function, InsertRepetition())
