"""Tensors of the host function in the layouts that the device functions take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    DenseArrayBase,
    DenseIntOrFPElementsAttr,
    TensorType,
    i32,
    i64,
)
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import BroadcastOp, GenericOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineMap

from vtac.dialects.packing import PackOp, ReshapeOp, UnpackOp, packed_shape
from vtac.partition.expressions import Expression
from vtac.partition.weight_sums import WeightSum, weight_sum_ops
from vtac.rewriting.edits import append

Tile = tuple[int, int]
Order = tuple[int, ...]


@dataclass(frozen=True)
class Border:
    """What lies around a tensor that windows slide over, put there as it is loaded.

    `low` and `high` count indices per dimension, `order` are the rows, the channels and the
    spatial dimensions. Where `value` is not 0, it is added to the zeros of each padded axis.
    """

    low: tuple[int, ...]
    high: tuple[int, ...]
    order: Order
    value: int

    @property
    def is_empty(self) -> bool:
        return not any((*self.low, *self.high))


@dataclass(eq=False)
class Stored:
    """A tensor that is, or can be, a value of the host function.

    `kind` is its plain type. `packed` holds it by layout: the plain dimensions in the order of
    the outer packed ones (the first two are tiled), and the tile; `spread` holds other forms
    of it. At most one of these says where it comes from: `origin`, a value of the original
    function; `weight_sum`; `computes`, what the device computes; `base`, the same elements in
    another shape, or with a `border` around them.
    """

    kind: TensorType[Attribute]
    name: str
    origin: SSAValue | None = None
    plain: SSAValue | None = None
    weight_sum: WeightSum | None = None
    computes: Expression | None = None
    base: Stored | None = None
    border: Border | None = None
    packed: dict[tuple[Order, Tile], SSAValue] = field(default_factory=dict[tuple[Order, Tile], SSAValue])
    spread: dict[object, SSAValue] = field(default_factory=dict[object, SSAValue])

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.kind.get_shape())


def tensor_type(element: Attribute, shape: Sequence[int]) -> TensorType[Attribute]:
    """A static tensor type."""
    return TensorType(element, list(shape))


def type_of(value: SSAValue) -> TensorType[Attribute]:
    """The tensor type of a value."""
    return cast("TensorType[Attribute]", value.type)


class HostBuilder:
    """Appends layout changes to the host function."""

    def __init__(self, block: Block) -> None:
        self.block = block

    def add(self, op: Operation, name: str | None = None) -> SSAValue:
        append(op, self.block)
        if name:
            op.results[0].name_hint = name
        return op.results[0]

    def pack(self, value: SSAValue, name: str, dims: Sequence[int], tiles: Sequence[int], order: Order) -> SSAValue:
        kind = type_of(value)
        shape = packed_shape(kind.get_shape(), dims, tiles, order)
        op = PackOp.build_from(value, tensor_type(kind.get_element_type(), shape), dims, tiles, order)
        return self.add(op, f"{name}_packed")

    def unpack(self, value: SSAValue, kind: TensorType[Attribute], name: str, tile: Tile, order: Order) -> SSAValue:
        return self.add(UnpackOp.build_from(value, kind, order[:2], tile, order), name)

    def reshape(self, value: SSAValue, shape: Sequence[int], name: str) -> SSAValue:
        """The same elements in row-major order; the value itself when it has that shape."""
        kind = type_of(value)
        if tuple(kind.get_shape()) == tuple(shape):
            return value
        result = tensor_type(kind.get_element_type(), shape)
        return self.add(ReshapeOp(operands=[value], result_types=[result]), name)

    def broadcast(self, value: SSAValue, name: str, shape: Sequence[int], added: Sequence[int]) -> SSAValue:
        """Repeat along new dimensions, at the positions `added` of the result."""
        kind = tensor_type(type_of(value).get_element_type(), shape)
        empty = self.add(tensor.EmptyOp([], kind))
        return self.add(BroadcastOp(value, empty, DenseArrayBase.from_list(i64, list(added)), kind), name)

    def numbers(self, numbers: Sequence[int], tile: Sequence[int]) -> SSAValue:
        """A constant i32 tensor of tiles, each of one number."""
        kind = TensorType(i32, [len(numbers), *tile])
        repeated = [number for number in numbers for _ in range(prod(tile))]
        return self.add(arith.ConstantOp(DenseIntOrFPElementsAttr.from_list(kind, repeated)), "border")

    def weight_sum(self, found: WeightSum, kernel: SSAValue, name: str) -> SSAValue:
        """What a zero point of the data adds to accumulators."""
        *before, last = weight_sum_ops(found, kernel)
        append(before, self.block)
        return self.add(last, name)

    def widen(self, value: SSAValue, name: str) -> SSAValue:
        """Sign-extend to i32."""
        kind = type_of(value)
        if kind.get_element_type() == i32:
            return value
        wide = tensor_type(i32, kind.get_shape())
        rank = len(kind.get_shape())
        body = Block(arg_types=[kind.get_element_type(), i32])
        extended = arith.ExtSIOp(body.args[0], i32)
        append([extended, YieldOp(extended.result)], body)
        return self.add(
            elementwise(Region(body), [value], self.add(tensor.EmptyOp([], wide)), [rank] * 2), f"{name}_i32"
        )


def elementwise(body: Region, inputs: Sequence[SSAValue], output: SSAValue, ranks: Sequence[int]) -> GenericOp:
    """A generic over identity maps."""
    maps = [AffineMapAttr(AffineMap.identity(rank)) for rank in ranks]
    kinds = [IteratorTypeAttr.parallel()] * ranks[-1]
    return GenericOp(inputs, [output], body, ArrayAttr(maps), ArrayAttr(kinds), [output.type])
