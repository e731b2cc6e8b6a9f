"""Statements that a kernel runs at several places, under a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects import gpu, memref
from xdsl.dialects.builtin import DenseArrayBase, FunctionType, IndexType, i64
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_op_definition,
    operand_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import MemoryReadEffect, MemoryWriteEffect, NoTerminator
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.wmma.ops import FragmentsOp

INDEX = IndexType()


@irdl_op_definition
class RoutineOp(IRDLOperation):
    """Statements that run where they are called: a lambda of the kernel's text.

    The body's arguments are indices, each from 0 to below its extent; what stands in front of the routine it may read.
    """

    name = "wmma.routine"
    extents = prop_def(DenseArrayBase.constr(i64))
    routine = result_def(FunctionType)
    body = region_def("single_block")
    traits = traits_def(NoTerminator())
    assembly_format = "`extents` $extents attr-dict-with-keyword `:` type($routine) $body"

    def verify_(self) -> None:
        arguments = [argument.type for argument in self.body.block.args]
        extents = self.extents.get_values()
        if self.routine.type != FunctionType.from_lists(arguments, []) or any(kind != INDEX for kind in arguments):
            raise VerifyException("routine: the type is that of the body's arguments, which are indices")
        if len(extents) != len(arguments) or any(extent < 1 for extent in extents):
            raise VerifyException(f"routine: {len(arguments)} indices need as many extents of 1 or more")
        for op in self.body.walk():
            if isinstance(op, _OF_A_KERNEL):
                raise VerifyException(f"routine: '{op.name}' belongs to the kernel, not to a part that runs anywhere")

    @staticmethod
    def get(extents: Sequence[int], body: Block) -> RoutineOp:
        kind = FunctionType.from_lists([argument.type for argument in body.args], [])
        numbers = DenseArrayBase.from_list(i64, list(extents))
        return RoutineOp(properties={"extents": numbers}, result_types=[kind], regions=[Region(body)])


@irdl_op_definition
class CallOp(IRDLOperation):
    """Run a routine of the same kernel."""

    name = "wmma.call"
    routine = operand_def(FunctionType)
    arguments = var_operand_def(INDEX)
    traits = traits_def(MemoryReadEffect(), MemoryWriteEffect())
    assembly_format = "$routine `(` $arguments `)` attr-dict `:` type($routine)"

    def verify_(self) -> None:
        routine_of(self)
        wanted = len(cast(FunctionType, self.routine.type).inputs.data)
        if len(self.arguments) != wanted:
            raise VerifyException(f"call: {len(self.arguments)} indices for a routine of {wanted}")

    @staticmethod
    def get(routine: SSAValue, arguments: Sequence[SSAValue]) -> CallOp:
        return CallOp(operands=[routine, list(arguments)])


_OF_A_KERNEL: tuple[type[Operation], ...] = (gpu.BarrierOp, memref.AllocOp, FragmentsOp, RoutineOp)


def routine_of(call: CallOp) -> RoutineOp:
    """The routine that is called. Raises `VerifyException` where that is no `wmma.routine`."""
    owner = call.routine.owner
    if not isinstance(owner, RoutineOp):
        raise VerifyException("call: only a wmma.routine is called, by its own name")
    return owner
