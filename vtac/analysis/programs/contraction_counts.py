"""How many contractions a function has, and how many multiplications each takes."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.dialects.builtin import AnyFloat
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.ir import Operation

from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.walks import operations_under
from vtac.analysis.operations.contraction import match_contraction
from vtac.analysis.operations.structured_view import structured_view
from vtac.dialects.schedule.payload import BlockOp

_MOST = 2**63 - 1
"""What an i64 holds."""


@dataclass(frozen=True, slots=True)
class Count:
    """A contraction: where it stands, its multiplications with an addition each, and whether they are of floats."""

    location: str
    macs: int
    is_float: bool


def contractions_in(root: Operation) -> list[Count]:
    """The sums of products that structured operations under a root compute, in program order; no sums of one factor."""
    return [found for op in operations_under(root) if op.regions and (found := count_of(op)) is not None]


def _reduces(op: Operation) -> bool:
    """Whether it is a structured operation with a reduction."""
    if isinstance(op, LinalgStructuredOperation):
        return any(kind.data is IteratorType.REDUCTION for kind in op.get_iterator_types())
    return isinstance(op, BlockOp) and op.has_reduction


def count_of(op: Operation) -> Count | None:
    """What a contraction of static shape counts; None for any other operation."""
    if not _reduces(op):
        return None
    view = structured_view(op)
    if isinstance(view, str):
        return None
    found = match_contraction(view)
    if isinstance(found, str) or found.kind != "product":
        return None
    extents = [variable.extent for variable in view.variables.values()]
    if min(extents, default=0) < 0:
        return None
    return Count(location_of(op), min(prod(extents), _MOST), isinstance(view.body.args[-1].type, AnyFloat))
