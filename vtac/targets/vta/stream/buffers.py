"""The buffers in DRAM of a function at the vta level: what they are for, and what they hold before a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    IntAttr,
    IntegerType,
    MemRefType,
    ModuleOp,
    NoneAttr,
    StridedLayoutAttr,
)
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.memref import AllocOp, GetGlobalOp, GlobalOp, ReinterpretCastOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.traits import SymbolTable

from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.walks import operations_of
from vtac.analysis.nests.nest import buffer_name, element_type_of, memref_type_of, scope_of, shape_of
from vtac.dialects.schedule.declared import CONSTANT, RESULT
from vtac.dialects.scopes import GLOBAL
from vtac.dialects.vta.memory import Load2DOp, Store2DOp
from vtac.errors import CompileError
from vtac.targets.vta.programs.arrays import items_of
from vtac.targets.vta.stream.layout import Buffer, DType, Names, Role

_WIDTHS: dict[int, DType] = {8: "int8", 16: "int16", 32: "int32", 64: "int64"}


@dataclass(frozen=True)
class Touched:
    """The buffers that a function loads from and those that it stores to; of a view, the buffer behind it."""

    read: set[SSAValue] = field(default_factory=set[SSAValue])
    written: set[SSAValue] = field(default_factory=set[SSAValue])

    @staticmethod
    def of(function: FuncOp) -> Touched:
        """Those of a function's own transfers, and of the kernels that it calls."""
        found = Touched.directly(function)
        kernels: dict[str, Touched] = {}
        for call in operations_of(CallOp, function):
            name, kernel = call.callee.string_value(), called_kernel(call)
            if kernel is None:
                continue
            if name not in kernels:
                kernels[name] = Touched.directly(kernel)
            for parameter, value in zip(kernel.body.block.args, call.arguments, strict=True):
                if parameter in kernels[name].read:
                    found.read.add(whole(value))
                if parameter in kernels[name].written:
                    found.written.add(whole(value))
        return found

    @staticmethod
    def directly(function: FuncOp) -> Touched:
        """Those of a function's own transfers alone."""
        return Touched(
            {whole(op.buffer) for op in operations_of(Load2DOp, function)},
            {whole(op.buffer) for op in operations_of(Store2DOp, function)},
        )


def called_kernel(call: CallOp) -> FuncOp | None:
    """The function that a call names, where it has a body."""
    found = SymbolTable.lookup_symbol(call, call.callee)
    return found if isinstance(found, FuncOp) and found.body.blocks else None


def whole(buffer: SSAValue) -> SSAValue:
    """The buffer behind a view."""
    while isinstance(buffer.owner, ReinterpretCastOp):
        buffer = buffer.owner.source
    return buffer


def buffers_of(module: ModuleOp, function: FuncOp) -> tuple[list[SSAValue], list[Buffer], dict[str, bytes]]:
    """Arguments, then results, then constants and scratch: values, buffers, contents.

    Raises `CompileError` for what is no buffer in DRAM of a fixed number of integers.
    """
    touched = Touched.of(function)
    returned = touched.written
    if any(RESULT.of_argument(function, n) is not None for n in range(len(function.body.block.args))):
        returned = Touched.directly(function).written  # of what kernels store, the marked arguments are results
    values: list[SSAValue] = []
    buffers: list[Buffer] = []
    constants: dict[str, bytes] = {}
    names = Names(op.sym_name.data for op in module.ops if isinstance(op, GlobalOp))
    for position, argument in enumerate(function.body.block.args):
        values.append(argument)
        contents = CONSTANT.of_argument(function, position)
        name = names.take(buffer_name(argument))
        if contents is not None:
            given: Role = "filled" if argument in touched.written else "constant"
            buffers.append(_buffer(argument, name, given))
            constants[name] = _dense_bytes(contents, buffers[-1])
            continue
        tensor_result = RESULT.of_argument(function, position) is not None
        is_result = tensor_result or argument in returned
        role: Role = "output" if is_result and (tensor_result or argument not in touched.read) else "input"
        buffers.append(_buffer(argument, name, role, is_argument=not tensor_result, is_result=is_result))
    for reference, op in _globals(module, function):
        contents = op.initial_value
        if not isinstance(contents, DenseIntOrFPElementsAttr):
            raise CompileError(f"global '{op.sym_name.data}' has no contents", location_of(op))
        values.append(reference)
        buffers.append(_buffer(reference, op.sym_name.data, "constant"))
        constants[buffers[-1].name] = _dense_bytes(contents, buffers[-1])
    for op in operations_of(AllocOp, function):
        values.append(op.memref)
        buffers.append(_buffer(op.memref, names.take(buffer_name(op.memref)), "scratch"))
    return values, buffers, constants


