"""vta-link-kernels: lowered kernels and the program that calls them become one function on DRAM buffers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from xdsl.context import Context
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, FunctionType, ModuleOp
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.dialects.tensor import EmptyOp, InsertSliceOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import host_functions, kernel_modules, kernel_of, program_functions
from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.target import copy_target
from vtac.analysis.ir.walks import operations_of, operations_under
from vtac.analysis.programs.call_levels import VIEWS
from vtac.dialects.packing import UnspecifiedOp
from vtac.dialects.packing.declared import PROGRAM
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.vta.synchronisation import SyncOp
from vtac.errors import CompileError
from vtac.rewriting.edits import insert_ops, move_ops
from vtac.rewriting.linked_kernels import LinkedKernel, linked_kernel
from vtac.rewriting.payload_arguments import PayloadArguments
from vtac.rewriting.program_buffers import ProgramBuffers
from vtac.rewriting.walker import rewrite_once


@dataclass
class LinkProgram(RewritePattern):
    """A program gets a module with what it is on DRAM buffers, and with the kernels that it calls."""

    module: ModuleOp
    kernels: Mapping[str, ModuleOp]
    linked: Collection[str]
    """Programs that have such a module."""
    shared: Collection[str]
    """Kernels that others call too: their modules stay as they are."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: FuncOp, rewriter: PatternRewriter) -> None:
        if not PROGRAM.is_on(op) or op.sym_name.data in self.linked:
            return
        called = dict.fromkeys(call.callee.string_value() for call in operations_of(CallOp, op))
        known = [name for name in called if name in self.kernels]
        kernels = {name: linked_kernel(self.kernels[name], keep=name in self.shared) for name in known}
        stream = ModuleOp([_Linker(op, kernels).build()])
        move_ops([kernel.function for kernel in kernels.values()], InsertPoint.at_end(stream.body.block))
        copy_target(self.module, stream)
        rewriter.insert(stream, InsertPoint.at_end(self.module.body.block))


@dataclass
class DropLinked(RewritePattern):
    """The module of a kernel that programs have taken, and that the host does not call, is gone."""

    taken: Collection[ModuleOp]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ModuleOp, rewriter: PatternRewriter) -> None:
        if op in self.taken:
            rewriter.erase(op)


def _callees(functions: Sequence[FuncOp]) -> Counter[str]:
    """The functions that some call, and how many of these do."""
    return Counter(name for one in functions for name in {c.callee.string_value() for c in operations_of(CallOp, one)})


def _is_lowered(kernel: FuncOp) -> bool:
    return not kernel.function_type.outputs and not any(type(op) in (ForOp, BlockOp) for op in operations_under(kernel))


