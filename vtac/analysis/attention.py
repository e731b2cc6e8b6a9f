"""Attention as frontends write it: two products with a softmax of rows between them, found from the second one.

Each element of the left operand of the second product is expanded to what it is computed from
(`vtac.analysis.element_expressions`), over the coordinates batch, row, key, feature and column. It has to be

    exp(s - max_key s) / sum_key exp(s - max_key s)    with    s = scale * sum_feature q * k [+ mask]

wherever the statements are cut into operations, and whatever moves and reshapes stand between them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import prod
from typing import cast

from xdsl.dialects.builtin import AnyFloat
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from vtac.analysis.affine_expressions import to_affine
from vtac.analysis.attention_scores import NO_SOFTMAX, Scores, match_scores, match_softmax, starts_from_zero
from vtac.analysis.contraction import Contraction, match_product
from vtac.analysis.element_expressions import ElementReader, Indices
from vtac.analysis.elementwise import index_loops, is_elementwise
from vtac.analysis.linear import Linear
from vtac.analysis.structured_view import structured_view
from vtac.analysis.tensor_products import tensor_operand
from vtac.analysis.value_facts import element_of

_FRAGMENT = 16
_MOST_PRODUCTS = 65_535
"""Blocks that a launch has in its second dimension, at most."""


@dataclass(frozen=True)
class Attention:
    """What is computed, and the operation whose result it is; maps are over batch and two more, as `AttentionOp` says.

    `sizes` are those of the batch's dimensions, then rows, keys, features and columns.
    """

    root: Operation
    operands: tuple[SSAValue, ...]
    maps: tuple[AffineMap, ...]
    sizes: tuple[int, ...]
    scale: float
    diagonal: int | None


@dataclass(frozen=True)
class NoAttention:
    """Why an operation is not computed as attention; `softmax`: it does multiply a softmax of rows."""

    reason: str
    softmax: bool = False


def match_attention(op: Operation) -> Attention | NoAttention:
    """The attention whose second product an operation is."""
    view = structured_view(op)
    if isinstance(view, str) or not isinstance(op, LinalgStructuredOperation):
        return NoAttention("it is no product")
    product = match_product(view)
    if isinstance(product, str) or tensor_operand(view) not in ("f16", "bf16"):
        return NoAttention("it is no product of f16 or bf16 that is added up in f32")
    found = _Match(op, product).found()
    if isinstance(found, Attention) or found.softmax:
        return found
    other = _Match(op, product.exchanged()).found()
    return found if isinstance(other, NoAttention) and other.reason == NO_SOFTMAX else other


class _Match:
    """One product, and which of its operands are taken for the weights."""

    def __init__(self, op: LinalgStructuredOperation, product: Contraction[int]) -> None:
        self.op = op
        self.product = product
        # Queries that share keys and values may be rows in several loops: the longest counts as rows, others as batch.
        self.rows = max(product.rows, key=product.view.extent, default=None)
        self.loops = (*product.batch, *(loop for loop in product.rows if loop != self.rows))
        self.batch = len(self.loops)
        self.row, self.key, self.feature, self.column = range(self.batch, self.batch + 4)

    def found(self) -> Attention | NoAttention:
        product = self.product
        groups = (product.depth, product.columns)
        if self.rows is None or any(len(group) != 1 for group in groups) or product.broadcast or product.partial:
            return NoAttention("there are rows, and keys and columns are one loop each")
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
            return NoAttention(softmax)
        if not starts_from_zero(self.op, self._at(product.view.output.indices), self.extents):
            return NoAttention("the product of its values is added to what is not zero", softmax=True)
        scores = match_scores(reader, softmax, (self.row, self.key, self.feature), self.extents)
        if isinstance(scores, str):
            return NoAttention(scores, softmax=True)
        self.extents[self.feature] = scores.features
        problem = self._problem(scores, list(reader.met))
        if problem:
            return NoAttention(problem, softmax=True)
        return self._attention(scores, values.value, self._at(values.indices))

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

    def _attention(self, scores: Scores, values: SSAValue, indices: Indices) -> Attention | NoAttention:
        reader = ElementReader(self.extents)
        while (moved := reader.moved(values, indices)) is not None:
            values, indices = moved
        written = self.product.view.output.indices
        root, result = _converted(self.op, self._at(written))
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
                return NoAttention("an operand is read at other indices than its own", softmax=True)
            maps.append(found)
        sizes = [self.extents[place] for place in range(self.batch + 4)]
        operands = tuple(value for (value, _), _ in named)
        return Attention(root, operands, tuple(maps), tuple(sizes), scores.scale, scores.diagonal)

    def _map(self, indices: Indices, ends: tuple[int, int]) -> AffineMap | None:
        """Indices as a map of the batch and two more coordinates; None where others occur in them."""
        dims: dict[Hashable, AffineExpr] = {place: AffineExpr.dimension(place) for place in range(self.batch)}
        dims |= {place: AffineExpr.dimension(self.batch + number) for number, place in enumerate(ends)}
        if any(index.variables() - dims.keys() for index in indices):
            return None
        return AffineMap(len(dims), 0, tuple(to_affine(index, lambda place: dims[place]) for index in indices))


def _converted(op: LinalgStructuredOperation, indices: Indices) -> tuple[Operation, Indices]:
    """The last of the moves and of one truncation that alone read a result, and where it has the result's elements."""
    root: LinalgStructuredOperation = op
    while (after := _reader_of(root)) is not None:
        maps = [attribute.data for attribute in after.get_indexing_maps()]
        read, written = index_loops(maps[0]) or [], index_loops(maps[-1]) or []
        if sorted(read) != list(range(maps[0].num_dims)):
            break
        root, indices = after, tuple(indices[read.index(loop)] for loop in written)
    return root, indices


def _reader_of(op: LinalgStructuredOperation) -> LinalgStructuredOperation | None:
    """The one operation that reads a result, if it only moves its elements or makes them f16 or bf16."""
    uses = list(op.res[0].uses)
    reader = uses[0].operation if len(uses) == 1 else None
    if not isinstance(reader, LinalgStructuredOperation) or not is_elementwise(reader) or len(reader.inputs) != 1:
        return None
    *made, last = reader.body.block.ops
    names = [inner.name for inner in made]
    of_input = (made[0] if made else last).operands[0] is reader.body.block.args[0]
    is_last = not made or last.operands[0] is made[0].results[0]
    converts = names == ["arith.truncf"] and str(cast("AnyFloat", element_of(op.res[0]))) == "f32"
    return reader if (not names or converts) and of_input and is_last else None
