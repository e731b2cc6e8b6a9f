"""Which dimension of a tensor is that of its channels, which lie in the lanes of tiles."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import tensor
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Operation, SSAValue

from vtac.analysis.operations.elementwise import index_loops, is_elementwise
from vtac.analysis.operations.reshapes import RESHAPES, Reshape, reshape_groups
from vtac.analysis.types.tensor_types import shape_of
from vtac.partition.channel_moves import is_computed, shuffled_from
from vtac.partition.convolutions import Convolution, match_convolution
from vtac.partition.moves import moved_from

_Places = Sequence[int | None]
"""For each dimension of a tensor, the dimension of another that runs along with it."""

_PARTS = (tensor.PadOp, tensor.ExtractSliceOp, tensor.InsertSliceOp)


def channel_dim(value: SSAValue) -> int | None:
    """The dimension of a tensor's channels: the features of the product behind it, else dimension 1 as computed first.

    None for what is not computed, and where no dimension of the tensor is that of the channels.
    """
    places: _Places = range(len(shape_of(value)))
    computed = False
    while isinstance(op := value.owner, Operation):
        if isinstance(op, LinalgStructuredOperation) and (features := _features(op)) is not None:
            return places[features]
        step = _step(op)
        if step is None:
            return None
        computed = computed or isinstance(op, LinalgStructuredOperation)
        value, along = step
        places = [None if place is None else places[place] for place in along]
    return places[1] if computed and len(places) > 1 else None


def channels_along(op: LinalgStructuredOperation, place: int, dim: int) -> tuple[int | None, ...] | None:
    """For each operand, inputs first, the dimension that runs along with dimension `dim` of operand `place`.

    None unless the operation computes each channel of its result from the same channel of its operands: elementwise
    operations, poolings, convolutions by channel.
    """
    if is_elementwise(op):
        loops = [index_loops(attribute.data) or [] for attribute in op.get_indexing_maps()]
        loop = loops[place][dim]
        return tuple(own.index(loop) if loop in own else None for own in loops) if loop >= 0 else None
    found = _by_channel(op)
    if found is None or op.operands[place] is not found.data or dim != found.data_dims[1]:
        return None
    dims = {found.data: dim, op.outputs[0]: found.result_kept[found.result_dims[1]]}
    if found.kernel is not None:
        dims[found.kernel] = found.kernel_dims[0]
    return tuple(dims.get(value) for value in op.operands)


def _by_channel(op: LinalgStructuredOperation) -> Convolution | None:
    """A pooling, or a convolution by channel."""
    found = match_convolution(op)
    if isinstance(found, str) or found.zero_points or found.data is found.kernel:
        return None
    return found if found.depthwise or found.kind != "product" else None


def _features(op: LinalgStructuredOperation) -> int | None:
    """The dimension of a product's features in its result."""
    found = match_convolution(op)
    if isinstance(found, str) or found.depthwise or found.kind != "product":
        return None
    return found.result_kept[found.result_dims[1]]


def _step(op: Operation) -> tuple[SSAValue, _Places] | None:
    """An operand of an operation, and for each of its dimensions the one of the result that runs along with it."""
    if isinstance(op, _PARTS):
        same = len(shape_of(op.source)) == len(shape_of(op.results[0]))
        return (op.source, range(len(shape_of(op.source)))) if same else None
    if isinstance(op, tensor.ConcatOp):
        part = next((part for part in op.operands if is_computed(part)), op.operands[0])
        return part, range(len(shape_of(part)))
    if isinstance(op, RESHAPES):
        return _step_of_reshape(op)
    if not isinstance(op, LinalgStructuredOperation) or len(op.res) != 1:
        return None
    if (move := moved_from(op.res[0])) is not None:
        return move
    if is_elementwise(op):
        return _step_of_elementwise(op)
    found = _by_channel(op)
    if found is None:
        return None
    along = {dim: found.result_kept[at] for dim, at in zip(found.data_dims, found.result_dims, strict=True)}
    return found.data, [along.get(dim) for dim in range(len(shape_of(found.data)))]


def _step_of_elementwise(op: LinalgStructuredOperation) -> tuple[SSAValue, _Places] | None:
    """The first computed operand that is read at all loops, else the first that is."""
    *read, written = [index_loops(attribute.data) or [] for attribute in op.get_indexing_maps()]
    whole = [value for value, loops in zip(op.inputs, read, strict=True) if sorted(loops) == sorted(written)]
    if not whole:
        return None
    value = next(filter(is_computed, whole), whole[0])
    loops = read[list(op.inputs).index(value)]
    return value, [written.index(loop) for loop in loops]


def _step_of_reshape(op: Reshape) -> tuple[SSAValue, _Places] | None:
    source, shape = op.operands[0], shape_of(op.results[0])
    for dim in range(len(shape)):
        if (shuffle := shuffled_from(op.results[0], dim)) is not None:
            return shuffle.source, range(len(shape))
    along: list[int | None] = [None] * len(shape_of(source))
    for group in reshape_groups(shape_of(source), shape):
        if len(group.source) == len(group.result) == 1:
            along[group.source[0]] = group.result[0]
    return source, along
