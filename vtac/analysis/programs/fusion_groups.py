"""Elementwise operations that are computed together: chains, and diamonds of them, that only one of them leaves.

One walk from the last operation to the first. An operation belongs to the group of its users when
they all are in one, and read it at the same place of the group's result; it must not bring a second
product there, whose sums would have to go through memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import i8, i32
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import GenericOp, YieldOp
from xdsl.ir import BlockArgument, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.integer_plans.narrow_plan import is_usual_body
from vtac.analysis.operations.elementwise import index_loops, is_elementwise
from vtac.analysis.types.tensor_types import element_of, rank_of


@dataclass(eq=False)
class Group:
    """Operations in program order, the last of which gives the result; `places` are their loops by the result's."""

    operations: list[GenericOp]
    places: dict[Operation, AffineMap]
    products: set[SSAValue] = field(default_factory=set[SSAValue])
    size: int = 0


def fusion_groups(function: FuncOp, most: int) -> list[Group]:
    """The groups of more than one operation; bodies of at most `most` operations together."""
    group_of: dict[Operation, Group] = {}
    groups: list[Group] = []
    sums = _sums(function)
    for op in reversed(list(function.body.block.ops)):
        if not isinstance(op, GenericOp) or not is_fusible(op):
            continue
        products = set[SSAValue]().union(*(sums.get(value, ()) for value in op.inputs))
        group = _group_of_users(op, group_of, most, products)
        if group is None:
            group = Group([], {op: AffineMap.identity(rank_of(op.res[0]))})
            groups.append(group)
        group.operations.insert(0, op)
        group.products |= products
        group.size += len(op.body.block.ops)
        group_of[op] = group
    return [group for group in reversed(groups) if len(group.operations) > 1]


def is_fusible(op: GenericOp) -> bool:
    """Whether an operation computes i8 or i32 in i32, at the indices of its result."""
    if not is_elementwise(op) or len(op.res) != 1 or element_of(op.res[0]) not in (i8, i32):
        return False
    maps = op.get_indexing_maps().data
    whole = maps[-1].data == AffineMap.identity(rank_of(op.res[0]))
    return whole and is_usual_body(op) and not op.body.block.args[-1].uses and all(map(_is_alu, op.body.block.ops))


def _is_alu(op: Operation) -> bool:
    """Whether the ALU has an operation on scalars, or GEMM with a diagonal weight tile: what it lacks stays alone."""
    if isinstance(op, arith.SubiOp):
        return number_of(op.rhs) is not None or _is_byte(op.rhs)
    if isinstance(op, arith.MuliOp):
        number, other = number_of(op.rhs), op.lhs
        if number is None:
            number, other = number_of(op.lhs), op.rhs
        return number is not None and (number.bit_count() == 1 or (_is_byte(other) and -128 <= number <= 127))
    return isinstance(op, _ALU)


_ALU = (
    arith.ConstantOp,
    arith.ExtSIOp,
    arith.TruncIOp,
    arith.AddiOp,
    arith.MaxSIOp,
    arith.MinSIOp,
    arith.ShRSIOp,
    arith.ShLIOp,
    YieldOp,
)


def _is_byte(value: SSAValue) -> bool:
    return isinstance(value.owner, arith.ExtSIOp) and isinstance(value.owner.input, BlockArgument)


def _group_of_users(
    op: GenericOp, group_of: dict[Operation, Group], most: int, products: set[SSAValue]
) -> Group | None:
    """The group that an operation can join, with its place there noted."""
    value = op.res[0]
    found = {group_of.get(use.operation) for use in value.uses}
    group = found.pop() if len(found) == 1 else None
    if group is None or group.size + len(op.body.block.ops) > most:
        return None
    places: set[AffineMap] = set()
    for use in value.uses:
        user = cast(GenericOp, use.operation)
        place = _composed(user.get_indexing_maps().data[use.index].data, group.places[user])
        if place is None or use.index >= len(user.inputs) or _must_be_stored(user, use.index):
            return None
        places.add(place)
    whole = len(places) == 1 and (_is_permutation(next(iter(places))) or is_move(op))
    if not whole or len(group.products | products) > 1:
        return None
    group.places[op] = next(iter(places))
    return group


def is_move(op: GenericOp) -> bool:
    """Whether an operation only puts elements at other places."""
    return isinstance(op.body.block.first_op, YieldOp)


def _composed(inner: AffineMap, outer: AffineMap) -> AffineMap | None:
    """Indices by the loops of a group, of what is read by those of one of its operations."""
    loops = index_loops(inner)
    if loops is None or min(loops, default=0) < 0:
        return None
    return AffineMap(outer.num_dims, 0, tuple(outer.results[loop] for loop in loops))


def _is_permutation(found: AffineMap) -> bool:
    return sorted(map(str, found.results)) == sorted(str(AffineDimExpr(dim)) for dim in range(found.num_dims))


def _must_be_stored(user: GenericOp, place: int) -> bool:
    """Whether GEMM multiplies an operand, or takes it off: bytes in memory."""
    if element_of(user.inputs[place]) != i8:
        return False
    extended = [use.operation for use in user.body.block.args[place].uses if isinstance(use.operation, arith.ExtSIOp)]
    readers = [use for wide in extended for use in wide.results[0].uses]
    return any(
        isinstance(use.operation, arith.MuliOp) or (isinstance(use.operation, arith.SubiOp) and use.index == 1)
        for use in readers
    )


def _sums(function: FuncOp) -> dict[SSAValue, set[SSAValue]]:
    """For each i32 value that goes on from the sums of products without being stored in between, which sums."""
    found: dict[SSAValue, set[SSAValue]] = {}
    for op in function.body.block.ops:
        if not isinstance(op, LinalgStructuredOperation) or len(op.res) != 1 or element_of(op.res[0]) != i32:
            continue
        behind = set[SSAValue]([op.res[0]] if _is_reduction(op) else ())
        behind = behind.union(*(found.get(value, ()) for value in op.inputs))
        if behind:
            found[op.res[0]] = behind
    return found


def _is_reduction(owner: object) -> bool:
    return isinstance(owner, LinalgStructuredOperation) and not is_elementwise(owner)
