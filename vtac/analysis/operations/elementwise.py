"""Linalg operations that compute each element from the elements at the same indices."""

from __future__ import annotations

from xdsl.dialects.builtin import ShapedType
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import IndexOp
from xdsl.dialects.tensor import ExtractOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineDimExpr, AffineMap

NOWHERE = -1
"""In place of a dimension: the index 0 of one whose extent is 1."""


def is_elementwise(op: Operation) -> bool:
    """Whether an op computes each element of its one result from elements at the same indices."""
    if not isinstance(op, LinalgStructuredOperation) or len(op.outputs) != 1 or not op.res:
        return False
    if any(kind.data is not IteratorType.PARALLEL for kind in op.get_iterator_types()):
        return False
    if any(isinstance(inner, IndexOp | ExtractOp) for inner in op.body.block.ops):
        return False
    maps = [attribute.data for attribute in op.get_indexing_maps()]
    written = index_loops(maps[-1])
    return (
        written is not None
        and sorted(written) == list(range(maps[-1].num_dims))
        and all(_is_read_whole(value, m) for value, m in zip(op.operands, maps, strict=True))
    )


def _is_read_whole(value: SSAValue, indices: AffineMap) -> bool:
    """Whether an operand is read by loops alone, or at 0 along dimensions of extent 1."""
    dims = index_loops(indices)
    shape = tuple(value.type.get_shape()) if isinstance(value.type, ShapedType) else ()
    return dims is not None and all(dim != NOWHERE or shape[place] == 1 for place, dim in enumerate(dims))


def index_loops(indices: AffineMap) -> list[int] | None:
    """The loops that are the indices, `NOWHERE` for an index 0; None when there are others."""
    dims: list[int] = []
    for index in indices.results:
        if isinstance(index, AffineDimExpr):
            dims.append(index.position)
        elif isinstance(index, AffineConstantExpr) and index.value == 0:
            dims.append(NOWHERE)
        else:
            return None
    return dims
