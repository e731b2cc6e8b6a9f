"""Numbers of 32 bits as signed bytes, lowest first: cut into them, and added up from them."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import arith
from xdsl.dialects.builtin import i8, i32
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint

from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.analysis.values.tensor_ranges import Range
from vtac.dialects.packing.declared import STEPS
from vtac.partition.alu_building import elementwise, number, put
from vtac.rewriting.edits import move_op


def fits_in_bytes(found: Range, planes: int) -> bool:
    """Whether a number of signed bytes holds a range."""
    ones = ((1 << (8 * planes)) - 1) // 255
    return -128 * ones <= found[0] and found[1] <= 127 * ones


def summing_body(op: GenericOp, inputs: Sequence[SSAValue], counts: Sequence[int]) -> Block:
    """The body of an operation some inputs of which are now several bytes each."""
    old = op.body.clone().block
    new = Block(arg_types=[*map(element_of, inputs), element_of(op.outputs[0])])
    arguments = iter(new.args)
    for argument, count in zip(old.args, [*counts, 1], strict=True):
        parts = [next(arguments) for _ in range(count)]
        argument.replace_all_uses_with(parts[0] if count == 1 and parts[0].type == argument.type else _sum(parts, new))
    for inner in list(old.ops):
        move_op(inner, InsertPoint.at_end(new))
    return new


def _sum(parts: Sequence[SSAValue], body: Block) -> SSAValue:
    """The number whose bytes these are, lowest first."""
    *lower, highest = parts
    total = put(arith.ExtSIOp(highest, i32), body)
    for part in reversed(lower):
        shifted = put(arith.ShLIOp(total, number(8, body)), body)
        total = put(arith.AddiOp(shifted, put(arith.ExtSIOp(part, i32), body)), body)
    return total


class PartWriter:
    """Inserts operations on a value after it, in order."""

    def __init__(self, value: SSAValue, rewriter: PatternRewriter, point: InsertPoint) -> None:
        self.value = value
        self.rewriter = rewriter
        self.point = point

    def add(self, *ops: Operation, before: Operation | None = None) -> SSAValue:
        """Insert operations, in front of `before` where that is given; the result of the last."""
        for op in ops:
            owner = self.value.owner
            if isinstance(owner, Operation):
                op.location = owner.location
        self.rewriter.insert(ops, self.point if before is None else InsertPoint.before(before))
        result = ops[-1].results[0]
        result.name_hint = self.value.name_hint
        return result

    def shifted(self, value: SSAValue, *, rounded: bool) -> SSAValue:
        """What is above the low byte of a value; `rounded`, so that the low byte has its sign."""

        def body(block: Block) -> SSAValue:
            found: SSAValue = block.args[0]
            if rounded:
                found = put(arith.AddiOp(found, number(128, block)), block)
            return put(arith.ShRSIOp(found, number(8, block)), block)

        shape = shape_of(value)
        made = elementwise([value], [tuple(range(len(shape)))], shape, i32, body)
        STEPS.set(made[-1], 0)
        return self.add(*made)

    def low_byte(self, value: SSAValue) -> SSAValue:
        """The lowest 8 bits of a value."""
        shape = shape_of(value)
        loops = [tuple(range(len(shape)))]
        return self.add(*elementwise([value], loops, shape, i8, lambda b: put(arith.TruncIOp(b.args[0], i8), b)))
