"""The elementwise operations of device functions: one instruction of the VTA for each tile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import i8, i32
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Block, Operation, SSAValue

from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.types.tensor_types import element_of
from vtac.partition.alu_building import Loops, elementwise, number, parallel, put
from vtac.partition.alu_operations import alu_difference, operand_loops, scaled_input
from vtac.rewriting.edits import append
from vtac.rewriting.made_operations import binary, converted, yielded

AluName: TypeAlias = Literal["add", "max", "min", "shr", "shl"]
Kind: TypeAlias = Literal["widen", "accumulate", "step", "combine", "copy", "narrow"]

STEPS: dict[AluName, type[arith.SignlessIntegerBinaryOperation]] = {
    "add": arith.AddiOp,
    "max": arith.MaxSIOp,
    "min": arith.MinSIOp,
    "shr": arith.ShRSIOp,
    "shl": arith.ShLIOp,
}
NAMES: dict[type[Operation], AluName] = {operation: name for name, operation in STEPS.items()}
IMMEDIATE = (-(1 << 15), (1 << 15) - 1)


@dataclass(frozen=True)
class Primitive:
    """One of them.

    widen:      an i8 tensor times `number`, as i32: a product with a diagonal weight tile, or a load
    accumulate: an i8 tensor times `number`, added to accumulators, which are the output
    step:       `name` of an i32 tensor and an immediate of 16 bits, `number`
    combine:    `name` of two i32 tensors
    copy:       an i32 tensor, loaded
    narrow:     the low 8 bits of an i32 tensor, stored
    """

    kind: Kind
    name: AluName = "add"
    number: int = 0


class Primitives:
    """What the operations of a device function are, each looked at once: it counts while they stay as they are."""

    def __init__(self) -> None:
        self._known: dict[Operation, Primitive | None] = {}

    def of(self, op: Operation) -> Primitive | None:
        """What an operation is; None for one that is none of them."""
        if op not in self._known:
            self._known[op] = primitive_of(op)
        return self._known[op]


def primitive_of(op: Operation) -> Primitive | None:
    """What an operation of a device function is; None for any other."""
    if not isinstance(op, GenericOp):
        return None
    if (found := _accumulation(op)) is not None:
        return found
    if alu_difference(op, repeats=True):
        return None
    body = op.body.block
    yielded = body.last_op.operands[0] if body.last_op is not None else None
    if yielded is None:
        return None
    if len(op.inputs) == 1 and yielded is body.args[0]:
        return Primitive("copy") if element_of(op.inputs[0]) == i32 else None
    if len(op.inputs) == 1 and (scaled := scaled_input(yielded)) is not None:
        return Primitive("widen", number=scaled[1])
    owner = yielded.owner
    if isinstance(owner, arith.TruncIOp):
        return Primitive("narrow") if owner.input is body.args[0] and len(op.inputs) == 1 else None
    return _alu_operation(op, owner) if isinstance(owner, Operation) else None


def _alu_operation(op: GenericOp, last: Operation) -> Primitive | None:
    """A body that is the one operation `last` of the ALU."""
    arguments = op.body.block.args
    name = NAMES.get(type(last))
    if name is None or len(op.inputs) > 2:
        return None
    left, right = last.operands
    if len(op.inputs) == 1 and left is arguments[0] and (immediate := number_of(right)) is not None:
        return Primitive("step", name, immediate) if IMMEDIATE[0] <= immediate <= IMMEDIATE[1] else None
    if len(op.inputs) == 2 and (left, right) == tuple(arguments[:2]):
        return Primitive("combine", name)
    return None


def _accumulation(op: GenericOp) -> Primitive | None:
    body = op.body.block
    owner = body.last_op.operands[0].owner if body.last_op is not None else None
    if len(op.inputs) != 1 or not isinstance(owner, arith.AddiOp) or owner.lhs is not body.args[-1]:
        return None
    if any(str(kind.data) != "parallel" for kind in op.get_iterator_types()):
        return None
    scaled = scaled_input(owner.rhs)
    return None if scaled is None else Primitive("accumulate", number=scaled[1])


def starts_in_its_loops(value: SSAValue) -> bool:
    """Whether accumulators are computed tile by tile: by the ALU, or by products onto zeros or such accumulators.

    Not so are windows of other accumulators, and products onto what is loaded.
    """
    op = value.owner
    while isinstance(op, GenericOp) and (found := primitive_of(op)) is not None and found.kind == "accumulate":
        op = op.outputs[0].owner
    if isinstance(op, Block | tensor.ExtractSliceOp | tensor.PadOp):
        return False
    found = primitive_of(op)
    return found is None or found.kind != "copy"


Tensor: TypeAlias = "tuple[SSAValue, Loops]"
"""A tensor, and the loops that are its indices."""


def step(source: Tensor, shape: tuple[int, ...], name: AluName, immediate: int) -> tuple[tensor.EmptyOp, GenericOp]:
    """One ALU operation with an immediate."""

    def body(block: Block) -> SSAValue:
        return put(binary(STEPS[name], block.args[0], number(immediate, block)), block)

    return elementwise([source[0]], [source[1]], shape, i32, body)


def combine(left: Tensor, right: Tensor, shape: tuple[int, ...], name: AluName) -> tuple[tensor.EmptyOp, GenericOp]:
    """One ALU operation of two tensors."""

    def body(block: Block) -> SSAValue:
        return put(binary(STEPS[name], block.args[0], block.args[1]), block)

    return elementwise([left[0], right[0]], [left[1], right[1]], shape, i32, body)


def widened(value: SSAValue, shape: tuple[int, ...], factor: int) -> tuple[tensor.EmptyOp, GenericOp]:
    """An i8 tensor times a number, as i32."""
    loops = [tuple(range(len(shape)))]
    return elementwise([value], loops, shape, i32, lambda block: _scaled(block, factor))


def accumulated(total: SSAValue, source: Tensor, factor: int) -> GenericOp:
    """Accumulators plus an i8 tensor times a number."""
    block = Block(arg_types=[i8, i32])
    added = put(binary(arith.AddiOp, block.args[1], _scaled(block, factor)), block)
    append(yielded(added), block)
    return parallel([source[0]], [source[1]], total, block)


def copied(value: SSAValue, shape: tuple[int, ...]) -> tuple[tensor.EmptyOp, GenericOp]:
    """An i32 tensor, loaded once for several readers."""
    return elementwise([value], [tuple(range(len(shape)))], shape, i32, lambda block: block.args[0])


def narrowed(value: SSAValue, shape: tuple[int, ...]) -> tuple[tensor.EmptyOp, GenericOp]:
    """The low 8 bits of accumulators."""
    loops = [tuple(range(len(shape)))]

    def body(block: Block) -> SSAValue:
        return put(converted(arith.TruncIOp, block.args[0], i8), block)

    return elementwise([value], loops, shape, i8, body)


def _scaled(block: Block, factor: int) -> SSAValue:
    wide = put(converted(arith.ExtSIOp, block.args[0], i32), block)
    return wide if factor == 1 else put(binary(arith.MuliOp, wide, number(factor, block)), block)


def loops_of_inputs(op: GenericOp) -> list[Tensor]:
    """The inputs of an elementwise operation, with their loops."""
    return list(zip(op.inputs, operand_loops(op), strict=True))
