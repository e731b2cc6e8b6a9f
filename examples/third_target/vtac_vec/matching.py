"""Which instruction a loop of eight iterations is, or the first difference."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i32
from xdsl.ir import BlockArgument, SSAValue

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.accesses import guards_of, indices_of
from vtac.analysis.nests.nest import buffer_name, element_type_of, scope_of, strides_of
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac_vec.dialect import SCOPE
from vtac_vec.machine import LANES

INSTRUCTIONS = ("vec.zero", "vec.load", "vec.axpy", "vec.store")


@dataclass(frozen=True)
class Place:
    """A buffer, and the element in it where the first lane is, over the loops around."""

    buffer: SSAValue
    at: Linear


@dataclass(frozen=True)
class Instruction:
    """An instruction's name, and its operands: what it writes first, then inputs in order."""

    name: str
    places: tuple[Place, ...]


def match(name: str, loop: ForOp, _module: ModuleOp | None = None) -> Instruction | str:
    """The instruction `name` that a loop is, or the first difference."""
    block = loop.body.block.first_op
    if loop.trip_count != LANES:
        return f"expected {LANES} iterations, found {loop.trip_count}"
    if not isinstance(block, BlockOp) or block is not loop.body.block.last_op or guards_of(block):
        return "expected one block without a guard inside"
    if block.init is not None:
        return "expected a sum that goes on, found one that starts here: use decompose_reduction first"
    found = formula(block.yielded)
    if found != _FORMULAS[name]:
        return f"expected lanes that compute {_FORMULAS[name]}, found {found}"
    inputs = tuple(range(len(block.inputs)))
    if name == "vec.axpy" and scope_of(block.inputs[0]) == SCOPE:
        inputs = (1, 0)
    return _instruction(name, block, loop, inputs)


_FORMULAS = {"vec.zero": "0", "vec.load": "x0", "vec.store": "x0", "vec.axpy": "((x0 * x1) + x2)"}
"""What one lane computes, of the inputs and then what the output held."""
_SCOPES = {
    "vec.zero": (SCOPE,),
    "vec.load": (SCOPE, "global"),
    "vec.store": ("global", SCOPE),
    "vec.axpy": (SCOPE, "global", SCOPE),
}
"""Where the output lies, and the inputs."""
INTRINSICS = tuple(_FORMULAS)


def formula(value: SSAValue) -> str:
    """A value of a block's body in its arguments; sums and products in one order, whichever way they are written."""
    owner = value.owner
    if isinstance(value, BlockArgument):
        return f"x{value.index}"
    if isinstance(owner, arith.ConstantOp) and isinstance(owner.value, IntegerAttr):
        return str(owner.value.value.data)
    if isinstance(owner, arith.AddiOp | arith.MuliOp):
        sign = "+" if isinstance(owner, arith.AddiOp) else "*"
        return f"({f' {sign} '.join(sorted(map(formula, owner.operands)))})"
    return "something else"


def _instruction(name: str, block: BlockOp, loop: ForOp, inputs: tuple[int, ...]) -> Instruction | str:
    """The instruction over the output and the inputs in that order; the second operand of an axpy is one element."""
    places: list[Place] = []
    for number, (position, scope) in enumerate(zip((len(block.inputs), *inputs), _SCOPES[name], strict=True)):
        buffer = (*block.inputs, block.output)[position]
        what = f"'{buffer_name(buffer)}'"
        if scope_of(buffer) != scope or element_type_of(buffer) != i32:
            return f"expected {what} in i32 in scope {scope}, found {buffer.type}"
        strides = strides_of(buffer)
        at = Linear(0)
        for index, stride in zip(indices_of(block, position), strides, strict=True):
            at = at + index * stride
        wanted = 0 if name == "vec.axpy" and number == 1 else 1
        found = at.coefficient(loop.induction_variable)
        if found != wanted or not at.is_linear_in(loop.induction_variable):
            return f"expected lanes of {what} {wanted} elements apart, found {found}"
        places.append(Place(buffer, at.without(loop.induction_variable)))
    return Instruction(name, tuple(places))
