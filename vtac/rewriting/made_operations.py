"""Operations that passes make by the hundred, put together directly from parts that are right as they are.

Each is as its class's own constructor makes it: that one sorts and checks what it is given, which takes ten times as
long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import TypeVar

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    DenseArrayBase,
    IntegerAttr,
    IntegerType,
    MemRefType,
    TensorType,
    i32,
    i64,
)
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, GenericOp, YieldOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineMap

from vtac.analysis.types.tensor_types import element_of
from vtac.dialects.making import make_op
from vtac.dialects.segments import SEGMENTS, segments
from vtac.rewriting.edits import append

_Binary = TypeVar("_Binary", bound=arith.SignlessIntegerBinaryOperation)
_Conversion = TypeVar("_Conversion", arith.ExtSIOp, arith.TruncIOp)


def generic(
    inputs: Sequence[SSAValue], output: SSAValue, body: Block | Region, maps: Iterable[AffineMap], reductions: int = 0
) -> GenericOp:
    """A linalg.generic on tensors; of the loops of its maps the last `reductions` are reductions."""
    found = ArrayAttr([AffineMapAttr(one) for one in maps])
    return GenericOp.create(
        operands=[*inputs, output],
        result_types=[output.type],
        properties={
            "indexing_maps": found,
            "iterator_types": _iterators(found.data[0].data.num_dims, reductions),
            SEGMENTS: segments(len(inputs), 1),
        },
        regions=[Region(body) if isinstance(body, Block) else body],
    )


@lru_cache(maxsize=256)
def _iterators(loops: int, reductions: int) -> ArrayAttr[IteratorTypeAttr]:
    parallel = [IteratorTypeAttr.parallel()] * (loops - reductions)
    return ArrayAttr([*parallel, *[IteratorTypeAttr.reduction()] * reductions])


def empty_of(kind: TensorType[Attribute]) -> tensor.EmptyOp:
    """A tensor of a type, to write."""
    return tensor.EmptyOp.create(result_types=[kind])


def filled(number: SSAValue, output: SSAValue) -> FillOp:
    """A tensor of which every element is a number."""
    return FillOp.create(
        operands=[number, output],
        result_types=[output.type],
        properties={SEGMENTS: segments(1, 1)},
        regions=[_same(number.type, output)],
    )


def repeated(value: SSAValue, output: SSAValue, added: Sequence[int]) -> BroadcastOp:
    """A tensor repeated along the dimensions `added` of the result."""
    return BroadcastOp.create(
        operands=[value, output],
        result_types=[output.type],
        properties={"dimensions": _dimensions(tuple(added))},
        regions=[_same(element_of(value), output)],
    )


@lru_cache(maxsize=256)
def _dimensions(numbers: tuple[int, ...]) -> DenseArrayBase[IntegerType]:
    return DenseArrayBase.from_list(i64, numbers)


def _same(kind: Attribute, output: SSAValue) -> Region:
    """What gives the one element that it takes, whatever stood there before."""
    body = Block(arg_types=[kind, element_of(output)])
    return Region(closed(body, [], body.args[0]))


def allocated(kind: MemRefType[Attribute]) -> AllocOp:
    """A buffer of static shape."""
    return make_op(AllocOp, result_types=[kind], properties={SEGMENTS: segments(0, 0)})


def constant(number: int, kind: IntegerType = i32) -> arith.ConstantOp:
    """A number of some bits; one that they do not hold as IR has it is a `VerifyException`."""
    return arith.ConstantOp.create(result_types=[kind], properties={"value": _integer(number, kind)})


@lru_cache(maxsize=4096)
def _integer(number: int, kind: IntegerType) -> IntegerAttr[IntegerType]:
    return IntegerAttr(number, kind)


def binary(kind: type[_Binary], left: SSAValue, right: SSAValue) -> _Binary:
    """An operation of two integers of one type."""
    return kind.create(operands=[left, right], result_types=[left.type], properties=_flags(kind))


@cache
def _flags(kind: type[arith.SignlessIntegerBinaryOperation]) -> dict[str, Attribute]:
    """The properties of an operation that may overflow."""
    value = Block(arg_types=[i32]).args[0]
    return dict(kind(value, value).properties)


def converted(kind: type[_Conversion], value: SSAValue, to: IntegerType) -> _Conversion:
    """An integer of more bits, or of fewer."""
    return kind.create(operands=[value], result_types=[to])


def yielded(value: SSAValue) -> YieldOp:
    """The end of a body."""
    return YieldOp.create(operands=[value])


def closed(body: Block, ops: Sequence[Operation], value: SSAValue | None = None) -> Block:
    """A body with its operations, which gives a value: what the last of them computes where none is given."""
    append([*ops, yielded(ops[-1].results[0] if value is None else value)], body)
    return body
