"""Between which integers the elements of tensors lie: interval arithmetic that never wraps, of what is asked for.

What may wrap, and what is not known, has the range of its type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import cast

import numpy as np
from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr, IntegerType, TensorType
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.utils.type import get_element_type_or_self

from vtac.analysis.operations.contraction import Contraction, match_contraction
from vtac.analysis.operations.structured_view import structured_view
from vtac.analysis.values.integer_ranges import INDEX_BITS, Range, product_range, result_range, width_of
from vtac.analysis.values.integer_ranges import type_range as range_of_width
from vtac.dialects.packing import BlockDiagonalOp, FoldOp, JoinOp, PackOp, ReshapeOp, TransposeTilesOp, UnpackOp

_MOVES = (
    tensor.CollapseShapeOp,
    tensor.ExpandShapeOp,
    tensor.ExtractSliceOp,
    tensor.InsertSliceOp,
    tensor.ConcatOp,
    BroadcastOp,
    ReshapeOp,
    TransposeTilesOp,
    JoinOp,
    UnpackOp,
)
"""What gives elements of its operands, and nothing else."""
_WITH_ZEROS = (PackOp, FoldOp, BlockDiagonalOp)
_NO_RANGE = (0, 0)


class TensorRanges:
    """Ranges of what a block computes; an operation is looked at when a range is first asked for that depends on it."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._known: dict[SSAValue, Range] = {}
        self._seen: set[Operation] = set()

    def of(self, value: SSAValue) -> Range:
        """The range of a value's elements."""
        self._look_at(value)
        found = self._known.get(value)
        return type_range(get_element_type_or_self(value.type)) if found is None else found

    def rename(self, value: SSAValue, new: SSAValue) -> None:
        """Know of another value with the same elements what is known of one, besides what follows from what it is."""
        (low, high), (least, most) = self.of(value), self.of(new)
        self._known[new] = max(low, least), min(high, most)
        if isinstance(new.owner, Operation):
            self._seen.add(new.owner)

    def _look_at(self, value: SSAValue) -> None:
        """Learn what a value depends on, operands first, without recursion: programs are long."""
        waiting = self._unseen((value,))
        while waiting:
            op = waiting[-1]
            if op in self._seen:
                waiting.pop()
            elif before := self._unseen(op.operands):
                waiting += before
            else:
                self._seen.add(waiting.pop())
                self._see(op)

    def _unseen(self, values: Sequence[SSAValue]) -> list[Operation]:
        """The operations of the block that compute some values and were not looked at yet."""
        owners = [value.owner for value in values]
        return [op for op in owners if isinstance(op, Operation) and op.parent is self._block and op not in self._seen]

    def _see(self, op: Operation) -> None:
        for result in op.results:
            element = get_element_type_or_self(result.type)
            if width_of(element) is not None:
                self._known[result] = _within(self._result(op, result), element)

    def _result(self, op: Operation, result: SSAValue) -> Range:
        if isinstance(op, arith.ConstantOp):
            return _constant(op.value) or type_range(get_element_type_or_self(result.type))
        if isinstance(op, FillOp):
            return self.of(op.inputs[0])
        if isinstance(op, tensor.PadOp):
            value = cast(Operation, op.region.block.last_op).operands[0]
            return _hull(self.of(op.source), self._number(value))
        if isinstance(op, tensor.InsertSliceOp) and isinstance(op.dest.owner, tensor.EmptyOp):
            return self.of(op.source)
        if isinstance(op, _MOVES):
            return _hull(*(self.of(operand) for operand in op.operands if isinstance(operand.type, TensorType)))
        if isinstance(op, _WITH_ZEROS):
            return _hull(self.of(op.operands[0]), _NO_RANGE)
        if isinstance(op, LinalgStructuredOperation):
            return self._structured(op)
        return type_range(get_element_type_or_self(result.type))

    def _number(self, value: SSAValue) -> Range:
        owner = value.owner
        found = _constant(owner.value) if isinstance(owner, arith.ConstantOp) else None
        return found or type_range(value.type)

    def _structured(self, op: LinalgStructuredOperation) -> Range:
        whole = type_range(get_element_type_or_self(op.res[0].type))
        view = structured_view(op)
        if isinstance(view, str):
            return whole
        found = match_contraction(view) if view.accumulates else None
        if isinstance(found, Contraction):
            return self._contraction(op, found)
        if found is not None:
            return whole
        return self.body(op.body.block, [self.of(operand) for operand in op.operands])

    def _contraction(self, op: LinalgStructuredOperation, found: Contraction[int]) -> Range:
        factors = found.factors
        if any(f.widening not in (None, "signed") or f.zero_point is not None for f in factors):
            return type_range(get_element_type_or_self(op.res[0].type))
        start = self.of(op.outputs[0])
        ranges = [self.of(op.inputs[factor.position]) for factor in factors]
        if found.kind == "max":
            return max(start[0], ranges[0][0]), max(start[1], ranges[0][1])
        terms = prod(found.view.extent(variable) for variable in found.reductions)
        one = ranges[0] if found.kind == "sum" else product_range(*ranges)
        return start[0] + terms * one[0], start[1] + terms * one[1]

    def body(self, block: Block, arguments: list[Range]) -> Range:
        """The range of what a scalar body yields for arguments of these ranges."""
        known = self._scalars(block, arguments)
        last = block.last_op
        return type_range(block.args[-1].type) if last is None else self._scalar(last.operands[0], known)

    def scalars(self, op: LinalgStructuredOperation) -> dict[SSAValue, Range]:
        """The ranges of all scalars in the body of an elementwise operation, those from outside too."""
        return self._scalars(op.body.block, [self.of(operand) for operand in op.operands])

    def _scalars(self, block: Block, arguments: Sequence[Range]) -> dict[SSAValue, Range]:
        known: dict[SSAValue, Range] = dict(zip(block.args, arguments, strict=True))
        for op in block.ops:
            operands = [known.setdefault(value, self._scalar(value, known)) for value in op.operands]
            for result in op.results:
                known[result] = self._number(result) if isinstance(op, arith.ConstantOp) else result_range(op, operands)
        return known

    def _scalar(self, value: SSAValue, known: Mapping[SSAValue, Range]) -> Range:
        return known[value] if value in known else self._number(value)


def type_range(kind: Attribute) -> Range:
    """What integers of a type can be; nothing is known of other types."""
    width = width_of(kind)
    return (0, 1) if width == 1 else range_of_width(INDEX_BITS if width is None else width)


def _within(found: Range, kind: Attribute) -> Range:
    """A range, or that of the type where the integers of it wrap."""
    whole = type_range(kind)
    return found if whole[0] <= found[0] and found[1] <= whole[1] else whole


def _hull(*ranges: Range) -> Range:
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _constant(value: Attribute) -> Range | None:
    if isinstance(value, IntegerAttr):
        number = value.value.data
        return number, number
    if not isinstance(value, DenseIntOrFPElementsAttr):
        return None
    kind, data = cast(Attribute, value.get_element_type()), value.data.data
    if not isinstance(kind, IntegerType) or kind.bitwidth not in (8, 16, 32, 64) or not data:
        return None
    numbers = np.frombuffer(data, dtype=f"<i{kind.bitwidth // 8}")
    return int(numbers.min()), int(numbers.max())