def _globals(module: ModuleOp, function: FuncOp) -> Iterable[tuple[SSAValue, GlobalOp]]:
    """The constants that a function refers to, in the module's order, each with the first reference."""
    first = {op.name_.string_value(): op.memref for op in reversed(operations_of(GetGlobalOp, function))}
    globals_ = [op for op in module.ops if isinstance(op, GlobalOp)]
    return [(first[op.sym_name.data], op) for op in globals_ if op.sym_name.data in first]


def alias_globals(function: FuncOp, buffers: Sequence[Buffer], addresses: dict[SSAValue, int]) -> None:
    """Every reference to one constant has the constant's address. Raises `CompileError` for one to nothing."""
    known = {buffer.name: buffer.address for buffer in buffers if buffer.role == "constant"}
    for op in operations_of(GetGlobalOp, function):
        name = op.name_.string_value()
        if name not in known:
            raise CompileError(f"'{op.name}' names @{name}, which is no memref.global of the module", location_of(op))
        addresses[op.memref] = known[name]


def _dense_bytes(contents: DenseIntOrFPElementsAttr, buffer: Buffer) -> bytes:
    """What a buffer of given contents holds, zeros in its gaps."""
    items = np.frombuffer(contents.data.data, buffer.dtype)
    image = np.zeros(buffer.nbytes, np.uint8)
    items_of(image, replace(buffer, address=0))[...] = items if items.size == 1 else items.reshape(buffer.shape)
    return image.tobytes()


def _buffer(value: SSAValue, name: str, role: Role, *, is_argument: bool = False, is_result: bool = False) -> Buffer:
    owner = value.owner
    where = location_of(owner if isinstance(owner, Operation) else owner.parent_op())
    dtype = _dtype(value, name, where)
    if any(extent < 0 for extent in shape_of(value)):
        raise CompileError(f"'{name}' is {value.type}; buffers in DRAM have extents that are known: state them", where)
    if scope_of(value) != GLOBAL:
        raise CompileError(
            f"'{name}' is {value.type}, on the chip; a buffer that transfers and calls name lies in DRAM: give it no "
            "memory space, and tiles on the chip by their number",
            where,
        )
    return Buffer(name, role, dtype, shape_of(value), 0, is_argument, is_result, _strides(value, name, where))


def _strides(value: SSAValue, name: str, where: str) -> tuple[int, ...]:
    """Items between neighbours in each dimension; none for a buffer whose items lie one behind the other."""
    layout = memref_type_of(value).layout
    if isinstance(layout, NoneAttr):
        return ()
    found = layout.strides if isinstance(layout, StridedLayoutAttr) else ()
    strides = [stride.data for stride in found if isinstance(stride, IntAttr)]
    if len(strides) != len(shape_of(value)) or min(strides, default=0) < 0:
        raise CompileError(f"'{name}' is {value.type}; strides that are known and not negative are required", where)
    return tuple(strides)


def _dtype(value: SSAValue, name: str, where: str) -> DType:
    found: Attribute = value.type
    element: Attribute = element_type_of(value) if isinstance(found, MemRefType) else found
    if not isinstance(found, MemRefType) or not isinstance(element, IntegerType):
        raise CompileError(f"'{name}' is {found}; the VTA works on integer memrefs", where)
    width: int = cast(IntegerType, element).width.data
    if width not in _WIDTHS:
        raise CompileError(f"'{name}' is {found}; integers of 8, 16, 32 or 64 bits are supported", where)
    return _WIDTHS[width]
