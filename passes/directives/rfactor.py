"""rfactor: the iterations of one reduction loop as sums of their own, which are added up afterwards.

before: for i                             after rfactor(b, t): for i
          for k                                                  for k
            for t: b(i) += x(i, k, t)                              for t: b_rf(i, t) += x(i, k, t)
                                                               for i
                                                                 for t: b(i) += b_rf(i, t)
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import ArrayAttr, FloatAttr, IntegerAttr, IntegerType
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.rewriter import InsertPoint

from vtac.analysis.expressions.affine_expressions import from_affine, to_affine
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.accesses import bindings_of
from vtac.analysis.nests.nest import buffer_name, element_type_of, enclosing_loops, extents_around, shape_of, writers_of
from vtac.analysis.nests.reductions import loop_roles, mixed_loop
from vtac.dialects.schedule.attributes import AccessAttr, IterationAttr, IterationVariable, Number
from vtac.dialects.schedule.gpu_directives import RfactorOp
from vtac.dialects.schedule.payload import BlockOp, ForOp, YieldOp
from vtac.dialects.segments import SEGMENTS, segments
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, refusal
from vtac.rewriting.edits import append, replace_block
from vtac.rewriting.nests import allocate_like, regenerate

_NEUTRAL: Mapping[type[Operation], int | None] = MappingProxyType(
    {
        arith.AddiOp: 0,
        arith.AddfOp: 0,
        arith.MuliOp: 1,
        arith.MulfOp: 1,
        arith.AndIOp: -1,
        arith.OrIOp: 0,
        arith.XOrIOp: 0,
        arith.MaxSIOp: None,
        arith.MinSIOp: None,
        arith.MaxUIOp: None,
        arith.MinUIOp: None,
        arith.MaximumfOp: None,
        arith.MinimumfOp: None,
        arith.MaxnumfOp: None,
        arith.MinnumfOp: None,
    }
)
"""What may join elements in any order, and the number that changes none of them.

