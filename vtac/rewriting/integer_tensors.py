"""Tensors of integers as passes make them: elementwise operations, constants, changes of type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    BytesAttr,
    DenseIntOrFPElementsAttr,
    IntegerType,
    TensorType,
)
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineMap

from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.analysis.values.scaled_integers import Amount, Channels
from vtac.rewriting.edits import append

_DTYPES = {"i8": np.dtype("<i1"), "i32": np.dtype("<i4"), "f32": np.dtype("<f4"), "f64": np.dtype("<f8")}


def tensor_of(element: Attribute, shape: Sequence[int]) -> TensorType[Attribute]:
    """A tensor type of static shape."""
    return TensorType(element, list(shape))


def empty(element: Attribute, shape: Sequence[int]) -> tensor.EmptyOp:
    """A tensor to write."""
    return tensor.EmptyOp([], tensor_of(element, shape))


def dense(numbers: NDArray[np.generic], element: Attribute) -> arith.ConstantOp:
    """A constant tensor."""
    kind = tensor_of(element, numbers.shape)
    data = np.ascontiguousarray(numbers.astype(_DTYPES[str(element)])).tobytes()
    contents = DenseIntOrFPElementsAttr(kind, BytesAttr(data))  # pyright: ignore[reportArgumentType]
    return arith.ConstantOp.create(result_types=[kind], properties={"value": contents})


def spread(amount: Amount, shape: Sequence[int]) -> NDArray[np.int64]:
    """A number for every element of a shape, from one per channel."""
    if not isinstance(amount, Channels):
        return np.full(tuple(shape), amount, dtype=np.int64)
    places = [1] * len(shape)
    places[amount.axis] = -1
    return np.broadcast_to(np.array(amount.values, dtype=np.int64).reshape(places), tuple(shape))


def generic(
    inputs: Sequence[SSAValue], output: SSAValue, body: Block, maps: Sequence[AffineMap], kinds: Sequence[Attribute]
) -> GenericOp:
    """A linalg.generic on tensors."""
    attributes = ArrayAttr([AffineMapAttr(found) for found in maps])
    iterators = ArrayAttr([cast(IteratorTypeAttr, kind) for kind in kinds])
    return GenericOp(inputs, [output], Region(body), attributes, iterators, [output.type])


def resized(value: SSAValue, element: IntegerType) -> list[Operation]:
    """A tensor of integers as wider ones, sign-extended, or as the low bits of each; the last operation's result."""
    shape, held = shape_of(value), cast(IntegerType, element_of(value))
    body = Block(arg_types=[held, element])
    changed = (arith.ExtSIOp if held.bitwidth < element.bitwidth else arith.TruncIOp)(body.args[0], element)
    append([changed, YieldOp(changed.results[0])], body)
    output = empty(element, shape)
    kinds = [IteratorTypeAttr.parallel()] * len(shape)
    return [output, generic([value], output.tensor, body, [AffineMap.identity(len(shape))] * 2, kinds)]
