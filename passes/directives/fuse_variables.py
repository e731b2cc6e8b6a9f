"""fuse_variables: let one iteration variable of a block run over several.

before: for n, f, y, x: b(n, f, y, x)      after fuse_variables(b, [[0, 2, 3], [1]]): for m, f: b(m, f)
                                           with n = m floordiv (Y * X), y = m floordiv X mod Y, x = m mod X
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import prod
from typing import cast

from xdsl.dialects.builtin import ArrayAttr, DenseArrayBase, IntegerType
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.rewriter import InsertPoint

from vtac.analysis.expressions.affine_expressions import from_affine, to_affine
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.accesses import bindings_of
from vtac.analysis.nests.nest import enclosing_loops
from vtac.analysis.nests.nest import extents_around as extents_of
from vtac.dialects.schedule.attributes import AccessAttr, IterationAttr, IterationVariable
from vtac.dialects.schedule.gpu_directives import FuseVariablesOp
from vtac.dialects.schedule.payload import BlockOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, refusal
from vtac.rewriting.nests import regenerate


@rewrites(FuseVariablesOp)
def fuse_variables(op: FuseVariablesOp, handles: Handles) -> None:
    """Fuse groups of iteration variables, outermost first, and give the block one loop per group.

    Unlike `fuse`, which keeps the variables, this makes the fused one the block's own: a dimension
    that is addressed by all of a group is addressed by it plainly.

    requires: each variable in one group; no group of spatial and reduction variables; a block in
              a nest of its own that is as it was.
    ensures:  the same points are computed, in one loop per group, in the order of the groups; buffers keep their
              dimensions.
    refused:  a block that other directives have changed, and a variable that is named twice or not at all.
    """
    block = handles.block(op.block, op)
    groups = [list(cast("DenseArrayBase[IntegerType]", group).get_values()) for group in op.groups.data]
    _check(op, block, groups)
    extents: dict[Hashable, int] = {}
    values = [Linear(0)] * len(block.variables)
    for at, group in enumerate(groups):
        extents[at] = prod(block.variables[v].extent for v in group)
    for at, group in enumerate(groups):
        inner = 1
        for variable in reversed(group):
            extent = block.variables[variable].extent
            quotient = Linear.variable(at).floor_divide(inner, extents)
            values[variable] = quotient if variable == group[0] else quotient.modulo(extent, extents)
            inner *= extent
    accesses: list[AccessAttr] = []
    for access in block.accesses.data:
        indices = tuple(
            to_affine(from_affine(expr, values, [], extents), _dimension) for expr in access.indices.results
        )
        accesses.append(AccessAttr.get(AffineMap(len(groups), 0, indices), access.pad_value))
    block.accesses = ArrayAttr(accesses)
    block.domain = IterationAttr(
        tuple(IterationVariable(extents[at], block.variables[group[0]].reduction) for at, group in enumerate(groups))
    )
    regenerate(block, InsertPoint.after([*enclosing_loops(block), block][0]), [None] * len(groups))


def _dimension(variable: Hashable) -> AffineExpr:
    if not isinstance(variable, int):
        raise TypeError("a group of variables is named by its position")
    return AffineExpr.dimension(variable)


def _check(op: FuseVariablesOp, block: BlockOp, groups: Sequence[Sequence[int]]) -> None:
    name, count = f"block '{block.block_name}'", len(block.variables)
    if sorted(variable for group in groups for variable in group) != list(range(count)):
        raise refusal(op, f"groups {list(map(list, groups))} of the {count} variables of {name}", "name each once")
    if not is_in_its_own_nest(block):
        raise refusal(
            op, f"{name} does not stand in its own nest as it was", "use fuse_variables before other directives"
        )
    for group in groups:
        if len({block.variables[variable].reduction for variable in group}) > 1:
            raise refusal(op, f"{list(group)} holds spatial and reduction variables of {name}", "keep them apart")


def is_in_its_own_nest(block: BlockOp) -> bool:
    """Whether a block stands under one plain loop per iteration variable, and under nothing else."""
    loops = enclosing_loops(block)
    own = [Linear.variable(loop.induction_variable) for loop in loops]
    units = {loop.induction_variable for loop in loops if loop.trip_count == 1}
    bindings = bindings_of(block, extents_of(block))
    return (
        block.guard is None
        and len(own) == len(bindings)
        and all(not loop.attributes and len(list(loop.body.block.ops)) == 1 for loop in loops)
        and all(value == loop or loop.variables() <= units for value, loop in zip(bindings, own, strict=True))
    )
