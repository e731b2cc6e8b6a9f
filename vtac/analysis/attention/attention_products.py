"""Attention as frontends write it: two products with a softmax of rows between them, found from the second one.

Each element of the left operand of the second product is expanded to what it is computed from
(`vtac.analysis.values.element_expressions`), over the coordinates batch, row, key, feature and column. It has to be

    exp(s - max_key s) / sum_key exp(s - max_key s)    with    s = scale * sum_feature q * k [+ mask]

wherever the statements are cut into operations, and whatever moves and reshapes stand between them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from math import prod

from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import IndexOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from vtac.analysis.attention.attention_results import converted
from vtac.analysis.attention.attention_scores import (
    NO_SOFTMAX,
    OTHER_MASK,
    OTHER_ROWS,
    Scores,
    match_scores,
    match_softmax,
    starts_from_zero,
)
from vtac.analysis.expressions.affine_expressions import to_affine
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.operations.contraction import Contraction, match_product
from vtac.analysis.operations.structured_view import Operand, structured_view
from vtac.analysis.operations.tensor_products import tensor_operand
from vtac.analysis.values.element_expressions import ElementReader, Expression, Indices

_FRAGMENT = 16
_OTHER_PRODUCT = "it is no product of f16 or bf16 that is added up in f32"
_OTHER_LOOPS = "there are rows, and keys and columns are one loop each"
_MOST_PRODUCTS = 65_535
"""Blocks that a launch has in its second dimension, at most."""


@dataclass(frozen=True)
class Attention:
    """What is computed, and the operation whose result it is; maps are over batch and two more, as `AttentionOp` says.

    `sizes` are those of the batch's dimensions, then rows, keys that count, features and columns. `at_indices`: its
    mask is computed from indices.
    """

    root: Operation
    operands: tuple[SSAValue, ...]
    maps: tuple[AffineMap, ...]
    sizes: tuple[int, ...]
    scale: float
    diagonal: int | None
    at_indices: bool


@dataclass(frozen=True)
class NoAttention:
    """Why an operation is not computed as attention; `softmax`: it does multiply a softmax of rows.

    `at_indices`: what it multiplies is computed from indices of elements, on which no other kernel computes.
    """

    reason: str
    softmax: bool = False
    at_indices: bool = False


def match_attention(op: Operation) -> Attention | NoAttention:
    """The attention whose second product an operation is."""
    view = structured_view(op)
    if isinstance(view, str) or not isinstance(op, LinalgStructuredOperation):
        return NoAttention("it is no product")
    product = match_product(view, narrow=True)
    if isinstance(product, str):
        return NoAttention(_OTHER_PRODUCT)
    found = _matched(op, product)
    if isinstance(found, NoAttention) and (not found.softmax or found.reason.startswith(OTHER_ROWS)):
        found = _closer(found, _matched(op, product.exchanged()))
    if tensor_operand(view) in ("f16", "bf16"):
        return found
    return replace(found, reason=_OTHER_PRODUCT) if isinstance(found, NoAttention) else NoAttention(_OTHER_PRODUCT)


def _closer(one: NoAttention, other: Attention | NoAttention) -> Attention | NoAttention:
    """Which of both operands is taken for the weights, where the first are none: the second if it is closer to some."""
    if isinstance(other, Attention) or other.softmax:
        return other
    return one if one.softmax or other.reason == NO_SOFTMAX else other


def _matched(op: LinalgStructuredOperation, product: Contraction[int]) -> Attention | NoAttention:
    """The attention whose weights are a product's first operand.

    Queries that share keys and values may be rows in several loops. The longest that the mask allows for counts as
    rows, the others as batch.
    """
    first: NoAttention | None = None
    for rows in sorted(product.rows, key=product.view.extent, reverse=True):
        found = _Match(op, product, rows).found()
        if isinstance(found, Attention) or found.reason != OTHER_MASK:
            return found
        first = first or found
    return first or NoAttention(_OTHER_LOOPS)


class _Match:
    """One product, the loop that counts as its rows, and which of its operands are taken for the weights."""

    def __init__(self, op: LinalgStructuredOperation, product: Contraction[int], rows: int) -> None:
        self.op = op
        self.product = product
        self.rows = rows
        self.loops = (*product.batch, *(loop for loop in product.rows if loop != self.rows))
        self.batch = len(self.loops)
        self.row, self.key, self.feature, self.column = range(self.batch, self.batch + 4)

    def found(self) -> Attention | NoAttention:
        product = self.product
        groups = (product.depth, product.columns)
        if any(len(group) != 1 for group in groups) or product.broadcast or product.partial:
            return NoAttention(_OTHER_LOOPS)
        self.places = {
            **{loop: number for number, loop in enumerate(self.loops)},
            self.rows: self.row,
            product.depth[0]: self.key,
            product.columns[0]: self.column,
        }
        self.extents: dict[Hashable, int] = {place: product.view.extent(loop) for loop, place in self.places.items()}
        self.extents[self.feature] = 1
        weights, values = product.operands
        reader = ElementReader(self.extents)
        softmax = match_softmax(reader, weights.value, self._at(weights.indices), self.key)
        if isinstance(softmax, str):
            return NoAttention(softmax, softmax.startswith(OTHER_ROWS), _is_at_indices(reader))
        found = self._of_softmax(reader, softmax, values)
        return NoAttention(found, True, _is_at_indices(reader)) if isinstance(found, str) else found

    def _of_softmax(self, reader: ElementReader, softmax: Expression, values: Operand[int]) -> Attention | str:
        """The attention whose weights are the softmax of an expression, or why it is none."""
        if not starts_from_zero(self.op, self._at(self.product.view.output.indices), self.extents):
            return "the product of its values is added to what is not zero"
        scores = match_scores(reader, softmax, (self.row, self.key, self.feature), self.extents)
        if isinstance(scores, str):
            return scores
        self.extents[self.feature] = scores.features
        problem = self._problem(scores, list(reader.met))
        if problem:
            return problem
        if scores.counted.keys is not None:
            self.extents[self.key] = min(self.extents[self.key], scores.counted.keys)
        return self._attention(scores, values.value, self._at(values.indices), at_indices=_is_at_indices(reader))

    def _at(self, indices: Sequence[Linear]) -> Indices:
        """Indices over the product's loops as those over coordinates."""
        values: dict[Hashable, Linear] = {loop: Linear.variable(place) for loop, place in self.places.items()}
        return tuple(index.substitute(values, self.extents) for index in indices)

    def _problem(self, scores: Scores, met: list[Operation]) -> str:
        """What a kernel of its own cannot do about this attention; empty when nothing."""
        inside = {*met, self.op}
        for op in met:
            outside = [use.operation for result in op.results for use in result.uses if use.operation not in inside]
            if outside and op not in scores.free:
                return f"what '{op.name}' computes on the way is read by '{outside[0].name}' too"
        heads = (scores.features, self.extents[self.column])
        if any(size % _FRAGMENT for size in heads):
            return f"heads of {heads[0]} and {heads[1]} features; multiples of {_FRAGMENT} are required"
        products = prod(self.extents[place] for place in range(self.batch))
        if products > _MOST_PRODUCTS:
            return f"{products:,} products; a launch has {_MOST_PRODUCTS:,} blocks in its second dimension"
        return ""

    def _attention(self, scores: Scores, values: SSAValue, indices: Indices, *, at_indices: bool) -> Attention | str:
        reader = ElementReader(self.extents)
        while (moved := reader.moved(values, indices)) is not None:
            values, indices = moved
        written = self.product.view.output.indices
        root, result = converted(self.op, self._at(written))
        named = [
            (scores.query, (self.row, self.feature)),
            (scores.key, (self.key, self.feature)),
            ((values, indices), (self.key, self.column)),
            *([] if scores.mask is None else [(scores.mask, (self.row, self.key))]),
        ]
        maps: list[AffineMap] = []
        for (_, places), ends in [*named, ((root.results[0], result), (self.row, self.column))]:
            found = self._map(places, ends)
            if found is None:
                return "an operand is read at other indices than its own"
            maps.append(found)
        sizes = [self.extents[place] for place in range(self.batch + 4)]
        operands = tuple(value for (value, _), _ in named)
        return Attention(root, operands, tuple(maps), tuple(sizes), scores.scale, scores.counted.diagonal, at_indices)

    def _map(self, indices: Indices, ends: tuple[int, int]) -> AffineMap | None:
        """Indices as a map of the batch and two more coordinates; None where others occur in them."""
        dims: dict[Hashable, AffineExpr] = {place: AffineExpr.dimension(place) for place in range(self.batch)}
        dims |= {place: AffineExpr.dimension(self.batch + number) for number, place in enumerate(ends)}
        if any(index.variables() - dims.keys() for index in indices):
            return None
        return AffineMap(len(dims), 0, tuple(to_affine(index, lambda place: dims[place]) for index in indices))


def _is_at_indices(reader: ElementReader) -> bool:
    return any(isinstance(inner, IndexOp) for op in reader.met for inner in op.walk())
