"""Padding with minus infinity around the data of maxima, as a number that the data may hold."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import AnyFloat, FloatAttr
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Block, Operation, Region
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.types.tensor_types import element_of
from vtac.analysis.values.scaled_integers import Scaled, largest, smallest
from vtac.analysis.values.value_facts import ValueFacts
from vtac.rewriting.edits import append

_EXACT = 1 << 24
"""Integers up to here are f32 numbers."""


@dataclass
class BoundPadsOfMaxima(RewritePattern):
    """The least number that the data can be, in place of minus infinity, where every window meets data.

    The maximum of such a window is the same: the number in the padding is never above the data.
    """

    facts: ValueFacts

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: tensor.PadOp, rewriter: PatternRewriter) -> None:
        last = cast(Operation, op.region.block.last_op)
        edge, data = last.operands[0].owner, self.facts.of(op.source)
        if not isinstance(edge, arith.ConstantOp) or not isinstance(edge.value, FloatAttr):
            return
        if edge.value.value.data != -inf or not isinstance(data, Scaled) or abs(data.low) > _EXACT:
            return
        if not op.result.uses or not all(self._meets_data(use.operation, op) for use in op.result.uses):
            return
        least = min(data.low * 2.0**e for e in (smallest(data.exponent), largest(data.exponent)))
        constant = arith.ConstantOp(FloatAttr(least, cast(AnyFloat, element_of(op.result))))
        body = Block(arg_types=[argument.type for argument in op.region.block.args])
        append([constant, tensor.YieldOp(constant.result)], body)
        kind = op.result.type
        new = tensor.PadOp(op.source, op.low, op.high, Region(body), op.static_low, op.static_high, kind, op.nofold)
        new.location, new.result.name_hint = op.location, op.result.name_hint
        rewriter.replace(op, new)

    def _meets_data(self, user: Operation, pad: tensor.PadOp) -> bool:
        """Whether an operation takes maxima over windows that are wider than the padding, tap beside tap."""
        found = self.facts.contractions.get(user)
        if found is None or found.kind != "max" or cast(LinalgStructuredOperation, user).inputs[0] is not pad.result:
            return False
        widths = zip(pad.static_low.get_values(), pad.static_high.get_values(), strict=True)
        for index, (low, high) in zip(found.operands[0].indices, widths, strict=True):
            taps = [v for v in found.reductions if index.terms.get(v) == 1]
            if max(low, high) and (
                min(low, high) < 0 or len(taps) != 1 or max(low, high) >= found.view.extent(taps[0])
            ):
                return False
        return True
