"""The init of a reduction as a block of its own."""

from __future__ import annotations

from collections.abc import Hashable

from xdsl.dialects import arith
from xdsl.ir import Block, Region
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.accesses import bindings_of, guards_of
from vtac.analysis.nests.nest import enclosing_loops, extents_around
from vtac.dialects.schedule.attributes import AccessAttr, Number
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.rewriting.block_edits import rebind
from vtac.rewriting.edits import insert_ops, nest_ops, stand_for
from vtac.rewriting.linalg_bodies import yield_of


def split_off_init(
    block: BlockOp, loop: ForOp, name: str, reducing: set[ForOp], rewriter: PatternRewriter | None = None
) -> BlockOp:
    """A new block before `loop` that stores a block's init, which has none any more.

    The new block stands under copies of those loops from `loop` inwards that are not among those `reducing`.
    Raises `ValueError` for a block without an init.
    """
    value = block.init
    if value is None:
        raise ValueError(f"block '{block.block_name}' has no init to split off")
    around = enclosing_loops(block)
    inner = around[around.index(loop) :]
    renamed: dict[Hashable, Linear] = {}
    fresh_loops: list[ForOp] = []
    for old in inner:
        if old not in reducing:
            fresh = ForOp.get(old.trip_count, old.loop_name, old.loop_kind)
            stand_for(fresh, old)
            renamed[old.induction_variable] = Linear.variable(fresh.induction_variable)
            fresh_loops.append(fresh)
    init = _init_block(block, name, value)
    insert_ops(nest_ops([*fresh_loops, init]), InsertPoint.before(loop), rewriter)
    _bind_init(block, init, renamed, {other.induction_variable for other in reducing})
    block.init = None
    if rewriter is not None:
        rewriter.notify_op_modified(block)
    return init


def _init_block(block: BlockOp, name: str, value: Number) -> BlockOp:
    constant = arith.ConstantOp(value)
    body = Region(Block([constant, yield_of(constant.result)]))
    kept = [position for position, variable in enumerate(block.variables) if not variable.reduction]
    dims = {old: AffineExpr.dimension(new) for new, old in enumerate(kept)}
    replacements = [dims.get(position, AffineExpr.constant(0)) for position in range(len(block.variables))]
    indices = tuple(expr.replace_dims_and_symbols(replacements, []) for expr in block.output_access.indices.results)
    init = BlockOp.get(
        name,
        loops=[],
        inputs=[],
        output=block.output,
        domain=tuple(block.variables[position] for position in kept),
        bindings=AffineMap(0, 0, (AffineExpr.constant(0),) * len(kept)),
        accesses=[AccessAttr.get(AffineMap(len(kept), 0, indices))],
        body=body,
    )
    init.location = block.location
    return init


def _bind_init(block: BlockOp, init: BlockOp, renamed: dict[Hashable, Linear], reducing: set[Hashable]) -> None:
    extents = extents_around(block) | extents_around(init)
    values = [
        value.substitute(renamed, extents)
        for variable, value in zip(block.variables, bindings_of(block, extents), strict=True)
        if not variable.reduction
    ]
    guards = [
        guard.substitute(renamed, extents) for guard in guards_of(block, extents) if not guard.variables() & reducing
    ]
    rebind(init, values, guards)
