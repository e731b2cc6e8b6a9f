"""Tensors of floats and the integers in their place, while a plan is carried out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from xdsl.dialects import arith
from xdsl.dialects.builtin import AnyFloat, DenseArrayBase, FloatAttr, IntegerAttr, i32, i64
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.scaled_integers import Amount, Channels, Known, Scaled, at
from vtac.analysis.scaled_plan import ScaledPlan, is_float_tensor
from vtac.analysis.value_facts import element_of, rank_of, shape_of
from vtac.rewriting.edits import append, stand_for
from vtac.rewriting.integer_tensors import dense, empty, generic, spread, widened


@dataclass
class Conversion:
    """A plan in the course of being carried out: `integers` are the tensors in place of floating-point ones."""

    plan: ScaledPlan
    integers: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])

    def tensor(self, value: SSAValue, element: Attribute, exponent: Amount, made: list[Operation]) -> SSAValue:
        """The integers of a tensor as `element`; constants are brought to an exponent, others have theirs."""
        fact = self.plan.fact(value)
        if isinstance(fact, Known) and is_float_tensor(value):
            whole = at(fact.numbers, exponent)
            made.append(dense(spread(whole, shape_of(value)), element))
            return made[-1].results[0]
        found = self.integers.get(value, value)
        if element_of(found) == element:
            return found
        made += widened(found)
        return made[-1].results[0]

    def start(self, value: SSAValue, exponent: Amount, made: list[Operation]) -> SSAValue:
        """What an accumulation starts from, as i32."""
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
            number = arith.ConstantOp(IntegerAttr(whole, i32))
            made += [number, output, FillOp([number.result], [output.tensor], [output.tensor.type])]
        return made[-1].results[0]

    def replace(self, op: Operation, made: Sequence[Operation], rewriter: PatternRewriter) -> None:
        """Put the operations that compute an operation's integers before it, or in its place if its result is one."""
        new = made[-1]
        stand_for(new, op)
        for one in made:
            one.location = op.location
        new.results[0].name_hint = op.results[0].name_hint
        if is_float_tensor(op.results[0]):
            rewriter.insert(list(made), InsertPoint.before(op))
            self.integers[op.results[0]] = new.results[0]
        else:
            rewriter.replace(op, list(made))


@dataclass
class KeepFloats(RewritePattern):
    """A float that was converted and is read as it was, by the host: computed from the integer.

    Looked at last first, so that what only converted operations read is gone by then.
    """

    conversion: Conversion

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if len(op.results) != 1 or op.results[0] not in self.conversion.integers:
            return
        value = op.results[0]
        if not value.uses:
            rewriter.erase(op)
        elif any(operand in self.conversion.integers for operand in op.operands):
            made = self._floats(value)
            made[-1].results[0].name_hint = value.name_hint
            for one in made:
                one.location = op.location
            rewriter.replace(op, made)

    def _floats(self, value: SSAValue) -> list[Operation]:
        integer, kind = self.conversion.integers[value], cast(AnyFloat, element_of(value))
        exponent = cast(Scaled, self.conversion.plan.fact(value)).exponent
        rank = rank_of(value)
        maps = [AffineMap.identity(rank)] * 2
        block = Block(arg_types=[element_of(integer), kind])
        inputs, made = [integer], list[Operation]()
        if isinstance(exponent, Channels):
            powers = np.array([2.0**e for e in exponent.values])
            made.append(dense(powers, kind))
            inputs.append(made[0].results[0])
            maps.insert(1, AffineMap(rank, 0, (AffineDimExpr(exponent.axis),)))
            scale: SSAValue = block.insert_arg(kind, 1)
        else:
            constant = arith.ConstantOp(FloatAttr(2.0**exponent, kind))
            append(constant, block)
            scale = constant.result
        real = arith.SIToFPOp(block.args[0], kind)
        product = arith.MulfOp(real.result, scale)
        append([real, product, YieldOp(product.result)], block)
        output = empty(kind, shape_of(value))
        kinds = [IteratorTypeAttr.parallel()] * rank
        return [*made, output, generic(inputs, output.tensor, block, maps, kinds)]
