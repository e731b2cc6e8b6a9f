"""What is known of every value of a function: integers times powers of two, constants, or why neither.

One pass over the program, in its order; nothing recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import cast

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import AnyFloat, DenseIntOrFPElementsAttr
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, TransposeOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.ir.affine import AffineMap

from vtac.analysis.operations.contraction import Contraction, match_contraction
from vtac.analysis.operations.elementwise import index_loops, is_elementwise
from vtac.analysis.operations.reshapes import RESHAPES, reshape_groups
from vtac.analysis.operations.structured_view import structured_view
from vtac.analysis.types.tensor_types import element_of, rank_of, shape_of
from vtac.analysis.values.dense_numbers import fact_of
from vtac.analysis.values.integer_ranges import product_range, type_range, width_of
from vtac.analysis.values.scalar_facts import constant_fact, range_of, scalar_facts
from vtac.analysis.values.scaled_integers import (
    Fact,
    Known,
    NotScaledError,
    Scaled,
    both,
    joined,
    largest,
    moved,
    smallest,
)
from vtac.analysis.values.scaled_shifts import SINGLE_EXACT, fitting
from vtac.dialects.packing import JoinOp


class ValueFacts:
    """Facts of a function's values; `bodies` holds those of the scalars in the elementwise operations."""

    def __init__(self, function: FuncOp) -> None:
        self.bodies: dict[Operation, dict[SSAValue, Fact]] = {}
        self.contractions: dict[Operation, Contraction[int]] = {}
        self._facts: dict[SSAValue, Fact] = {}
        for op in function.body.block.ops:
            found = self._of_op(op)
            self._facts |= dict.fromkeys(op.results, found)

    def of(self, value: SSAValue) -> Fact:
        """What is known of a value: at least the range of its type, for an integer."""
        found = self._facts.get(value)
        if found is None:
            inner = value.owner
            is_constant = isinstance(inner, ConstantOp)  # in the region of a tensor.pad, say
            found = constant_fact(inner) if is_constant else "it is an argument of the function"
        bits = width_of(element_of(value))
        return Scaled(*type_range(bits)) if isinstance(found, str) and bits is not None else found

    def _of_op(self, op: Operation) -> Fact:
        if isinstance(op, ConstantOp):
            contents = op.value
            return fact_of(contents) if isinstance(contents, DenseIntOrFPElementsAttr) else constant_fact(op)
        if isinstance(op, FillOp):
            return self.of(op.inputs[0])
        if isinstance(op, BroadcastOp):
            kept = [d for d in range(rank_of(op.results[0])) if d not in op.dimensions.get_values()]
            return moved(self.of(op.operands[0]), kept.__getitem__, "")
        if isinstance(op, TransposeOp):
            order = list(op.permutation.get_values())
            return moved(self.of(op.operands[0]), order.index, "")
        if isinstance(op, RESHAPES):
            return self._reshaped(op)
        if isinstance(op, tensor.PadOp):
            return joined([self.of(op.source), self.of(cast(Operation, op.region.block.last_op).operands[0])])
        if isinstance(op, tensor.ConcatOp | JoinOp):
            return joined([self.of(value) for value in op.operands])
        if isinstance(op, tensor.ExtractSliceOp):
            return self._sliced(op)
        if isinstance(op, tensor.InsertSliceOp):
            return joined([self.of(op.source), self.of(op.dest)])
        if isinstance(op, LinalgStructuredOperation):
            return self._elementwise(op) if is_elementwise(op) else self._contraction(op)
        return f"'{op.name}' is no operation that the VTA has"

    def _reshaped(self, op: Operation) -> Fact:
        groups = reshape_groups(shape_of(op.operands[0]), shape_of(op.results[0]))
        places = {g.source[0]: g.result[0] for g in groups if len(g.source) == len(g.result) == 1}
        return moved(self.of(op.operands[0]), places.get, "which a reshape takes apart")

    def _sliced(self, op: tensor.ExtractSliceOp) -> Fact:
        whole = [d for d, n in enumerate(shape_of(op.source)) if d < rank_of(op.result) and shape_of(op.result)[d] == n]
        places = dict(zip(whole, whole, strict=True)) if rank_of(op.source) == rank_of(op.result) else dict[int, int]()
        return moved(self.of(op.source), places.get, "of which a slice takes a part")

    def argument_fact(self, value: SSAValue, indices: AffineMap) -> Fact:
        """What is known of an operand's element, by the loops of the operation that reads it."""
        loops = index_loops(indices)

        def loop(dim: int) -> int | None:
            return loops[dim] if loops is not None and loops[dim] >= 0 else None

        return moved(self.of(value), loop, "which no loop moves along")

    def _elementwise(self, op: LinalgStructuredOperation) -> Fact:
        maps = [attribute.data for attribute in op.get_indexing_maps()]
        body = op.body.block
        arguments: dict[SSAValue, Fact] = {
            argument: self.argument_fact(value, indices)
            for argument, value, indices in zip(body.args, op.operands, maps, strict=True)
            if argument.uses
        }
        facts = scalar_facts(list(body.ops), arguments, self.of)
        self.bodies[op] = facts
        yielded = cast(Operation, body.last_op).operands[0]
        return moved(facts.get(yielded, self.of(yielded)), _dimension_of(maps[-1]), "which the result lacks")

    def _contraction(self, op: LinalgStructuredOperation) -> Fact:
        view = structured_view(op)
        found = view if isinstance(view, str) else match_contraction(view)
        if isinstance(found, str):
            return found
        self.contractions[op] = found
        try:
            return self._total(op, found)
        except NotScaledError as reason:
            return str(reason)

    def _total(self, op: LinalgStructuredOperation, found: Contraction[int]) -> Fact:
        maps = [attribute.data for attribute in op.get_indexing_maps()]
        total, start = Scaled(1, 1), self.of(op.outputs[0])
        if isinstance(start, str):
            return start
        for factor in found.factors:
            value = op.inputs[factor.position]
            fact = self.argument_fact(value, maps[factor.position])
            if isinstance(fact, str):
                return fact
            low, high = range_of(value, fact) if isinstance(fact, Scaled) else _whole_range(value, fact)
            if factor.widening == "unsigned" and low < 0:
                low, high = 0, (1 << (width_of(element_of(value)) or 64)) - 1
            if factor.zero_point is not None:
                first, last = range_of(op.inputs[factor.zero_point], self.of(op.inputs[factor.zero_point]))
                low, high = low - last, high - first
            exponent = fact.exponent if isinstance(fact, Scaled) else 0
            together = both(lambda a, b: a + b, total.exponent, exponent)
            total = Scaled(*product_range((total.low, total.high), (low, high)), together)
        terms = prod(found.view.extent(loop) for loop in found.reductions)
        if found.kind == "max":
            return self._maximum(op, maps)
        result = moved(
            Scaled(total.low * terms, total.high * terms, total.exponent), _dimension_of(maps[-1]), "reduced"
        )
        return result if isinstance(result, str) else _started(op, cast(Scaled, result), start)

    def _maximum(self, op: LinalgStructuredOperation, maps: Sequence[AffineMap]) -> Fact:
        start, data = self.of(op.outputs[0]), self.argument_fact(op.inputs[0], maps[0])
        data = moved(data, _dimension_of(maps[-1]), "over which it takes a maximum")
        if isinstance(start, Known) and isinstance(data, Scaled) and is_below(start, data):
            return data
        return joined([start, data])


