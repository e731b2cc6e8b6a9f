"""Amounts of shifts that a function is called with, as constants: the hardware takes a few, which a proof must know."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, TensorType, i32
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Attribute, BlockArgument
from xdsl.rewriter import InsertPoint

from vtac.rewriting.edits import insert_ops

_AMOUNTS = 16
"""Both designs of the hardware shift by 0 to 15."""


def fix_shift_amounts(function: FuncOp) -> None:
    """Put numbers from 0 to 15 in place of each tensor of integers by which linalg operations shift."""
    block = function.body.block
    for argument in sorted(set(_amounts(function)), key=lambda one: one.index, reverse=True):
        kind = argument.type
        if not isinstance(kind, TensorType):
            continue
        shape = cast("TensorType[Attribute]", kind).get_shape()
        numbers = [number % _AMOUNTS for number in range(prod(shape))]
        constant = arith.ConstantOp(DenseIntOrFPElementsAttr.from_list(TensorType(i32, shape), numbers))
        insert_ops(constant, InsertPoint.at_start(block))
        argument.replace_all_uses_with(constant.result)
        block.erase_arg(argument)
    function.update_function_type()


def _amounts(function: FuncOp) -> Iterator[BlockArgument]:
    for generic in function.walk():
        if not isinstance(generic, GenericOp):
            continue
        sources = dict(zip(generic.body.block.args, generic.inputs, strict=False))
        for op in generic.body.walk():
            if isinstance(op, arith.ShRSIOp | arith.ShRUIOp | arith.ShLIOp) and isinstance(op.rhs, BlockArgument):
                source = sources.get(op.rhs)
                if isinstance(source, BlockArgument) and source.block is function.body.block:
                    yield source
