"""Operations that are put together directly are those that the constructors of their classes make."""

from __future__ import annotations

import pytest
from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr, DenseArrayBase, IntegerAttr, TensorType, i8, i32, i64
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, GenericOp, YieldOp
from xdsl.ir import Block, Operation, Region
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.utils.exceptions import VerifyException

from vtac.rewriting.made_operations import (
    binary,
    closed,
    constant,
    converted,
    empty_of,
    filled,
    generic,
    repeated,
    yielded,
)

MATRIX = TensorType(i32, [4, 8])
ROW = TensorType(i32, [8])


def are_same(made: Operation, wanted: Operation) -> bool:
    made.verify()
    return made.is_structurally_equivalent(wanted) and list(made.properties) == list(wanted.properties)


@pytest.mark.parametrize(
    "kind", [arith.AddiOp, arith.MuliOp, arith.ShLIOp, arith.ShRSIOp, arith.MaxSIOp, arith.MinSIOp]
)
def test_operations_of_two_scalars(kind: type[arith.SignlessIntegerBinaryOperation]) -> None:
    left, right = Block(arg_types=[i32, i32]).args
    assert are_same(binary(kind, left, right), kind(left, right))


def test_scalars() -> None:
    narrow, wide = Block(arg_types=[i8, i32]).args
    assert are_same(converted(arith.ExtSIOp, narrow, i32), arith.ExtSIOp(narrow, i32))
    assert are_same(converted(arith.TruncIOp, wide, i8), arith.TruncIOp(wide, i8))
    assert are_same(constant(-5), arith.ConstantOp(IntegerAttr(-5, i32)))
    assert are_same(constant(7, i8), arith.ConstantOp(IntegerAttr(7, i8)))
    assert are_same(yielded(wide), YieldOp(wide))


def test_numbers_that_their_type_does_not_hold_are_refused() -> None:
    with pytest.raises(VerifyException, match="300"):
        constant(300, i8)


def test_tensors() -> None:
    number, row, matrix = Block(arg_types=[i32, ROW, MATRIX]).args
    assert are_same(empty_of(MATRIX), tensor.EmptyOp([], MATRIX))
    assert are_same(filled(number, matrix), FillOp([number], [matrix], [MATRIX]))
    wanted = BroadcastOp(row, matrix, DenseArrayBase.from_list(i64, [0]), MATRIX)
    assert are_same(repeated(row, matrix, (0,)), wanted)


def test_a_generic_has_its_reductions_last() -> None:
    row, matrix = Block(arg_types=[ROW, MATRIX]).args
    d0, d1 = AffineDimExpr(0), AffineDimExpr(1)
    maps = [AffineMap(2, 0, (d1, d0)), AffineMap(2, 0, (d0,))]
    kinds = ArrayAttr([IteratorTypeAttr.parallel(), IteratorTypeAttr.reduction()])
    wanted = GenericOp([matrix], [row], Region(sums()), ArrayAttr(map(AffineMapAttr, maps)), kinds, [ROW])
    assert are_same(generic([matrix], row, sums(), maps, 1), wanted)


def sums() -> Block:
    body = Block(arg_types=[i32, i32])
    return closed(body, [binary(arith.AddiOp, body.args[1], body.args[0])])


def test_a_body_gives_its_last_result_or_what_it_is_told() -> None:
    one, last = sums().ops
    assert isinstance(last, YieldOp) and last.operands[0] is one.results[0]
    body = Block(arg_types=[i32])
    assert next(iter(closed(body, [], body.args[0]).ops)).operands[0] is body.args[0]