def is_below(constant: Known, fact: Scaled) -> bool:
    """Whether constants are at most any number that is known to be possible."""
    lows = [fact.low * 2.0**e for e in (smallest(fact.exponent), largest(fact.exponent))]
    return max(constant.values) <= min(lows)


def _started(op: LinalgStructuredOperation, total: Scaled, start: Scaled | Known) -> Scaled:
    """A sum that starts from something at its own scale."""
    begun = joined([Scaled(0, 0, total.exponent), start])
    if isinstance(begun, str):
        raise NotScaledError(f"it starts from what has another scale: {begun}")
    low, high = total.low + cast(Scaled, begun).low, total.high + cast(Scaled, begun).high
    bits = width_of(element_of(op.outputs[0]))
    if bits is None:
        fitting(low, high)
        return Scaled(low, high, total.exponent)
    whole = type_range(bits)
    return Scaled(low, high) if whole[0] <= low and high <= whole[1] else Scaled(*whole)


def _whole_range(value: SSAValue, fact: Known) -> tuple[int, int]:
    if isinstance(element_of(value), AnyFloat) and any(number != int(number) for number in fact.values):
        raise NotScaledError("it multiplies by a tensor of one fraction")
    return range_of(value, fact)


def _dimension_of(indices: AffineMap) -> Callable[[int], int | None]:
    loops = index_loops(indices) or []
    return {loop: dim for dim, loop in enumerate(loops)}.get


def may_round(fact: Scaled, kind: Attribute) -> bool:
    """Whether partial sums of f32 numbers leave the integers that f32 holds."""
    return width_of(kind) is None and str(kind) == "f32" and max(-fact.low, fact.high) > SINGLE_EXACT
