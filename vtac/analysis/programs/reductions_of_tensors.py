"""Sums and maxima over dimensions of a tensor, as the poolings of four dimensions that they are."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.ir import Attribute
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap

from vtac.analysis.operations.contraction import match_contraction
from vtac.analysis.operations.contraction_bodies import Kind
from vtac.analysis.operations.elementwise import NOWHERE, index_loops
from vtac.analysis.operations.structured_view import structured_view
from vtac.analysis.types.tensor_types import element_of, shape_of

_RANK = 4


@dataclass(frozen=True)
class Reduction:
    """A reduction of `element`: the data in four dimensions of `shape`, of which `spatial` are the windows' two.

    A reduced dimension is covered by one window, any other dimension of `spatial` by windows of one element.
    """

    kind: Kind
    element: Attribute
    shape: tuple[int, ...]
    reduced: tuple[int, ...]
    spatial: tuple[int, int]

    @property
    def result(self) -> tuple[int, ...]:
        """The shape of the result, where each reduced dimension is kept."""
        return tuple(1 if dim in self.reduced else extent for dim, extent in enumerate(self.shape))

    @property
    def window(self) -> tuple[int, ...]:
        """The extents of the window along both axes."""
        return tuple(self.shape[dim] if dim in self.reduced else 1 for dim in self.spatial)

    @property
    def terms(self) -> int:
        """Elements that are reduced to one."""
        return prod(self.window)

    @property
    def maps(self) -> tuple[AffineMap, AffineMap, AffineMap]:
        """Where data, window and result are read, over four loops of the result and two of the window."""
        loops: list[AffineExpr] = [AffineDimExpr(dim) for dim in range(_RANK + 2)]
        data = loops[:_RANK]
        for axis, dim in enumerate(self.spatial):
            data[dim] = data[dim] + loops[_RANK + axis]
        return tuple(AffineMap(_RANK + 2, 0, tuple(indices)) for indices in (data, loops[_RANK:], loops[:_RANK]))  # pyright: ignore[reportReturnType]


def reduction_of(op: LinalgStructuredOperation) -> Reduction | None:
    """The reduction of its one input that an operation is, over one or two dimensions of at most four; None if none."""
    if len(op.inputs) != 1 or len(op.res) != 1:
        return None
    view = structured_view(op)
    found = view if isinstance(view, str) else match_contraction(view)
    if isinstance(found, str) or found.kind == "product":
        return None
    read, written = (index_loops(attribute.data) for attribute in op.get_indexing_maps())
    rank = len(shape_of(op.inputs[0]))
    if read is None or written is None or sorted(read) != list(range(rank)) or rank > _RANK:
        return None
    kinds = [kind.data is IteratorType.REDUCTION for kind in op.get_iterator_types()]
    reduced = [dim for dim, loop in enumerate(read) if kinds[loop]]
    kept = [loop for loop in read if not kinds[loop]]
    if not 1 <= len(reduced) <= 2 or [loop for loop in written if loop != NOWHERE] != kept:
        return None
    units = _RANK - rank
    reduced = [dim + units for dim in reduced]
    others = [*range(units), *(dim for dim in range(_RANK - 1, units - 1, -1) if dim not in reduced)]
    spatial = sorted((*reduced, others[0])) if len(reduced) == 1 else reduced
    shape = (*[1] * units, *shape_of(op.inputs[0]))
    return Reduction(found.kind, element_of(op.inputs[0]), shape, tuple(reduced), (spatial[0], spatial[1]))
