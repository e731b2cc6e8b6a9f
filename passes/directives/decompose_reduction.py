"""decompose_reduction: the init of a reduction as a block of its own.

before: for i                             after decompose_reduction(b, k): for i
          for k                                                              b_init(i)
            b(i, k), init 0                                                  for k: b(i, k)
"""

from __future__ import annotations

from collections.abc import Hashable

from xdsl.dialects import arith
from xdsl.dialects.builtin import StringAttr
from xdsl.ir import Block, Region
from xdsl.ir.affine import AffineExpr, AffineMap

from vtac.analysis.accesses import bindings_of, guards_of, rebind
from vtac.analysis.linear import Linear
from vtac.analysis.nest import buffer_name, enclosing_loops, extents_around
from vtac.analysis.revisits import writes_once
from vtac.dialects.schedule.attributes import AccessAttr, Number
from vtac.dialects.schedule.directives import DecomposeReductionOp
from vtac.dialects.schedule.payload import HARDWARE_ANNOTATIONS, BlockOp, ForOp, YieldOp
from vtac.passes.directives.handles import Handles, describe, refusal


def decompose_reduction(op: DecomposeReductionOp, handles: Handles) -> None:
    """Place the init of a block before a loop, under copies of the spatial loops inside.

    requires: a block with an init; the loop around it; no loop outside that reduces; no
              loop inside that is spatial and reducing at once (fused), and none that
              computes an element again (a halo, say).
    """
    block = handles.block(op.block, op)
    loop = handles.loop(op.loop, op)
    name = f"block '{block.block_name}'"
    if block.init is None:
        raise refusal(op, f"{name} has no init", "only a reduction that starts from a constant can be decomposed")
    around = enclosing_loops(block)
    if loop not in around:
        raise refusal(op, f"loop {describe(loop)} is not around {name}", "choose one of its loops")
    reducing, _ = loop_roles(block)
    for outer in around[: around.index(loop)]:
        if outer in reducing:
            raise refusal(
                op,
                f"loop {describe(outer)} outside {describe(loop)} reduces in {name}",
                f"decompose at {describe(outer)}",
            )
    mixed = mixed_loop(block)
    if mixed is not None:
        raise refusal(op, f"loop {describe(mixed)} is spatial and reducing at once", "do not fuse across the kinds")
    inside = [inner for inner in around[around.index(loop) :] if inner not in reducing]
    if not writes_once(block, inside):
        raise refusal(
            op,
            f"loop {describe(loop)} computes elements of '{buffer_name(block.output)}' more than once, and would start "
            "them once",
            "choose the outermost loop that reduces",
        )
    init = split_off_init(block, loop, handles.unique_block_name(f"{block.block_name}_init"))
    handles.define_block(op.init, init)


def loop_roles(block: BlockOp) -> tuple[set[ForOp], set[ForOp]]:
    """Loops that bind reduction variables, and loops that bind spatial ones."""
    owners = {loop.induction_variable: loop for loop in enclosing_loops(block)}
    reducing: set[ForOp] = set()
    spatial: set[ForOp] = set()
    for variable, value in zip(block.variables, bindings_of(block), strict=True):
        loops = {owners[used] for used in value.variables() if used in owners}  # pyright: ignore[reportArgumentType]
        (reducing if variable.reduction else spatial).update(loops)
    return reducing, spatial


def mixed_loop(block: BlockOp) -> ForOp | None:
    """A loop that binds spatial and reduction variables at once (fused across the kinds), if there is one."""
    reducing, spatial = loop_roles(block)
    return next((loop for loop in enclosing_loops(block) if loop in reducing and loop in spatial), None)


def reduction_loop(block: BlockOp) -> ForOp | None:
    """The loop before which a block's init stands: the outermost that reduces or is mapped to hardware."""
    reducing, _ = loop_roles(block)
    for loop in enclosing_loops(block):
        if loop in reducing or any(key in loop.attributes for key in HARDWARE_ANNOTATIONS):
            return loop
    return None


def split_off_init(block: BlockOp, loop: ForOp, name: str) -> BlockOp:
    """Do the rewrite: a new block before `loop` that stores the init, and no init any more."""
    value = block.init
    parent = loop.parent
    if value is None or parent is None:
        raise ValueError("nothing to split off")
    reducing, _ = loop_roles(block)
    inner = [other for other in enclosing_loops(block) if other is loop or loop in enclosing_loops(other)]
    renamed: dict[Hashable, Linear] = {}
    outermost: ForOp | None = None
    body: Block | None = None
    for old in inner:
        if old in reducing:
            continue
        fresh = ForOp.get(old.trip_count, old.loop_name, old.loop_kind)
        fresh.attributes = dict(old.attributes)
        fresh.location = old.location
        renamed[old.induction_variable] = Linear.variable(fresh.induction_variable)
        if body is None:
            outermost = fresh
        else:
            body.add_op(fresh)
        body = fresh.body.block
    init = _init_block(block, name, value)
    if body is None or outermost is None:
        parent.insert_op_before(init, loop)
    else:
        body.add_op(init)
        parent.insert_op_before(outermost, loop)
    _bind_init(block, init, renamed, {other.induction_variable for other in reducing})
    block.init = None
    return init


def _init_block(block: BlockOp, name: str, value: Number) -> BlockOp:
    constant = arith.ConstantOp(value)
    body = Region(Block([constant, YieldOp(operands=[constant.result])]))
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
    init.sym_name = StringAttr(name)
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
