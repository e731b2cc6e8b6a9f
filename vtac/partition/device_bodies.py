"""Bodies of the operations of device functions: i8 factors and operands, i32 accumulators."""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import i8, i32
from xdsl.ir import Attribute, Block

from vtac.partition.alu_trees import TreeName
from vtac.rewriting.made_operations import binary, closed, constant, converted

_STEPS: dict[TreeName, type[arith.SignlessIntegerBinaryOperation]] = {
    "add": arith.AddiOp,
    "max": arith.MaxSIOp,
    "min": arith.MinSIOp,
    "shr": arith.ShRSIOp,
    "shl": arith.ShLIOp,
}


def multiply_accumulate() -> Block:
    """acc + x * w of i8 factors."""
    body = Block(arg_types=[i8, i8, i32])
    x, w, acc = body.args
    x32, w32 = converted(arith.ExtSIOp, x, i32), converted(arith.ExtSIOp, w, i32)
    product = binary(arith.MuliOp, x32.result, w32.result)
    return closed(body, [x32, w32, product, binary(arith.AddiOp, acc, product.result)])


def copied() -> Block:
    """x."""
    body = _elementwise(i32)
    return closed(body, [], body.args[0])


def extended() -> Block:
    """An i8 element as i32."""
    body = _elementwise(i8)
    return closed(body, [converted(arith.ExtSIOp, body.args[0], i32)])


def narrowed() -> Block:
    """The low 8 bits of x."""
    body = _elementwise(i32, result=i8)
    return closed(body, [converted(arith.TruncIOp, body.args[0], i8)])


def stepped(name: TreeName, immediate: int) -> Block:
    """An ALU operation of x and a number."""
    body = _elementwise(i32)
    number = constant(immediate)
    return closed(body, [number, binary(_STEPS[name], body.args[0], number.result)])


def combined(name: TreeName) -> Block:
    """An ALU operation of x and y."""
    body = _elementwise(i32, i32)
    return closed(body, [binary(_STEPS[name], body.args[0], body.args[1])])


def _elementwise(*inputs: Attribute, result: Attribute = i32) -> Block:
    return Block(arg_types=[*inputs, result])