@dataclass
class _Linker:
    """Builds what a program is on buffers."""

    function: FuncOp
    kernels: Mapping[str, LinkedKernel]
    block: Block = field(default_factory=Block)
    constants: dict[Attribute, SSAValue] = field(default_factory=dict[Attribute, SSAValue])
    """The argument of each constant; one for all that are equal."""

    def build(self) -> FuncOp:
        name, visibility = self.function.sym_name.data, self.function.sym_visibility
        program = FuncOp(name, FunctionType.from_lists([], []), Region(self.block), visibility)
        program.location = self.function.location
        program.attributes |= self.function.attributes
        program.arg_attrs = self.function.arg_attrs
        self.arguments = PayloadArguments(self.block, program)
        self.buffers = ProgramBuffers(self.function)
        body = self.function.body.block
        for argument in body.args:
            self.buffers.give(argument, self.arguments.add_given(argument))
        for value in cast(ReturnOp, body.last_op).operands:
            self.buffers.give(value, self.arguments.add_result(value))
        for op in body.ops:
            if isinstance(op, ConstantOp) and _is_filled(op) and isinstance(op.value, DenseIntOrFPElementsAttr):
                self.buffers.give(op.result, self.arguments.add_constant(op.value.type, op.value, op.result.name_hint))
        for op in body.ops:
            self._link(op)
        insert_ops([*self.buffers.ops, SyncOp.get(dataflow=True), ReturnOp()], InsertPoint.at_end(self.block))
        self.arguments.describe()
        return program

    def _link(self, op: Operation) -> None:
        if isinstance(op, CallOp):
            self._call(op)
        elif isinstance(op, ConstantOp) and isinstance(op.value, DenseIntOrFPElementsAttr):
            if not _is_filled(op):
                self.buffers.give(op.result, self._constant(op.value, op.result.name_hint))
        elif not isinstance(op, (*VIEWS, EmptyOp, UnspecifiedOp, ReturnOp)):
            raise CompileError(
                f"'{op.name}' in program '{self.function.sym_name.data}'; a program calls kernels, reshapes, cuts and "
                "joins their buffers, and names constants: keep other operations on the host",
                location_of(op),
            )

    def _call(self, op: CallOp) -> None:
        kernel = self.kernels.get(op.callee.string_value())
        if kernel is None:
            raise CompileError(
                f"call of '{op.callee.string_value()}', of which no module within the module has a kernel: lower every "
                "device function to the vta level first",
                location_of(op),
            )
        given = iter(op.arguments)
        returned = iter(op.res)
        operands: list[SSAValue] = []
        for position, kind in enumerate(kernel.kinds):
            if position in kernel.constants:
                operands.append(self._constant(kernel.constants[position], None))
                continue
            value = next(returned) if position in kernel.results else next(given, None)
            known = value is not None
            operands.append(self.buffers.operand(value, kind, op) if known else self.buffers.allocate(kind, None))
        call = CallOp(op.callee, operands, [])
        call.attributes |= op.attributes
        call.location = op.location
        self.buffers.ops.append(call)

    def _constant(self, contents: DenseIntOrFPElementsAttr, name: str | None) -> SSAValue:
        if contents not in self.constants:
            self.constants[contents] = self.arguments.add_constant(contents.type, contents, name or "constant")
        return self.constants[contents]


def _is_filled(constant: ConstantOp) -> bool:
    """Whether something is put into a constant, so that it has a buffer of its own."""
    return any(isinstance(use.operation, InsertSliceOp) for use in constant.result.uses)


@dataclass(frozen=True)
class VtaLinkKernels(ModulePass):
    """Give every tensor of a program a buffer in DRAM, and end the whole with one synchronisation.

    What a kernel holds on chip is its own; kernels meet in DRAM. Their tokens go: the stream
    builder orders the instructions of the whole by the tiles and pages they touch, so that a
    kernel begins while the one before it ends. Linking is a plan of a whole program; the
    program on tensors stays, as its meaning.

    requires: functions marked `packing.program` on tensors, every one of which has a place (place-tensors), and for
              each device function that they call a module within the module that holds it at the vta level, by the
              same name.
    ensures:  a module within the module for each program, on memrefs, with results and constants (a
              kernel's globals too) as last arguments, an allocation for every tensor between two
              kernels that is no part of another, views of those that are, and the kernels without
              synchronisation. Kernels that the host calls keep their modules: each module within the
              module is one instruction stream.
    declines: operations in a program other than calls, reshapes, slices, insertions and dense constants; a call
              of a function that has no kernel; a tensor that lies where place-tensors has not planned it.
    """

    name = "vta-link-kernels"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        found = [(kernel, m) for m in kernel_modules(op) if (kernel := kernel_of(m)) is not None]
        modules = {kernel.sym_name.data: m for kernel, m in found}
        known = {kernel.sym_name.data: m for kernel, m in found if _is_lowered(kernel)}
        programs = {program.sym_name.data for program in program_functions(op)}
        called, by_host = _callees(program_functions(op)), _callees(host_functions(op))
        shared = {name for name, often in called.items() if often > 1 or name in by_host}
        rewrite_once(op, LinkProgram(op, known, programs & known.keys(), shared))
        rewrite_once(op, DropLinked({modules[name] for name in called if name in modules and name not in by_host}))
