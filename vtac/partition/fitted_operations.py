"""Operations as device functions take them: without units, with pads that are written out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    IndexType,
    IntegerAttr,
    TensorType,
    i8,
    i32,
)
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, GenericOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.partition.alu_building import Loops, elementwise, number, parallel, put
from vtac.partition.alu_operations import alu_difference, loops_of
from vtac.partition.convolutions import Convolution, match_convolution
from vtac.partition.pads import unpadded
from vtac.rewriting.edits import append, stand_for


def are_accumulators(value: SSAValue, rank: int) -> bool:
    """Whether a tensor of that rank is what an operation has computed in words, and no view of it."""
    is_computed = isinstance(value.owner, LinalgStructuredOperation) and not isinstance(value.owner, FillOp)
    return is_computed and element_of(value) == i32 and len(shape_of(value)) == rank


def must_keep(op: LinalgStructuredOperation) -> bool:
    """Whether an operation is none that device functions compute, in whatever layout."""
    return bool(alu_difference(op)) and isinstance(match_convolution(op), str)


def loops_of_source(
    source: SSAValue, at: Loops, partners: dict[int, int], position: int
) -> tuple[list[int | None], dict[int, tuple[SSAValue, Loops]]]:
    """The loops of an operation on the source of a view that it reads at `at`; and that source, at these loops.

    They are in the order of the source's dimensions, unless the view is read in another order.
    """
    by_dim: dict[int, int] = {partners[dim]: loop for dim, loop in enumerate(at) if dim in partners}
    new = [by_dim.get(dim) for dim in range(len(shape_of(source)))]
    old = [loop for loop in new if loop is not None]
    if old != sorted(old):
        new = [*sorted(old), *[None] * (len(new) - len(old))]
    free = iter([place for place, loop in enumerate(new) if loop is None])
    indices = [new.index(by_dim[dim]) if dim in by_dim else next(free) for dim in range(len(new))]
    return new, {position: (source, tuple(indices))}


def with_start_added(total: SSAValue, start: SSAValue, constant: int | None) -> Sequence[Operation]:
    """A sum of i32 plus what it would have started from, as one operation; what is repeated there is read as it is.

    `constant` is the number that all elements of `start` are, where they are one.
    """
    shape = shape_of(total)
    everywhere: Loops = tuple(range(len(shape)))
    if constant is not None:
        return elementwise(
            [total], [everywhere], shape, i32, lambda b: put(arith.AddiOp(b.args[0], number(constant, b)), b)
        )
    value, loops = _repeated(start)
    return elementwise(
        [total, value], [everywhere, loops], shape, i32, lambda b: put(arith.AddiOp(b.args[0], b.args[1]), b)
    )


def _repeated(value: SSAValue) -> tuple[SSAValue, Loops]:
    """The tensor that another is along some of its dimensions, repeated along the others; and which those are."""
    owner = value.owner
    if isinstance(owner, BroadcastOp):
        added = owner.dimensions.get_values()
        return owner.input, tuple(dim for dim in range(len(shape_of(value))) if dim not in added)
    if isinstance(owner, GenericOp) and len(owner.inputs) == 1 and not any(_reduces(owner)):
        body, maps = owner.body.block, [attribute.data for attribute in owner.get_indexing_maps()]
        loops, written = loops_of(maps[0]), loops_of(maps[-1])
        yielded = cast(Operation, body.last_op).operands[0]
        if yielded is body.args[0] and loops is not None and written is not None:
            return owner.inputs[0], tuple(written.index(loop) for loop in loops)
    return value, tuple(range(len(shape_of(value))))


def _reduces(op: GenericOp) -> list[bool]:
    return [str(kind.data) != "parallel" for kind in op.get_iterator_types()]


def splat_number(value: SSAValue) -> int | None:
    """The number that all elements of a constant are."""
    contents = value.owner.value if isinstance(value.owner, ConstantOp) else None
    if not isinstance(contents, DenseIntOrFPElementsAttr):
        return None
    data, size = contents.data.data, contents.get_element_type().compile_time_size
    return cast(int, contents.get_values()[0]) if data == data[:size] * (len(data) // size) else None


def with_border(found: Convolution, source: SSAValue, border: int) -> tensor.PadOp:
    """The source with a number around its image, as far as the data of a pooling has it."""
    spatial = found.data_dims[2:]
    _, pads, _ = unpadded(found.data, spatial)
    low, high = [0] * len(found.data_dims), [0] * len(found.data_dims)
    for axis, dim in enumerate(spatial):
        low[dim], high[dim] = pads.low[axis], pads.high[axis]
    kind = element_of(source)
    body = Block(arg_types=[IndexType()] * len(low))
    value = constant_number(border, kind)
    append([value, tensor.YieldOp(value.result)], body)
    return tensor.PadOp(source, [], [], Region(body), low, high, TensorType(kind, shape_of(found.data)))


def constant_number(value: int, kind: Attribute) -> ConstantOp:
    """A number as i8 where that is asked for, else as i32."""
    return ConstantOp(IntegerAttr(value, i8 if kind == i8 else i32))


def spare_units(shape: tuple[int, ...]) -> set[int] | None:
    """Dimensions of extent 1 to leave out for 2 or 4 dimensions; None where there are too few."""
    units = [dim for dim, extent in enumerate(shape) if extent == 1]
    for rank in (2, 4):
        if len(shape) - len(units) <= rank < len(shape):
            return set(units[: len(shape) - rank])
    return None


def with_same_body(
    inputs: Sequence[SSAValue], loops: Sequence[Loops], shape: tuple[int, ...], op: GenericOp, body: Region
) -> tuple[tensor.EmptyOp, GenericOp]:
    """An elementwise operation that computes what another does, on other dimensions; and the tensor that it fills.

    `loops` are, for each of `inputs`, the loops that its dimensions run over; the result has the element type of
    the other one and `shape`, one extent per loop. `body` becomes the new operation's.
    """
    empty = tensor.EmptyOp([], TensorType(element_of(op.res[0]), list(shape)))
    generic = parallel(inputs, loops, empty.tensor, body)
    stand_for(generic, op)
    return empty, generic
