"""In which order the dimensions of a device function's tensors lie in tiles: a plan of the whole function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from xdsl.dialects import tensor
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import BlockArgument, Operation, SSAValue

from vtac.analysis.types.tensor_types import shape_of
from vtac.dialects.packing import UnpackOp
from vtac.dialects.packing.declared import ORDER
from vtac.partition.alu_operations import operand_loops
from vtac.partition.primitives import Primitives

Places: TypeAlias = "tuple[int, ...]"
"""For each dimension of a tensor, where its tiles have it: 0 for rows, 1 for lanes, then the outer ones."""


def device_layouts(function: FuncOp, call: CallOp, primitives: Primitives) -> dict[SSAValue, Places]:
    """Places of every accumulator, and of every tensor that holds a whole result, of a device function.

    The order is that of its product or pooling (`packing.order`), else that of the first operand that lies in
    tiles already, else as the result's dimensions are.
    """
    returned = function.body.block.last_op
    if not isinstance(returned, ReturnOp):
        return {}
    first = returned.operands[0]
    order = ORDER.get(function)
    rank = len(shape_of(first))
    places = _inverse(tuple(order)) if order is not None else tuple(range(rank))
    known = _spread(first, places, primitives)
    if order is None and (hint := _hint(function, call, known, primitives)) is not None:
        known = {value: tuple(hint[place] for place in at) for value, at in known.items()}
    return known


def order_of(places: Sequence[int]) -> tuple[int, ...]:
    """The dimensions of a tensor in the order of their places."""
    return tuple(sorted(range(len(places)), key=places.__getitem__))


def _inverse(order: Places) -> Places:
    return tuple(order.index(dim) for dim in range(len(order)))


def _spread(first: SSAValue, places: Places, primitives: Primitives) -> dict[SSAValue, Places]:
    """The places of all values, from those of the first result: from results to operands, and back."""
    known = {first: places}
    waiting = [first]
    while waiting:
        value = waiting.pop()
        found: list[tuple[SSAValue, Places]] = []
        if isinstance(value.owner, Operation):
            found += [(read, tuple(known[value][dim] for dim in at)) for read, at in _operands(value.owner, primitives)]
        for use in value.uses:
            found += _results(use.operation, value, known[value], primitives)
        for other, at in found:
            if other not in known:
                known[other] = at
                waiting.append(other)
    return known


def _results(op: Operation, value: SSAValue, places: Places, primitives: Primitives) -> list[tuple[SSAValue, Places]]:
    """The result of an operation that reads a value at all of its indices."""
    for read, at in _operands(op, primitives):
        if read is value and len(at) == len(_shape(op.results[0])):
            return [(op.results[0], tuple(places[at.index(dim)] for dim in range(len(at))))]
    return []


def _shape(value: SSAValue) -> tuple[int, ...]:
    """The shape of a tensor; empty for a scalar."""
    return tuple(getattr(value.type, "get_shape", tuple[int, ...])())


def _operands(op: Operation, primitives: Primitives) -> list[tuple[SSAValue, tuple[int, ...]]]:
    """Accumulators and data that an elementwise operation reads, with the dimensions of the result that index them."""
    if isinstance(op, tensor.ExtractSliceOp | tensor.PadOp):
        return [(op.source, tuple(range(len(shape_of(op.source)))))]
    if isinstance(op, GenericOp) and (found := primitives.of(op)) is not None:
        read = list(zip(op.inputs, operand_loops(op), strict=True))
        if found.kind == "accumulate":
            read = [(op.outputs[0], tuple(range(len(shape_of(op.outputs[0])))))]
        return [(value, at) for value, at in read if not isinstance(value, BlockArgument)]
    return []


def _hint(function: FuncOp, call: CallOp, known: Mapping[SSAValue, Places], primitives: Primitives) -> Places | None:
    """For each place of a first guess, the one that the first whole operand in tiles gives it."""
    for argument, given in zip(function.body.block.args, call.arguments, strict=True):
        if not isinstance(given.owner, UnpackOp):
            continue
        order = given.owner.layout()[2]
        for use in argument.uses:
            op = use.operation
            if not isinstance(op, GenericOp) or op.res[0] not in known or primitives.of(op) is None:
                continue
            at = operand_loops(op)[use.index] if use.index < len(op.inputs) else ()
            if len(at) == len(order) == len(known[op.res[0]]):
                guessed = [known[op.res[0]][loop] for loop in at]
                return tuple(_position(order, guessed, place) for place in range(len(order)))
    return None


def _position(order: Sequence[int], guessed: Sequence[int], place: int) -> int:
    return order.index(list(guessed).index(place))
