"""vta-link-kernels: lowered kernels and the program that calls them become one function on DRAM buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    DictionaryAttr,
    FunctionType,
    MemRefType,
    ModuleOp,
)
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.dialects.memref import AllocOp, GetGlobalOp, GlobalOp, ReinterpretCastOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.passes import ModulePass

from vtac.analysis.locations import location_of
from vtac.dialects.packing import ReshapeOp
from vtac.dialects.packing.declared import PROGRAM
from vtac.dialects.schedule.declared import CONSTANT, RESULT
from vtac.dialects.vta.synchronisation import DepPopOp, DepPushOp, SyncOp
from vtac.errors import CompileError
from vtac.rewriting.payload_arguments import PayloadArguments, as_memref


@dataclass(frozen=True)
class VtaLinkKernels(ModulePass):
    """Give every tensor of a program a buffer in DRAM, and end the whole with one synchronisation.

    What a kernel holds on chip is its own; kernels meet in DRAM. Their tokens go: the stream
    builder orders the instructions of the whole by the tiles and pages they touch, so that a
    kernel begins while the one before it ends.

    requires: functions marked `packing.program` on tensors; the device functions that they call, and
              those at the vta level, by the same names, in a module within the module.
    ensures:  programs on memrefs, results and constants (a kernel's globals too) as last arguments,
              an allocation for every tensor between two kernels; kernels in place of the device
              functions, without synchronisation.
    declines: operations in a program other than calls, reshapes and dense constants; a call of a
              function that has no kernel.
    """

    name = "vta-link-kernels"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        lowered = [m for m in op.ops if isinstance(m, ModuleOp)]
        functions = [f for m in lowered for f in m.ops if isinstance(f, FuncOp)]
        contents = {g.sym_name.data: g.initial_value for m in lowered for g in m.ops if isinstance(g, GlobalOp)}
        kernels = {function.sym_name.data: _Kernel(function, contents) for function in functions}
        for function in [f for f in op.ops if isinstance(f, FuncOp) and PROGRAM.is_on(f)]:
            _Linker(function, kernels).run()
        for function in [f for f in op.ops if isinstance(f, FuncOp) and f.sym_name.data in kernels]:
            function.detach()
            function.erase()
        for function in functions:
            function.detach()
            op.body.block.add_op(function)
        for module in lowered:
            module.detach()
            module.erase()


class _Kernel:
    """A kernel without its tokens; its scratch buffers are arguments, its constants known."""

    def __init__(self, function: FuncOp, contents: Mapping[str, Attribute | None]) -> None:
        for op in [op for op in function.walk() if isinstance(op, SyncOp | DepPushOp | DepPopOp)]:
            op.detach()
            op.erase()
        block = function.body.block
        known = function.arg_attrs.data if function.arg_attrs else (DictionaryAttr({}),) * len(block.args)
        self.constants: dict[int, DenseIntOrFPElementsAttr] = {
            position: dense
            for position, attributes in enumerate(known)
            if (dense := CONSTANT.within(attributes)) is not None
        }
        self.results = [position for position, attributes in enumerate(known) if RESULT.within(attributes)]
        for op in [op for op in function.walk() if isinstance(op, AllocOp)]:
            argument = block.insert_arg(op.memref.type, len(block.args))
            argument.name_hint = op.memref.name_hint
            op.memref.replace_all_uses_with(argument)
            op.detach()
            op.erase()
        self._take_globals(function, contents)
        self.kinds = [argument.type for argument in block.args]
        function.function_type = FunctionType.from_lists(self.kinds, [])
        function.arg_attrs = None

    def _take_globals(self, function: FuncOp, contents: Mapping[str, Attribute | None]) -> None:
        """Each global that a kernel refers to becomes an argument with its contents."""
        block = function.body.block
        arguments: dict[str, SSAValue] = {}
        for op in [op for op in function.walk() if isinstance(op, GetGlobalOp)]:
            name = op.name_.string_value()
            if name not in arguments:
                arguments[name] = block.insert_arg(op.memref.type, len(block.args))
                arguments[name].name_hint = name
                self.constants[len(block.args) - 1] = cast(DenseIntOrFPElementsAttr, contents[name])
            op.memref.replace_all_uses_with(arguments[name])
            op.detach()
            op.erase()


class _Linker:
    def __init__(self, function: FuncOp, kernels: dict[str, _Kernel]) -> None:
        self.function = function
        self.kernels = kernels
        self.old = function.body.block
        self.new = Block()
        self.arguments = PayloadArguments(self.new, function)
        self.buffers: dict[SSAValue, SSAValue] = {}
        self.constants: dict[Attribute, SSAValue] = {}

    def run(self) -> None:
        for argument in self.old.args:
            self.buffers[argument] = self.arguments.add_given(argument)
        for value in cast(ReturnOp, self.old.last_op).operands:
            self.buffers[value] = self.arguments.add_result(value)
        body: list[Operation] = []
        for op in self.old.ops:
            body += self._linked(op)
        self.new.add_ops([*body, SyncOp.get(dataflow=True), ReturnOp()])
        self.arguments.describe()
        self.function.body.detach_block(self.old)
        self.old.erase(safe_erase=False)
        self.function.body.add_block(self.new)

    def _linked(self, op: Operation) -> Iterator[Operation]:
        if isinstance(op, CallOp):
            yield from self._call(op)
        elif isinstance(op, ReshapeOp):
            view = _view(self.buffers[op.source], as_memref(op.result.type, op))
            view.result.name_hint = op.result.name_hint
            self.buffers[op.result] = view.result
            yield view
        elif isinstance(op, ConstantOp) and isinstance(op.value, DenseIntOrFPElementsAttr):
            self.buffers[op.result] = self._constant(op.value, op.result.name_hint)
        elif not isinstance(op, ReturnOp):
            raise CompileError(
                f"'{op.name}' in program '{self.function.sym_name.data}'; a program calls kernels, reshapes their "
                "buffers and names constants: keep other operations on the host",
                location_of(op),
            )

    def _call(self, op: CallOp) -> Iterator[Operation]:
        kernel = self.kernels.get(op.callee.string_value())
        if kernel is None:
            raise CompileError(
                f"call of '{op.callee.string_value()}', of which the module's module of kernels has none: lower every "
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
            if value is not None and value in self.buffers:
                operands.append(self.buffers[value])
                continue
            allocation = AllocOp([], [], cast("MemRefType[Attribute]", kind))
            if value is not None:
                allocation.memref.name_hint = value.name_hint
                self.buffers[value] = allocation.memref
            operands.append(allocation.memref)
            yield allocation
        call = CallOp(op.callee, operands, [])
        call.attributes |= op.attributes
        call.location = op.location
        yield call

    def _constant(self, contents: DenseIntOrFPElementsAttr, name: str | None) -> SSAValue:
        """The argument of a constant; one for all that are equal."""
        if contents not in self.constants:
            self.constants[contents] = self.arguments.add_constant(contents.type, contents, name or "constant")
        return self.constants[contents]


def _view(source: SSAValue, kind: MemRefType[Attribute]) -> ReinterpretCastOp:
    """The same bytes, as a buffer of another shape."""
    shape = list(kind.get_shape())
    strides = [1] * len(shape)
    for dim in range(len(shape) - 2, -1, -1):
        strides[dim] = strides[dim + 1] * shape[dim + 1]
    return ReinterpretCastOp.from_dynamic(source, [0], shape, strides, kind)
