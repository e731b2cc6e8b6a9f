"""Contractions: sums (or maxima) of products of two operands, or of one, over reduction variables.

The one recogniser of products, convolutions and poolings. It asks which operands each
variable moves, which makes four groups of a product's variables:

            left   right   result
    batch     x      x        x
    rows      x               x
    columns          x        x
    depth     x      x

What callers require beyond that (plain indices, windows, tiles of a size, scopes) they ask of the view.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, Literal, NamedTuple, cast

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.operations.contraction_bodies import Factor, Kind, match_body
from vtac.analysis.operations.structured_view import AccessPattern, Operand, StructuredView, V
from vtac.dialects.schedule.attributes import IterationVariable

NO_REDUCTION = "expected a reduction loop, found only parallel ones"

_Group = Literal["batch", "rows", "columns", "depth", "broadcast", "partial"]


class Groups(NamedTuple, Generic[V]):
    """The variables of each group of a contraction, in the order of the result's dimensions, then of all variables."""

    batch: tuple[V, ...]
    rows: tuple[V, ...]
    columns: tuple[V, ...]
    depth: tuple[V, ...]
    broadcast: tuple[V, ...]
    partial: tuple[V, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Contraction(Generic[V]):
    """A view whose body is acc + a * b, acc + a, or max(acc, a), and the group of each of its variables.

    `factors` are a product's left and right operand, or the one operand of a sum or maximum; such
    a one has rows and depth only. `broadcast` variables are kept by the result and move no
    factor, `partial` ones are reductions that do not move every factor. Groups are in the order of the
    result's dimensions, then of the view's variables.
    """

    view: StructuredView[V]
    kind: Kind
    factors: tuple[Factor, ...]
    batch: tuple[V, ...]
    rows: tuple[V, ...]
    columns: tuple[V, ...]
    depth: tuple[V, ...]
    broadcast: tuple[V, ...]
    partial: tuple[V, ...]

    @property
    def operands(self) -> tuple[Operand[V], ...]:
        """The operands of the factors."""
        return tuple(self.view.inputs[factor.position] for factor in self.factors)

    @property
    def reductions(self) -> tuple[V, ...]:
        """Every variable that is summed over, in the view's order."""
        return tuple(variable for variable, found in self.view.variables.items() if found.reduction)

    def exchanged(self) -> Contraction[V]:
        """The product with its factors, rows and columns exchanged."""
        return _grouped(self.view, self.kind, self.factors[::-1])


def match_contraction(view: StructuredView[V]) -> Contraction[V] | str:
    """The contraction that a view is, or the first difference from one."""
    if not view.accumulates:
        return NO_REDUCTION
    body = match_body(view.body)
    return body if isinstance(body, str) else _grouped(view, body.kind, body.factors)


def match_product(view: StructuredView[V], *, narrow: bool = False) -> Contraction[V] | str:
    """The product acc + extend(a) * extend(b) of exactly two inputs, a the first; or the first difference.

    Both inputs are widened, by sign or not, integers or floats: what GEMM and tensor cores compute. With `narrow` both
    may also be added up in their own type.
    """
    if not view.accumulates or len(view.inputs) != 2:
        return f"expected two inputs and a reduction, found {len(view.inputs)} inputs"
    found = match_contraction(view)
    if isinstance(found, str):
        return found
    if found.kind != "product":
        return f"expected the product of both inputs added to the accumulator, found the {found.kind} of one input"
    positions = [factor.position for factor in found.factors]
    widened = {factor.widening is not None for factor in found.factors}
    plain = (widened == {True} or (narrow and len(widened) == 1)) and all(f.zero_point is None for f in found.factors)
    if sorted(positions) != [0, 1] or not plain:
        return "expected the product of both inputs, each widened by arith.extsi or extf"
    return found if positions == [0, 1] else found.exchanged()


def _grouped(view: StructuredView[V], kind: Kind, factors: tuple[Factor, ...]) -> Contraction[V]:
    positions = tuple([factor.position for factor in factors])
    if view.pattern is not None:
        groups = cast("Groups[V]", groups_of(view.pattern, positions))
    else:
        indices = [operand.indices for operand in (*view.inputs, view.output)]
        groups = _groups(view.variables, indices, positions)
    return Contraction(view, kind, factors, *groups)


@lru_cache(maxsize=1024)
def groups_of(pattern: AccessPattern, positions: tuple[int, ...]) -> Groups[int]:
    """The groups of a pattern's variables, for the product of the inputs at two positions, or the one at one."""
    return _groups(pattern.variables, pattern.indices, positions)


def _groups(
    variables: Mapping[V, IterationVariable], indices: Sequence[Sequence[Linear]], positions: Sequence[int]
) -> Groups[V]:
    """The variables of each group, by which of the inputs at `positions` they move."""
    moved = [{variable for index in indices[position] for variable in index.variables()} for position in positions]
    written = [index.variables() for index in indices[-1]]
    order = [variable for used in written for variable in variables if variable in used]
    groups: dict[str, list[V]] = {}
    for variable in dict.fromkeys([*order, *variables]):
        group = _group(variables[variable].reduction, [variable in used for used in moved])
        groups.setdefault(group, []).append(variable)
    return Groups(**{name: tuple(groups.get(name, ())) for name in Groups._fields})


def _group(reduction: bool, moves: list[bool]) -> _Group:
    """The group of a variable, by which factors it moves: left and right, or the one there is."""
    if reduction:
        return "depth" if all(moves) else "partial"
    if not any(moves):
        return "broadcast"
    if all(moves) and len(moves) > 1:
        return "batch"
    return "rows" if moves[0] else "columns"
