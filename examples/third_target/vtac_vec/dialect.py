"""The vec dialect: instructions of the vector machine.

A register is a memref of eight i32 in `vec.local`; main memory is addressed by a buffer and the
number of an element in it. Deliberately not modelled: how long an instruction takes.
"""

from __future__ import annotations

from math import prod
from typing import cast

from xdsl.dialects.builtin import IndexType, MemRefType, StringAttr, i32
from xdsl.ir import Attribute, Dialect
from xdsl.irdl import EqAttrConstraint, IRDLOperation, irdl_op_definition, operand_def, traits_def
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.schedule.script import LOOP, DirectiveOp
from vtac_vec.machine import LANES

SCOPE = "vec.local"


LOCAL = MemRefType.constr(memory_space=EqAttrConstraint(StringAttr(SCOPE)))


class VecOp(IRDLOperation):
    """An instruction: buffers in `vec.local` are registers, whichever shape eight elements have."""

    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())

    def verify_(self) -> None:
        for value in self.operands:
            kind = value.type
            if isinstance(kind, MemRefType) and kind.memory_space == StringAttr(SCOPE):
                register = cast("MemRefType[Attribute]", kind)
                if not is_register(register):
                    raise VerifyException(f"{register} is no register: {LANES} i32 are required")


def is_register(kind: MemRefType[Attribute]) -> bool:
    """Whether a memref is a vector register."""
    return prod(kind.get_shape()) == LANES and kind.element_type == i32 and kind.memory_space == StringAttr(SCOPE)


@irdl_op_definition
class ZeroOp(VecOp):
    """All lanes of a register become 0."""

    name = "vec.zero"
    register = operand_def(LOCAL)
    assembly_format = "$register attr-dict `:` type($register)"


@irdl_op_definition
class LoadOp(VecOp):
    """A register becomes the elements of a buffer from `at` on."""

    name = "vec.load"
    register = operand_def(LOCAL)
    buffer = operand_def(MemRefType)
    at = operand_def(IndexType())
    assembly_format = "$register `,` $buffer `[` $at `]` attr-dict `:` type($register) `,` type($buffer)"


@irdl_op_definition
class StoreOp(VecOp):
    """The elements of a buffer from `at` on become a register's."""

    name = "vec.store"
    buffer = operand_def(MemRefType)
    at = operand_def(IndexType())
    register = operand_def(LOCAL)
    assembly_format = "$buffer `[` $at `]` `,` $register attr-dict `:` type($buffer) `,` type($register)"


@irdl_op_definition
class AxpyOp(VecOp):
    """sum += buffer[at] * vector, in every lane."""

    name = "vec.axpy"
    sum = operand_def(LOCAL)
    buffer = operand_def(MemRefType)
    at = operand_def(IndexType())
    vector = operand_def(LOCAL)
    assembly_format = (
        "$sum `,` $buffer `[` $at `]` `,` $vector attr-dict `:` type($sum) `,` type($buffer) `,` type($vector)"
    )


@irdl_op_definition
class OnLanesOp(DirectiveOp):
    """A directive of a schedule: run a loop of eight iterations as the one instruction that it is."""

    name = "vec.on_lanes"
    loop = operand_def(LOOP)
    assembly_format = "$loop attr-dict"


Vec = Dialect("vec", [ZeroOp, LoadOp, StoreOp, AxpyOp, OnLanesOp])
