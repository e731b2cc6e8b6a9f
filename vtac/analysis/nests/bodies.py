"""What a block's body computes: a copy or a chain of ALU operations (`contraction_bodies` has the others)."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.dialects.builtin import i8, i32
from xdsl.ir import BlockArgument, Operation, SSAValue

from vtac.analysis.expressions.numbers import number_of
from vtac.dialects.schedule.payload import BlockOp
from vtac.dialects.vta.kernels import AluName


@dataclass(frozen=True, slots=True)
class AluStep:
    """acc = op(acc, operand): `immediate`, or the input of that position."""

    name: AluName
    immediate: int | None = None
    input: int | None = None


def is_copy(block: BlockOp) -> bool:
    """The body stores its one input as it is."""
    return len(block.buffers) == 2 and not block.has_reduction and _argument(block.yielded) == 0


def is_truncating_copy(block: BlockOp) -> bool:
    """The body stores the low bits of its one input (or all of it)."""
    if is_copy(block):
        return True
    owner = block.yielded.owner
    return (
        len(block.buffers) == 2
        and not block.has_reduction
        and isinstance(owner, arith.TruncIOp)
        and _argument(owner.input) == 0
    )


def is_widening_copy(block: BlockOp) -> bool:
    """The body stores its one i8 input, sign-extended to i32."""
    owner = block.yielded.owner
    return (
        len(block.buffers) == 2
        and not block.has_reduction
        and isinstance(owner, arith.ExtSIOp)
        and owner.input.type == i8
        and owner.result.type == i32
        and _argument(owner.input) == 0
    )


@dataclass(frozen=True, slots=True)
class AluChain:
    """Steps applied in place, in order, to the value of input `base`."""

    base: int
    steps: tuple[AluStep, ...]


def alu_chain(block: BlockOp) -> AluChain | str:
    """The ALU steps of an elementwise body, or why it is none. A plain copy has no step."""
    if block.has_reduction:
        return "expected an elementwise body, found a reduction"
    steps: list[AluStep] = []
    value = block.yielded
    while (base := _argument(value)) is None:
        step = _step(value.owner)
        if isinstance(step, str):
            return step
        value, done = step
        steps.insert(0, done)
    return AluChain(base, tuple(steps))


def _step(owner: object) -> tuple[SSAValue, AluStep] | str:
    """Split the last operation of a chain into what it is applied to and itself."""
    names: dict[type[Operation], AluName] = {
        arith.MinSIOp: "min",
        arith.MaxSIOp: "max",
        arith.AddiOp: "add",
        arith.ShRSIOp: "shr",
        arith.ShLIOp: "shr",
        arith.SubiOp: "add",
        arith.MuliOp: "mul",
    }
    if not isinstance(owner, Operation) or type(owner) not in names:
        return f"expected one of arith.minsi, maxsi, addi, subi, shrsi, shli, found {_name(owner)}"
    name = names[type(owner)]
    left, right = owner.operands
    if number_of(left) is not None and name in ("min", "max", "add", "mul") and not isinstance(owner, arith.SubiOp):
        left, right = right, left
    immediate = number_of(right)
    if immediate is not None:
        negate = isinstance(owner, arith.SubiOp | arith.ShLIOp)
        return left, AluStep(name, immediate=-immediate if negate else immediate)
    if isinstance(owner, arith.SubiOp | arith.ShLIOp):
        return f"expected a constant right operand of {owner.name}: the ALU has no such tensor-tensor operation"
    if _argument(right) is None and _argument(left) is not None and name in ("min", "max", "add", "mul"):
        left, right = right, left
    other = _argument(right)
    if other is None:
        return f"expected {owner.name} of a chain with an input or a constant"
    return left, AluStep(name, input=other)


def _argument(value: SSAValue) -> int | None:
    return value.index if isinstance(value, BlockArgument) else None


def _name(owner: object) -> str:
    return owner.name if isinstance(owner, Operation) else "an input"
