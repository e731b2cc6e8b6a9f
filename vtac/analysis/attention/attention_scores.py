"""The softmax of rows and the scores of an attention, as expressions of elements."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import isinf

from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.ir import Operation, SSAValue

from vtac.analysis.attention.attention_masks import Counted, constant_diagonal, is_masked_at_indices, masked_beyond
from vtac.analysis.expressions.linear import Extents, Linear
from vtac.analysis.operations.contraction import match_product
from vtac.analysis.operations.elementwise import index_loops
from vtac.analysis.operations.structured_view import structured_view
from vtac.analysis.operations.tensor_products import tensor_operand
from vtac.analysis.values.element_expressions import Applied, Element, ElementReader, Expression, Indices, Number

NO_SOFTMAX = "neither operand is a softmax"
OTHER_ROWS = f"{NO_SOFTMAX} over the keys"
"""What a reason starts with where there is a quotient of exponentials, but not that of a softmax."""
OTHER_MASK = (
    "its mask by indices has to put -1e30 or less where key > row + d, or where key > d, with a constant d of 0 "
    "or more, and compare in a type whose numbers do not wrap around"
)
_LEAST = -3.0e38
"""What a maximum may start from, or less: no finite score of f32 that softmax is taken of is below it."""
_MAXIMA = ("arith.maximumf", "arith.maxnumf")
_ACCUMULATOR = Number(float("nan"))
"""Stands for what a reduction has so far: it equals nothing but itself."""

Source = tuple[SSAValue, Indices]


@dataclass(frozen=True)
class Scores:
    """scale * query . key + mask: where its operands' elements are, over coordinates, and how many features there are.

    `counted` are the keys that count. `free` are operations that may be read elsewhere too: they stand before.
    """

    query: Source
    key: Source
    mask: Source | None
    scale: float
    counted: Counted
    features: int
    free: frozenset[Operation]


def match_softmax(reader: ElementReader, value: SSAValue, indices: Indices, key: int) -> Expression | str:
    """The scores whose softmax over keys an element is, or what is missing."""
    weight = reader.element(value, indices)
    if isinstance(weight, Applied) and weight.name == "arith.truncf":
        weight = weight.operands[0]
    if not isinstance(weight, Applied):
        return NO_SOFTMAX
    parts = _quotient(weight)
    if parts is None:
        return "neither operand is a softmax: no quotient"
    power, total = parts
    if not isinstance(power, Applied) or power.name != "math.exp":
        return "neither operand is a softmax: no quotient of an exponential"
    difference = power.operands[0]
    if not isinstance(difference, Applied) or difference.name != "arith.subf":
        return "neither operand is a softmax: no exponential of a difference"
    scores, most = difference.operands
    if reduced(reader, total, key, ("arith.addf",)) != power:
        return f"{OTHER_ROWS}: another sum divides"
    if reduced(reader, most, key, _MAXIMA) != scores:
        return f"{OTHER_ROWS}: another number than their maximum is subtracted"
    return scores


def _quotient(found: Applied) -> tuple[Expression, Expression] | None:
    """Numerator and denominator of a / b or a * (1 / b)."""
    if found.name == "arith.divf":
        return found.operands[0], found.operands[1]
    if found.name == "arith.mulf":
        for one, other in (found.operands, found.operands[::-1]):
            if isinstance(other, Applied) and other.name == "arith.divf" and other.operands[0] == Number(1.0):
                return one, other.operands[1]
    return None


def reduced(reader: ElementReader, found: Expression, key: int, names: Sequence[str]) -> Expression | None:
    """What an element is reduced from over the keys, by an operation of given names; None for anything else."""
    if not isinstance(found, Element) or not isinstance(found.value.owner, LinalgStructuredOperation):
        return None
    op = found.value.owner
    kinds = [kind.data is IteratorType.REDUCTION for kind in op.get_iterator_types()]
    maps = [attribute.data for attribute in op.get_indexing_maps()]
    written = index_loops(maps[-1])
    if kinds.count(True) != 1 or written is None or len(op.outputs) != 1 or not op.res:
        return None
    loops = {dim: index for dim, index in zip(written, found.indices, strict=True) if dim >= 0}
    loops[kinds.index(True)] = Linear.variable(key)
    if len(loops) != len(kinds) or op.get_static_loop_ranges()[kinds.index(True)] != reader.extents[key]:
        return None
    start = reader.element(op.outputs[0], found.indices)
    least = isinstance(start, Number) and (start.value <= _LEAST if names is _MAXIMA else start.value == 0.0)
    if not least or any(index_loops(one) is None for one in maps):
        return None
    body = reader.yielded(op, maps, loops, {op.body.block.args[-1]: _ACCUMULATOR})
    if not isinstance(body, Applied) or body.name not in names:
        return None
    rest = [one for one in body.operands if one is not _ACCUMULATOR]
    reader.met[op] = None
    return rest[0] if len(rest) == 1 else None


def match_scores(
    reader: ElementReader, scores: Expression, places: tuple[int, int, int], extents: dict[Hashable, int]
) -> Scores | str:
    """The parts of scores, whose row, key and feature have given places among the coordinates; or what is missing."""
    row, key, feature = places
    found_mask = masked_beyond(scores, row, key, extents)
    if found_mask is None and is_masked_at_indices(scores):
        return OTHER_MASK
    counted, rest = (Counted(), scores) if found_mask is None else found_mask
    scaled, mask = _apart(rest)
    if mask is not None and counted == Counted():
        counted = Counted(diagonal=constant_diagonal(mask, row, key))
        mask = mask if counted.diagonal is None else None
    product, scale = _scaled(scaled)
    owner = product.value.owner if isinstance(product, Element) else None
    if not isinstance(product, Element) or not isinstance(owner, LinalgStructuredOperation):
        return "its scores are no product that is scaled and masked"
    view = structured_view(owner)
    found = "" if isinstance(view, str) else match_product(view)
    if isinstance(view, str) or isinstance(found, str) or tensor_operand(view) not in ("f16", "bf16"):
        return "its scores are no product of f16 or bf16 that is added up in f32"
    if not starts_from_zero(owner, product.indices, extents):
        return "the product of its scores is added to what is not zero"
    written = view.output.plain
    if len(found.depth) != 1 or found.partial or found.broadcast or None in written:
        return "the product of its scores has another form than queries by keys"
    loops: dict[Hashable, Linear] = dict(zip(written, product.indices, strict=True))
    loops[found.depth[0]] = Linear.variable(feature)
    extents[feature] = features = view.extent(found.depth[0])
    before = set(reader.met)
    sources = [
        _source(reader, one.value, tuple(index.substitute(loops, extents) for index in one.indices))
        for one in found.operands
    ]
    moved = set(reader.met) - before
    reader.met[owner] = None
    query, keys = sources if _moves(sources[0], row) or _moves(sources[1], key) else sources[::-1]
    if _moves(keys, row) or _moves(query, key):
        return "the product of its scores has another form than queries by keys"
    return Scores(query, keys, mask, scale, counted, features, frozenset(moved))


def starts_from_zero(op: LinalgStructuredOperation, indices: Indices, extents: Extents) -> bool:
    """Whether a product is added to nothing, at given indices of its result."""
    return ElementReader(extents).element(op.outputs[0], indices) == Number(0.0)


def _apart(scores: Expression) -> tuple[Expression, Source | None]:
    """The scaled product and the mask that is added to it, if there is one."""
    if isinstance(scores, Applied) and scores.name == "arith.addf":
        for one, other in (scores.operands, scores.operands[::-1]):
            mask = other.operands[0] if isinstance(other, Applied) and other.name == "arith.extf" else other
            if isinstance(mask, Element) and not isinstance(mask.value.owner, LinalgStructuredOperation):
                return one, (mask.value, mask.indices)
    return scores, None


def _scaled(scores: Expression) -> tuple[Expression, float]:
    """What is multiplied by a number, and the number."""
    if isinstance(scores, Applied) and scores.name in ("arith.mulf", "arith.divf"):
        one, other = scores.operands
        if isinstance(other, Number) and not isinf(other.value) and other.value != 0:
            return one, other.value if scores.name == "arith.mulf" else 1 / other.value
        if isinstance(one, Number) and scores.name == "arith.mulf":
            return other, one.value
    return scores, 1.0


def _source(reader: ElementReader, value: SSAValue, indices: Indices) -> Source:
    while (found := reader.moved(value, indices)) is not None:
        value, indices = found
    return value, indices


def _moves(source: Source, coordinate: int) -> bool:
    return any(coordinate in index.variables() for index in source[1])
