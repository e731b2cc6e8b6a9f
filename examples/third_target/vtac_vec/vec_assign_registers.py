"""vec-assign-registers: each buffer in vec.local becomes a register of the machine."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.memref import AllocOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import buffer_name, memref_type_of, scope_of
from vtac.errors import CompileError
from vtac.rewriting.walker import rewrite_once
from vtac_vec.declared import REGISTER
from vtac_vec.dialect import SCOPE, is_register
from vtac_vec.machine import VecMachine, read_machine


class AssignRegister(RewritePattern):
    """One allocation, which gets the next register."""

    def __init__(self, machine: VecMachine) -> None:
        self.machine = machine
        self.numbers = count()

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: AllocOp, rewriter: PatternRewriter) -> None:
        if scope_of(op.memref) != SCOPE or REGISTER.is_on(op):
            return
        name, kind, number = buffer_name(op.memref), memref_type_of(op.memref), next(self.numbers)
        if not is_register(kind):
            raise CompileError(f"'{name}' is {kind}, which is no register: compute it at a loop further in")
        if number >= self.machine.registers:
            raise CompileError(
                f"'{name}' is buffer {number + 1} in {SCOPE}; the machine has {self.machine.registers} registers: "
                "use fewer at once",
                location_of(op),
            )
        REGISTER.set(op, number)
        rewriter.notify_op_modified(op)


@dataclass(frozen=True)
class VecAssignRegisters(ModulePass):
    """Number the registers of a function in program order.

    requires: buffers in vec.local of eight i32; the module's `vec.machine`, else the default.
    ensures:  each such allocation has a `vec.register`.
    declines: buffers of another size, and more than the machine has registers.
    """

    name = "vec-assign-registers"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, AssignRegister(read_machine(op) or VecMachine()))
