"""Bodies of linalg operations as bodies of blocks: they yield to the schedule, and take nothing from around them."""

from __future__ import annotations

from collections.abc import Mapping

from xdsl.dialects import arith
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import IndexOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from vtac.analysis.ir.locations import location_of
from vtac.dialects.making import make_op
from vtac.dialects.schedule.payload import YieldOp
from vtac.errors import CompileError
from vtac.rewriting.copies import copy_of_region
from vtac.rewriting.edits import append, erase

Constants = Mapping[SSAValue, Attribute]
"""The value of every arith.constant outside of the bodies."""
_AT_INDICES = (
    "linalg.index in a body is not supported but in a causal mask of an attention that is fused; "
    "for padding use tensor.pad"
)


def copy_body(element: Attribute) -> Region:
    """The body that yields what it reads."""
    block = Block(arg_types=[element])
    append(yield_of(block.args[0]), block)
    return Region(block)


def yield_of(value: SSAValue) -> YieldOp:
    """The end of a body that yields a value."""
    return make_op(YieldOp, operands=[value])


def clone_body(op: LinalgStructuredOperation, constants: Constants) -> Region:
    """An op's body with the constants that it uses inside. Raises `CompileError` for linalg.index."""
    body = copy_of_region(op.body)
    block = body.block
    for inner in list(block.ops):
        if isinstance(inner, IndexOp):
            raise CompileError(_AT_INDICES, location_of(op))
        _localise_constants(inner, constants)
    last = block.last_op
    if last is None:
        raise CompileError(f"{op.name}: an empty body", location_of(op))
    end = yield_of(last.operands[0])
    erase(last)
    append(end, block)
    return body


def _localise_constants(inner: Operation, constants: Constants) -> None:
    for position, operand in enumerate(inner.operands):
        if operand in constants:
            constant = _constant(constants[operand])
            constant.result.name_hint = operand.name_hint
            Rewriter.insert_op(constant, InsertPoint.before(inner))
            inner.operands[position] = constant.result


def inline_scalar(
    body: Region, position: int, value: SSAValue, constants: Constants, op: LinalgStructuredOperation
) -> None:
    """Put a constant in place of an argument. Raises `CompileError` for a scalar operand that is none."""
    if value not in constants:
        raise CompileError(f"{op.name}: a scalar operand must be an arith.constant", location_of(op))
    argument = body.block.args[position]
    constant = _constant(constants[value])
    Rewriter.insert_op(constant, InsertPoint.at_start(body.block))
    argument.replace_all_uses_with(constant.result)
    body.block.erase_arg(argument)


def _constant(value: Attribute) -> arith.ConstantOp:
    return arith.ConstantOp(value)  # pyright: ignore[reportArgumentType]