None where starting several times from one number is as good as starting from it once.
"""


@rewrites(RfactorOp)
def rfactor(op: RfactorOp, handles: Handles) -> None:
    """Reduce each iteration of a reduction loop into an element of its own, and these into the result.

    The result is the block of the parts, which stands in the nest's place; the block itself follows it.
    Sums of floats are taken in another order.

    requires: a block with an init, alone in its nest and without a guard; a loop that reduces and does
              nothing else; a body that ends in a sum, product, maximum, minimum or bitwise operation of the
              accumulator and what does not depend on it.
    ensures:  the result is reduced from the same numbers, in parts.
    refused:  a loop that is not around the block, and a body whose accumulator meets something that depends on it.
    """
    block, loop = handles.block(op.block, op), handles.loop(op.loop, op)
    _check(op, block, loop)
    combining = _combining(op, block)
    reducing, _ = loop_roles(block)
    order = [loop, *(other for other in enclosing_loops(block) if other in reducing and other is not loop)]
    kept = [variable for variable, one in enumerate(block.variables) if not one.reduction]
    accesses = _accesses(block, kept, order)
    name = handles.unique_block_name(f"{block.block_name}_rf")
    root = handles.function.body.block
    shape = (*shape_of(block.output), loop.trip_count)
    parts = allocate_like(block.output, shape, "global", handles.unique_buffer_name(name), root)
    spatial = tuple(block.variables[variable] for variable in kept)
    variables = (
        *spatial,
        IterationVariable(loop.trip_count),
        *(IterationVariable(other.trip_count, reduction=True) for other in order[1:]),
    )
    if len(order) == 1:
        variables, accesses = _with_one_step(variables, accesses)
    nest = [*enclosing_loops(block), block][0]
    following = InsertPoint.after(nest)
    *read, written = accesses
    place = AffineExpr.dimension(len(kept))
    partial = BlockOp.get(
        name,
        loops=[],
        inputs=list(block.inputs),
        output=parts,
        domain=variables,
        bindings=AffineMap(0, 0, (AffineExpr.constant(0),) * len(variables)),
        accesses=[*read, AccessAttr.get(AffineMap(len(variables), 0, (*written.indices.results, place)))],
        body=block.body.clone(),
        init=_start(block, combining),
    )
    partial.source, partial.location = block.source, block.location
    regenerate(partial, InsertPoint.before(nest), [None] * len(variables))
    _reduce_parts(block, parts, combining, spatial, written, loop.trip_count)
    regenerate(block, following, [None] * len(block.variables))
    handles.define_block(op.parts, partial)


def _check(op: RfactorOp, block: BlockOp, loop: ForOp) -> None:
    name, around = f"block '{block.block_name}'", enclosing_loops(block)
    if loop not in around:
        raise refusal(op, f"loop {describe(loop)} is not around {name}", "choose one of its loops")
    reducing, spatial = loop_roles(block)
    if loop not in reducing or mixed_loop(block, reducing, spatial) is not None:
        raise refusal(
            op,
            f"loop {describe(loop)} of {name} is not one that only reduces",
            "choose a reduction loop, before fusing across the kinds",
        )
    if block.init is None or writers_of(block.output) != [block]:
        raise refusal(
            op,
            f"{name} goes on from what '{buffer_name(block.output)}' holds",
            "only a reduction that starts from a constant can be taken in parts",
        )
    if block.guard is not None or any(len(list(one.body.block.ops)) > 1 for one in around):
        raise refusal(
            op, f"{name} runs under a guard or not alone in its nest", "use rfactor before other directives than split"
        )


def _combining(op: RfactorOp, block: BlockOp) -> Operation:
    """The operation that joins the accumulator and an element."""
    last, accumulator = block.yielded.owner, block.body.block.args[-1]
    joined = isinstance(last, Operation) and type(last) in _NEUTRAL and accumulator in last.operands
    if not joined or accumulator.uses.get_length() != 1:
        raise refusal(
            op,
            f"block '{block.block_name}' does not end in a sum, product, maximum or minimum of its accumulator and "
            "what does not depend on it",
            "leave it in its order",
        )
    return cast(Operation, last)


def _start(block: BlockOp, combining: Operation) -> Number | None:
    """What the parts start from: the block itself adds its own start to them, once."""
    neutral, kind = _NEUTRAL[type(combining)], element_type_of(block.output)
    if neutral is None:
        return block.init
    if isinstance(kind, IntegerType):
        return IntegerAttr(neutral, kind)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return FloatAttr(float(neutral), kind)  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownVariableType]


def _accesses(block: BlockOp, kept: list[int], order: list[ForOp]) -> list[AccessAttr]:
    """The block's accesses over its spatial variables, then one variable for each loop of `order`."""
    count = len(kept) + len(order)
    extents: dict[Hashable, int] = {at: block.variables[variable].extent for at, variable in enumerate(kept)}
    place: dict[Hashable, Linear] = {}
    for at, loop in enumerate(order, len(kept)):
        extents[at] = loop.trip_count
        place[loop.induction_variable] = Linear.variable(at)
    around = extents_around(block)
    values = [
        Linear.variable(kept.index(variable)) if variable in kept else value.substitute(place, {**around, **extents})
        for variable, value in enumerate(bindings_of(block))
    ]
    return [
        AccessAttr.get(
            AffineMap(
                count,
                0,
                tuple(to_affine(from_affine(expr, values, [], extents), _dimension) for expr in access.indices.results),
            ),
            access.pad_value,
        )
        for access in block.accesses.data
    ]


def _dimension(variable: Hashable) -> AffineExpr:
    if not isinstance(variable, int):
        raise TypeError("a variable of the parts is named by its position")
    return AffineExpr.dimension(variable)


def _with_one_step(
    variables: tuple[IterationVariable, ...], accesses: list[AccessAttr]
) -> tuple[tuple[IterationVariable, ...], list[AccessAttr]]:
    """With a reduction of one step, where the loop is the only one that reduces."""
    count = len(variables) + 1
    return (*variables, IterationVariable(1, reduction=True)), [
        AccessAttr.get(AffineMap(count, 0, access.indices.results), access.pad_value) for access in accesses
    ]


def _reduce_parts(
    block: BlockOp,
    parts: SSAValue,
    combining: Operation,
    spatial: tuple[IterationVariable, ...],
    written: AccessAttr,
    count: int,
) -> None:
    """Let a block reduce the parts to what it has written so far."""
    kind, old = element_type_of(block.output), block.body.block.args[-1]
    body = Block(arg_types=[kind, kind])
    element, accumulator = body.args
    operands = [accumulator if operand is old else element for operand in combining.operands]
    clone = combining.clone(dict(zip(combining.operands, operands, strict=True)))
    append([clone, YieldOp(operands=[clone.results[0]])], body)
    dims = len(spatial) + 1
    indices = AffineMap(dims, 0, written.indices.results)
    reading = AffineMap(dims, 0, (*written.indices.results, AffineExpr.dimension(len(spatial))))
    block.operands = [*block.loops, parts, block.output]
    block.properties[SEGMENTS] = segments(len(block.loops), 1, 1)
    block.accesses = ArrayAttr([AccessAttr.get(reading), AccessAttr.get(indices)])
    block.domain = IterationAttr((*spatial, IterationVariable(count, reduction=True)))
    replace_block(block.body.block, body)
