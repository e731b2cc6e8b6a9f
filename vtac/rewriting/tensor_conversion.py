"""Tensors of other types and the i8 and i32 ones in their place, while a plan is carried out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import (
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    IntegerAttr,
    IntegerType,
    TensorType,
    i32,
    i64,
)
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, TransposeOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.integer_plans.tensor_plan import LAYOUTS, TensorPlan
from vtac.analysis.types.tensor_types import element_of, rank_of, shape_of
from vtac.analysis.values.dense_numbers import integers_at
from vtac.analysis.values.scaled_integers import INT32, Amount, Channels, Known, Scaled, at, largest
from vtac.rewriting.edits import append, stand_for
from vtac.rewriting.integer_tensors import dense, empty, resized, spread, tensor_of


@dataclass
class Conversion:
    """A plan in the course of being carried out: `integers` are the tensors in place of those of other types."""

    plan: TensorPlan
    integers: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])

    def tensor(self, value: SSAValue, element: IntegerType, exponent: Amount, made: list[Operation]) -> SSAValue:
        """The integers of a tensor as `element`; constants are brought to an exponent, others have theirs."""
        fact = self.plan.fact(value)
        if isinstance(fact, Known) and element_of(value) != element:
            whole = at(fact.numbers, exponent)
            made.append(dense(spread(whole, shape_of(value)), element))
            return made[-1].results[0]
        found = self.integers.get(value, value)
        if element_of(found) == element:
            return found
        made += resized(found, element)
        return made[-1].results[0]

    def start(self, value: SSAValue, exponent: Amount, made: list[Operation]) -> SSAValue:
        """What an accumulation starts from, as i32: its low bits, where no more of the sum is asked for."""
        fact = self.plan.fact(value)
        if not isinstance(fact, Known):
            return self.tensor(value, i32, exponent, made)
        whole = at(fact.numbers, exponent)
        output = empty(i32, shape_of(value))
        if isinstance(whole, Channels):
            vector = dense(spread(Channels(0, whole.values), [len(whole.values)]), i32)
            added = [dim for dim in range(rank_of(value)) if dim != whole.axis]
            made += [
                vector,
                output,
                BroadcastOp(vector.result, output.tensor, DenseArrayBase.from_list(i64, added), output.tensor.type),
            ]
        else:
            number = arith.ConstantOp(IntegerAttr(int(spread(whole, ()).astype(np.int32)), i32))
            made += [number, output, FillOp([number.result], [output.tensor], [output.tensor.type])]
        return made[-1].results[0]

    def least(self, value: SSAValue, element: IntegerType, exponent: Amount, made: list[Operation]) -> SSAValue:
        """What a maximum starts from: a number, or the type's lowest for one that no integer of it lies below."""
        number = cast(float, cast(Known, self.plan.fact(value)).numbers)
        least = -(1 << (element.bitwidth - 1))
        scale = 2.0 ** largest(exponent)
        whole = least if number <= least * scale else cast(int, at(number, exponent))
        output = empty(element, shape_of(value))
        made += [constant := arith.ConstantOp(IntegerAttr(whole, element)), output]
        made.append(FillOp([constant.result], [output.tensor], [output.tensor.type]))
        return made[-1].results[0]

    def stand_in(self, op: Operation, value: SSAValue, rewriter: PatternRewriter) -> None:
        """Let a value that there is already be the result of an operation."""
        if value.type != op.results[0].type:
            self.integers[op.results[0]] = value
        else:
            rewriter.replace(op, [], [value])

    def replace(self, op: Operation, made: Sequence[Operation], rewriter: PatternRewriter) -> None:
        """Put the operations that compute an operation's integers before it, or in its place if its result is one."""
        new = made[-1]
        stand_for(new, op)
        for one in made:
            one.location = op.location
        new.results[0].name_hint = op.results[0].name_hint
        if new.results[0].type != op.results[0].type:
            rewriter.insert(list(made), InsertPoint.before(op))
            self.integers[op.results[0]] = new.results[0]
        else:
            rewriter.replace(op, list(made))


@dataclass
class ConvertConstant(RewritePattern):
    """A constant tensor."""

    conversion: Conversion

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.ConstantOp, rewriter: PatternRewriter) -> None:
        if op not in self.conversion.plan.operations or not isinstance(op.value, DenseIntOrFPElementsAttr):
            return
        fact = self.conversion.plan.fact(op.result)
        if isinstance(fact, Scaled):
            self.conversion.replace(
                op, [dense(integers_at(op.value, fact), self.conversion.plan.element(op.result))], rewriter
            )


@dataclass
class ConvertLayout(RewritePattern):
    """An operation that moves elements."""

    conversion: Conversion

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, LAYOUTS) or op not in self.conversion.plan.operations:
            return
        fact = cast(Scaled, self.conversion.plan.fact(op.results[0]))
        element, made = self.conversion.plan.element(op.results[0]), list[Operation]()
        operands = [
            self.conversion.tensor(value, element, fact.exponent, made) if value.type != element_of(value) else value
            for value in op.operands
            if not _is_output(op, value)
        ]
        kind = tensor_of(element, shape_of(op.results[0]))
        if isinstance(op, BroadcastOp | TransposeOp):
            made.append(output := empty(element, shape_of(op.results[0])))
            if isinstance(op, BroadcastOp):
                moved: Operation = BroadcastOp(operands[0], output.tensor, op.dimensions, kind)
            else:
                moved = TransposeOp(operands[0], output.tensor, op.permutation, kind)
        elif isinstance(op, tensor.PadOp):
            moved = self._padded(op, operands[0], kind, fact, element)
        else:
            regions = [region.clone() for region in op.regions]
            moved = type(op).create(operands=operands, result_types=[kind], properties=op.properties, regions=regions)
        self.conversion.replace(op, [*made, moved], rewriter)

    def _padded(
        self, op: tensor.PadOp, source: SSAValue, kind: TensorType[Attribute], fact: Scaled, element: IntegerType
    ) -> Operation:
        edge = self.conversion.plan.fact(cast(Operation, op.region.block.last_op).operands[0])
        number = at(cast(Known, edge).numbers, fact.exponent)
        body = Block(arg_types=[argument.type for argument in op.region.block.args])
        number = cast(int, number) - self.conversion.plan.offset(op.result)
        constant = arith.ConstantOp(IntegerAttr(number, element))
        append([constant, tensor.YieldOp(constant.result)], body)
        return tensor.PadOp(source, op.low, op.high, Region(body), op.static_low, op.static_high, kind, op.nofold)


def _is_output(op: Operation, value: SSAValue) -> bool:
    return isinstance(op, BroadcastOp | TransposeOp) and value is op.operands[-1]


@dataclass
class KeepIntegers(RewritePattern):
    """An integer of another width that is read as it was, by the host: extended from the narrow one, if that is whole.

    Looked at last first, so that what only rewritten operations read is gone by then.
    """

    conversion: Conversion

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if len(op.results) != 1 or op.results[0] not in self.conversion.integers:
            return
        value = op.results[0]
        fact = self.conversion.plan.fact(value)
        if not value.uses:
            rewriter.erase(op)
        elif isinstance(fact, Scaled) and fact.within(*INT32) and not self.conversion.plan.offset(value):
            made = resized(self.conversion.integers[value], cast(IntegerType, element_of(value)))
            made[-1].results[0].name_hint = value.name_hint
            for one in made:
                one.location = op.location
            rewriter.replace(op, made)
