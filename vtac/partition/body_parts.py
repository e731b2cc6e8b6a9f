"""Parts of elementwise bodies that depend on one of the operands alone."""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import i32
from xdsl.dialects.linalg.ops import GenericOp, YieldOp
from xdsl.ir import Block, Operation, SSAValue

from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.partition.alu_building import Loops, elementwise, parallel, put
from vtac.partition.alu_operations import ALU_OPERATIONS, operand_loops
from vtac.rewriting.edits import append, stand_for


def part_of(op: GenericOp, value: SSAValue) -> SSAValue | None:
    """The last scalar of a body that is computed of one i32 input, and numbers and bytes, everywhere that is read.

    A byte rather than a later number of 32 bits; None where that is the input as it is.
    """
    body = op.body.block
    arguments = [argument for argument, given in zip(body.args, op.inputs, strict=False) if given is value]
    if len(arguments) != 1 or len(operand_loops(op)[list(op.inputs).index(value)]) != len(shape_of(op.res[0])):
        return None
    others: set[SSAValue] = {
        argument for argument in body.args if argument.type == i32 and argument is not arguments[0]
    }
    places = {inner: place for place, inner in enumerate(body.ops)}
    last_use: dict[SSAValue, int] = {
        scalar: max(places[use.operation] for use in scalar.uses)
        for scalar in (*body.args, *(result for inner in body.ops for result in inner.results))
        if scalar.uses
    }
    derived: set[SSAValue] = {*arguments}
    found: SSAValue | None = None
    for place, inner in enumerate(body.ops):
        if inner is body.last_op:
            break
        if any(operand in others for operand in inner.operands):
            others.update(inner.results)
            if any(operand in derived for operand in inner.operands):
                break
            continue
        if not any(operand in derived for operand in inner.operands):
            continue
        derived.update(inner.results)
        live = [scalar for scalar in derived if last_use.get(scalar, -1) > place]
        if live == [inner.results[0]]:
            found = inner.results[0]
            if isinstance(inner, arith.TruncIOp):
                break
    return found


def first_part(op: GenericOp, steps: int) -> SSAValue | None:
    """The last scalar of the first `steps` ALU operations of a body that is all of them that later ones read."""
    body = op.body.block
    places = {inner: place for place, inner in enumerate(body.ops)}
    live: dict[SSAValue, int] = {}
    found, taken = None, 0
    for place, inner in enumerate(body.ops):
        taken += isinstance(inner, ALU_OPERATIONS)
        if inner is body.last_op or taken > steps:
            break
        live = {scalar: last for scalar, last in live.items() if last > place}
        if isinstance(inner, arith.ConstantOp):
            continue
        (scalar,) = inner.results
        live[scalar] = max((places[use.operation] for use in scalar.uses), default=place)
        if scalar.type == i32 and isinstance(inner, ALU_OPERATIONS) and list(live) == [scalar]:
            found = scalar
    return found


def computed_apart(op: GenericOp, part: SSAValue) -> tuple[list[Operation], GenericOp]:
    """An operation that computes a scalar of a body, and the operation that reads it there."""
    body = op.body.block
    needed = _behind(part)
    inside = [argument for argument in body.args if argument in needed]
    loops = dict(zip(body.args, operand_loops(op), strict=False))
    values = dict(zip(body.args, op.inputs, strict=False))

    def computed(block: Block) -> SSAValue:
        mapper: dict[SSAValue, SSAValue] = dict(zip(inside, block.args, strict=False))
        result = part
        for inner in body.ops:
            if inner.results and inner.results[0] in needed:
                result = put(inner.clone(mapper), block)
                mapper[inner.results[0]] = result
        return mapper[part]

    empty, first = elementwise(
        [values[argument] for argument in inside],
        [loops[argument] for argument in inside],
        shape_of(op.res[0]),
        part.type,
        computed,
    )
    return [empty, first], _reading(op, part, first.res[0])


def _reading(op: GenericOp, part: SSAValue, value: SSAValue) -> GenericOp:
    """An operation with a value in place of a scalar of its body, and without what only that needed."""
    body = op.body.block
    everywhere: Loops = tuple(range(len(shape_of(value))))
    needed = _behind(body.last_op.operands[0] if body.last_op is not None else part, without=part)
    kept = [
        (argument, given, at)
        for argument, given, at in zip(body.args, op.inputs, operand_loops(op), strict=False)
        if argument in needed
    ]
    new = Block(arg_types=[part.type, *(argument.type for argument, _, _ in kept), element_of(op.outputs[0])])
    mapper: dict[SSAValue, SSAValue] = {part: new.args[0]}
    mapper |= {argument: block for (argument, _, _), block in zip(kept, new.args[1:], strict=False)}
    for inner in body.ops:
        if inner is body.last_op:
            append(YieldOp(mapper[inner.operands[0]]), new)
        elif inner.results[0] in needed:
            mapper[inner.results[0]] = put(inner.clone(mapper), new)
    inputs, loops = [value, *(given for _, given, _ in kept)], [everywhere, *(at for _, _, at in kept)]
    generic = parallel(inputs, loops, op.outputs[0], new)
    stand_for(generic, op)
    generic.res[0].name_hint = op.res[0].name_hint
    return generic


def _behind(scalar: SSAValue, without: SSAValue | None = None) -> set[SSAValue]:
    """A scalar and all that it is computed of, up to one of them."""
    found: set[SSAValue] = set()
    waiting = [scalar]
    while waiting:
        current = waiting.pop()
        if current in found or current is without:
            continue
        found.add(current)
        if isinstance(current.owner, Operation):
            waiting += current.owner.operands
    return found
