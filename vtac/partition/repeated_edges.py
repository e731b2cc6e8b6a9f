"""Padding of pooled sums on the data of their product: the edge once more, by which no maximum of a window differs."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import tensor
from xdsl.dialects.builtin import TensorType, i32
from xdsl.dialects.linalg.ops import FillOp, GenericOp
from xdsl.dialects.tensor import EmptyOp
from xdsl.ir import SSAValue

from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.dialects.packing import FoldOp
from vtac.partition.convolutions import Convolution
from vtac.partition.pads import Pads
from vtac.partition.tile_operations import Made
from vtac.rewriting.made_operations import constant


def can_repeat(product: Convolution) -> bool:
    """Whether each sum of a product is that of one place of data which the host lays out."""
    single = all(window.size == 1 and window.stride == 1 for window in product.windows)
    return isinstance(product.op, GenericOp) and single and isinstance(product.data.owner, FoldOp)


def repeated(product: Convolution, pads: Pads) -> Made:
    """The same product of more places: those at the edges once more, for so many sums around the image.

    Raises `ValueError` for a product that is no `linalg.generic`.
    """
    made = Made()
    data = product.data
    for dim, low, high in zip(product.data_dims[2:], pads.low, pads.high, strict=True):
        data = _extended(made, data, dim, low, high)
    shape = list(shape_of(product.op.res[0]))
    for dim, low, high in zip(product.result_dims[2:], pads.low, pads.high, strict=True):
        shape[product.result_kept[dim]] += low + high
    zero = made.put(constant(0))
    empty = made.put(EmptyOp([], TensorType(i32, shape)))
    start = made.put(FillOp([zero], [empty], [empty.type]))
    op = product.op
    inputs = [data if value is product.data else value for value in op.inputs]
    if not isinstance(op, GenericOp):
        raise ValueError("a product that is no linalg.generic")
    wider = GenericOp(inputs, [start], op.body.clone(), op.indexing_maps, op.iterator_types, [start.type])
    wider.attributes = dict(op.attributes)
    made.put(wider, op.res[0].name_hint)
    return made


def _extended(made: Made, value: SSAValue, dim: int, low: int, high: int) -> SSAValue:
    """A tensor with its first and last slice along a dimension repeated."""
    if not (low or high):
        return value
    shape = list(shape_of(value))
    first, last = (_slice(made, value, dim, at) for at in (0, shape[dim] - 1))
    shape[dim] += low + high
    kind = TensorType(element_of(value), shape)
    parts = [*[first] * low, value, *[last] * high]
    return made.put(tensor.ConcatOp(parts, dim, kind))


def _slice(made: Made, value: SSAValue, dim: int, at: int) -> SSAValue:
    sizes: Sequence[int] = [1 if n == dim else extent for n, extent in enumerate(shape_of(value))]
    offsets = [at if n == dim else 0 for n in range(len(sizes))]
    return made.put(tensor.ExtractSliceOp.from_static_parameters(value, offsets, sizes, [1] * len(sizes)))
