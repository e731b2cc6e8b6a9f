"""Operations on tensors of tiles, in the form that default schedules know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import IndexType, TensorType, i8, i32
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineMap

from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.partition.device_bodies import combined, copied, extended, multiply_accumulate, narrowed, stepped
from vtac.partition.primitives import Primitive
from vtac.partition.product_maps import bias_maps, product_maps, tile_maps, window_sum_maps
from vtac.partition.windows import Window
from vtac.rewriting.edits import append
from vtac.rewriting.integer_tensors import dense
from vtac.rewriting.made_operations import constant, empty_of, filled, generic


class Made(list[Operation]):
    """Operations in their order; the last one's result is what they compute."""

    def put(self, op: Operation, name: str | None = None) -> SSAValue:
        """One more operation, with a name for its result."""
        self.append(op)
        if name is not None:
            op.results[0].name_hint = name
        return op.results[0]


def product(
    data: SSAValue, kernel: SSAValue, shape: Sequence[int], windows: Sequence[Window], groups: tuple[int, int] | None
) -> Made:
    """The accumulators of a matrix product (no windows) or a convolution.

    `groups` are the output blocks of a group, and the input blocks that each of them reads.
    """
    made = Made()
    start = zeros(made, shape)
    op = contraction([data, kernel], start, multiply_accumulate(), product_maps(windows, groups))
    made.put(op, "res_conv" if windows else "res_gemm")
    return made


def window_sums(data: SSAValue, shape: Sequence[int], windows: Sequence[Window], weight: tuple[int, int]) -> Made:
    """The sums of the windows of an i8 tensor of tiles: its product with a weight tile of ones on the diagonal."""
    made = Made()
    weights = made.put(_diagonal(1, weight, [window.size for window in windows]), "eye")
    start = zeros(made, shape)
    made.put(contraction([data, weights], start, multiply_accumulate(), window_sum_maps(windows)), "res_sum")
    return made


def channelwise(
    data: SSAValue,
    factor: int,
    shape: Sequence[int],
    windows: Sequence[Window],
    weight: tuple[int, int],
    groups: tuple[int, int],
) -> Made:
    """The sums of the windows of an i8 tensor of tiles, times a number, where input and output blocks differ.

    Each output block has weights of its own: the tiles of a diagonal through all that its group reads. `groups` are
    as of `product`.
    """
    made = Made()
    (rows, columns), (outputs, inputs) = weight, groups
    taps = [window.size for window in windows]
    numbers = np.zeros((shape[1], inputs, *taps, rows, columns), np.int8)
    for block, part in np.ndindex(shape[1], inputs):
        first = block % outputs * rows - part * columns
        numbers[block, part] = factor * np.eye(rows, columns, first, dtype=np.int8)
    weights = made.put(dense(numbers, i8), "eye")
    start = zeros(made, shape)
    made.put(contraction([data, weights], start, multiply_accumulate(), product_maps(windows, groups)), "res_sum")
    return made


def widened(value: SSAValue, factor: int, weight: tuple[int, int]) -> Made:
    """An i8 tensor of tiles, times a number, as accumulators: its product with a diagonal weight tile."""
    made = Made()
    shape = shape_of(value)
    start = zeros(made, shape)
    eye = made.put(_diagonal(factor, weight), "eye")
    outer = len(shape) - 2
    op = contraction([value, eye], start, multiply_accumulate(), tile_maps(outer, range(outer)))
    made.put(op, "res_widen")
    return made


def accumulated(start: SSAValue, value: SSAValue, dims: Sequence[int], factor: int, weight: tuple[int, int]) -> Made:
    """Accumulators plus an i8 tensor of tiles times a number; `dims` are the loops of its outer dimensions."""
    made = Made()
    eye = made.put(_diagonal(factor, weight), "eye")
    outer = len(shape_of(start)) - 2
    made.put(contraction([value, eye], start, multiply_accumulate(), tile_maps(outer, dims)), "res_residual")
    return made


def bias_added(total: SSAValue, inputs: arith.ConstantOp, weights: SSAValue, dims: Sequence[int]) -> Made:
    """Accumulators plus one tile of inputs times weights; `dims` are the loops of the weights' outer dimensions."""
    made = Made()
    tile = made.put(inputs, "ones")
    maps = bias_maps(len(shape_of(total)) - 2, dims)
    made.put(contraction([tile, weights], total, multiply_accumulate(), maps), "res_bias")
    return made


def loaded_8bit(value: SSAValue) -> Made:
    """The same packed i8 tensor as i32: a load, for simulators."""
    made = Made()
    shape = shape_of(value)
    empty = made.put(empty_of(TensorType(i32, shape)))
    made.put(contraction([value], empty, extended(), [AffineMap.identity(len(shape))] * 2), "operand_tiles")
    return made


def elementwise(found: Primitive, sources: Sequence[SSAValue], maps: Sequence[AffineMap], shape: Sequence[int]) -> Made:
    """A step, a combination, a copy or a narrowing of tensors that are read at `maps`."""
    bodies = {
        "step": lambda: stepped(found.name, found.number),
        "combine": lambda: combined(found.name),
        "copy": copied,
        "narrow": narrowed,
    }
    names = {"copy": "tiles", "narrow": "res"}
    made = Made()
    element: Attribute = i8 if found.kind == "narrow" else i32
    empty = made.put(empty_of(TensorType(element, list(shape))))
    op = contraction(sources, empty, bodies[found.kind](), [*maps, AffineMap.identity(len(shape))])
    made.put(op, names.get(found.kind, f"res_{found.name}"))
    return made


def padded(value: SSAValue, low: Sequence[int], high: Sequence[int]) -> Made:
    """Zeros around the spatial dimensions of a tensor of tiles."""
    made = Made()
    before, after = (0, 0, *low, 0, 0), (0, 0, *high, 0, 0)
    shape = [a + n + z for a, n, z in zip(before, shape_of(value), after, strict=True)]
    element = i8 if element_of(value) == i8 else i32
    zero = made.put(constant(0, element))
    body = Block(arg_types=[IndexType()] * len(shape))
    append(tensor.YieldOp(zero), body)
    made.put(tensor.PadOp(value, [], [], Region(body), before, after, TensorType(element, shape)), "data_buf")
    return made


def window(value: SSAValue, offsets: Sequence[int], sizes: Sequence[int], strides: Sequence[int]) -> Made:
    """The tiles of a tensor that lie in steps along its outer dimensions."""
    tile = shape_of(value)[-2:]
    made = Made()
    op = tensor.ExtractSliceOp.from_static_parameters(value, [*offsets, 0, 0], [*sizes, *tile], [*strides, 1, 1])
    made.put(op, "window")
    return made


def _diagonal(factor: int, weight: tuple[int, int], taps: Sequence[int] = ()) -> arith.ConstantOp:
    """One weight tile, or one per tap, with a number on its diagonal."""
    tile = factor * np.eye(*weight, dtype=np.int8)
    return dense(np.broadcast_to(tile, (*taps, *weight)), i8)


def zeros(made: Made, shape: Sequence[int]) -> SSAValue:
    """A tensor of accumulators that hold nothing yet."""
    zero = made.put(constant(0))
    empty = made.put(empty_of(TensorType(i32, list(shape))))
    return made.put(filled(zero, empty))


def contraction(inputs: Sequence[SSAValue], output: SSAValue, body: Block, maps: Sequence[AffineMap]) -> GenericOp:
    """An operation whose first loops index the output; the others are reductions."""
    return generic(inputs, output, body, maps, maps[0].num_dims - len(maps[-1].results))
