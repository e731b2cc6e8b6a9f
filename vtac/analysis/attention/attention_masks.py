"""Masks by indices: keys beyond the row, moved by a constant, do not count (a causal one), or those beyond a number.

Causal ones may be constants, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from xdsl.dialects import arith
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr
from xdsl.ir import SSAValue

from vtac.analysis.expressions.linear import ZERO, Extents, Linear
from vtac.analysis.types.tensor_types import shape_of
from vtac.analysis.values.element_expressions import Applied, Expression, Index, Indices, Number

_FAR = -1.0e30
"""What is added to a score, or stands in its place, so that the key counts for nothing: no score comes near it."""
_KEEPS, _FALLS, _LESS, _MORE = ("5", "9"), ("3", "7"), ("2", "6"), ("4", "8")
"""Predicates of arith.cmpi, signed and unsigned: >=, <=, < and >."""
_UNSIGNED = ("6", "7", "8", "9")
_KINDS = ("index", "i32", "i64")
"""Types of indices; those of fewer bits wrap around."""
_CASTS = ("arith.index_cast", "arith.extsi", "arith.trunci")
_LIMIT = 2**31
"""Numbers from minus this on and below it are the same in each of these types, signed or not where none is negative."""


@dataclass(frozen=True)
class Counted:
    """Which keys count: those up to row + `diagonal`, and none after the first `keys`; None where all do."""

    diagonal: int | None = None
    keys: int | None = None


def masked_beyond(scores: Expression, row: int, key: int, extents: Extents) -> tuple[Counted, Expression] | None:
    """The keys that a mask by indices lets count, and the scores without it; None where scores have none.

    `select(row + d >= key, s, -inf)`, or `s + select(row + d >= key, 0, -inf)`; without the row, keys up to d count.
    """
    if not isinstance(scores, Applied):
        return None
    if scores.name == "arith.addf":
        for one, other in (scores.operands, scores.operands[::-1]):
            chosen = _chosen(other, row, key, extents)
            if chosen is not None and chosen[1] == Number(0.0):
                return chosen[0], one
        return None
    return _chosen(scores, row, key, extents)


def is_masked_at_indices(scores: Expression) -> bool:
    """Whether scores are chosen, or added to what is chosen, by a condition on indices: a mask of whatever form."""
    if not isinstance(scores, Applied):
        return False
    if scores.name == "arith.addf":
        return any(isinstance(one, Applied) and _is_choice(one) for one in scores.operands)
    return _is_choice(scores)


def _is_choice(found: Applied) -> bool:
    return found.name == "arith.select" and _has_index(found.operands[0])


def _has_index(found: Expression) -> bool:
    return isinstance(found, Index) or (isinstance(found, Applied) and any(map(_has_index, found.operands)))


def _chosen(found: Expression, row: int, key: int, extents: Extents) -> tuple[Counted, Expression] | None:
    """The keys for which a choice takes one expression, and a number that counts for nothing for those beyond."""
    if not isinstance(found, Applied) or found.name != "arith.select":
        return None
    condition, yes, no = found.operands
    kept = _kept(condition, extents)
    if kept is None:
        return None
    if _is_far(yes):
        kept, yes, no = (ZERO - kept) - 1, no, yes
    counted = _counted(kept + Linear.variable(key), row, extents)
    return None if counted is None or not _is_far(no) else (counted, yes)


def _counted(last: Linear, row: int, extents: Extents) -> Counted | None:
    """The keys that count where each row has a last one; None where it moves otherwise, or a row might have none."""
    ones = {one: ZERO for one in last.variables() | {row} if extents[one] == 1}
    diagonal = (last - Linear.variable(row)).substitute(ones, extents)
    if diagonal.is_constant:
        return Counted(diagonal=diagonal.constant) if diagonal.constant >= 0 else None
    last = last.substitute(ones, extents)
    return Counted(keys=last.constant + 1) if last.is_constant and last.constant >= 0 else None


def _is_far(found: Expression) -> bool:
    return isinstance(found, Number) and found.value <= _FAR


def _kept(condition: Expression, extents: Extents) -> Linear | None:
    """What is 0 or more where a comparison of indices holds."""
    if not isinstance(condition, Applied) or not condition.name.startswith("arith.cmpi "):
        return None
    left, right = (_linear(one, extents) for one in condition.operands)
    if left is None or right is None:
        return None
    predicate = condition.name.removeprefix("arith.cmpi ")
    if predicate in _UNSIGNED and any(side.bounds(extents)[0] < 0 for side in (left, right)):
        return None
    if predicate in _KEEPS:
        return left - right
    if predicate in _MORE:
        return left - right - 1
    if predicate in _FALLS:
        return right - left
    return right - left - 1 if predicate in _LESS else None


def _linear(found: Expression, extents: Extents) -> Linear | None:
    """What an integer is of the indices; None where it might be another number in its type."""
    made = _exact(found, extents)
    if made is None:
        return None
    low, high = made.bounds(extents)
    return made if low >= -_LIMIT and high < _LIMIT else None


def _exact(found: Expression, extents: Extents) -> Linear | None:
    """What an integer is of the indices if its type holds it."""
    if isinstance(found, Index):
        return found.value
    if isinstance(found, Number):
        return Linear(int(found.value))
    if not isinstance(found, Applied) or found.kind not in _KINDS:
        return None
    if found.name in _CASTS:
        # The bits of a constant are another number in another type.
        return None if isinstance(found.operands[0], Number) else _linear(found.operands[0], extents)
    left, right = (*(_linear(one, extents) for one in found.operands), None)[:2]
    if left is None or right is None:
        return None
    if found.name == "arith.addi":
        return left + right
    return left - right if found.name == "arith.subi" else None


def constant_diagonal(mask: tuple[SSAValue, Indices], row: int, key: int) -> int | None:
    """The diagonal of a constant mask that is 0 up to it, and far below 0 beyond; None for another mask."""
    value, indices = mask
    owner, shape = value.owner, shape_of(value)
    moving = [place for place, index in enumerate(indices) if index != ZERO]
    if not isinstance(owner, arith.ConstantOp) or not isinstance(owner.value, DenseIntOrFPElementsAttr):
        return None
    wanted = [Linear.variable(row), Linear.variable(key)]
    still = [extent for place, extent in enumerate(shape) if place not in moving]
    if [indices[place] for place in moving] != wanted or any(extent != 1 for extent in still):
        return None
    rows, keys = (shape[place] for place in moving)
    values = [one for one in owner.value.iter_values() if not isinstance(one, tuple)]
    if len(values) != rows * keys:
        return None
    diagonal = next((place for place, one in enumerate(values[:keys]) if one != 0), keys) - 1
    for number in range(rows):
        line = values[number * keys : (number + 1) * keys]
        end = min(keys, number + diagonal + 1)
        if any(one != 0 for one in islice(line, end)) or any(not one <= _FAR for one in line[end:]):
            return None
    return diagonal if diagonal >= 0 else None
