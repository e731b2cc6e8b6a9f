"""From a module at the vta level to a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from math import prod
from typing import cast

import numpy as np
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerType, MemRefType, ModuleOp, StridedLayoutAttr
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.memref import AllocOp, GetGlobalOp, GlobalOp, ReinterpretCastOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.traits import SymbolTable

from vtac.analysis.kernel_shapes import micro_op_limit
from vtac.analysis.locations import location_of
from vtac.analysis.nest import buffer_name, element_type_of, memref_type_of, shape_of, strides_of
from vtac.analysis.target import config_of
from vtac.analysis.walks import operations_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.declared import CONSTANT, RESULT
from vtac.dialects.vta.declared import ARENA_OFFSET
from vtac.dialects.vta.memory import Load2DOp, Store2DOp
from vtac.dialects.vta.synchronisation import SyncOp
from vtac.errors import CompileError
from vtac.targets.vta.programs.arrays import items_of
from vtac.targets.vta.programs.call_work import work_at
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.provenance import KernelCall, Origin, StoredPart
from vtac.targets.vta.reach import REACH
from vtac.targets.vta.stream.dataflow import TokenPlan, plan_tokens
from vtac.targets.vta.stream.host_code import HostRun, issue
from vtac.targets.vta.stream.layout import Buffer, DType, Names, Role, place, place_shared
from vtac.targets.vta.stream.stream_builder import StreamBuilder
from vtac.targets.vta.stream.work import refuse_too_long


def build_program(module: ModuleOp, plan: TokenPlan = plan_tokens) -> Program:
    """The program of a module at the vta level; `plan` orders its instructions by tokens."""
    function = _entry(module)
    config = config_of(module)
    values, unplaced, constants = _buffers(module, function)
    buffers, uop_address = _placed(values, unplaced, config)
    refuse_too_long(function, config)
    addresses = {value: buffer.address for value, buffer in zip(values, buffers, strict=True)}
    _alias_globals(function, buffers, addresses)
    stream = StreamBuilder(config, uop_address, micro_op_limit(config), plan)
    run = issue(function, addresses, stream)
    micro_ops = stream.encoded_micro_ops()
    uop = Buffer("micro_ops", "uop", "uint32", (stream.micro_op_count,), uop_address)
    names = {value: buffer.name for value, buffer in zip(values, buffers, strict=True)}
    kernels = _kernels(function, names, run.calls)
    origins = _origins(stream, run)
    simulator_only = any(op.memory.data == "acc8" for op in operations_of(Load2DOp, module))
    placed = (*buffers, uop)
    return Program(
        config,
        stream.instructions(),
        micro_ops,
        placed,
        constants,
        origins,
        kernels,
        simulator_only,
        function.sym_name.data,
    )


def _kernels(function: FuncOp, names: Mapping[SSAValue, str], labels: Sequence[str]) -> tuple[KernelCall, ...]:
    """The kernels that a function calls, with the buffers they load from and store to."""
    calls = [op for op in function.body.block.ops if isinstance(op, CallOp)]
    found: list[KernelCall] = []
    for call, label in zip(calls, labels, strict=True):
        kernel = cast(FuncOp, SymbolTable.lookup_symbol(call, call.callee))
        reads = {op.buffer for op in operations_of(Load2DOp, kernel)}
        writes = {op.buffer for op in operations_of(Store2DOp, kernel)}
        given = list(zip(kernel.body.block.args, call.arguments, strict=True))
        written = [value for parameter, value in given if parameter in writes]
        parts = tuple(map(_part, written))
        found.append(
            KernelCall(
                label,
                tuple(names[_whole(value)] for parameter, value in given if parameter in reads),
                tuple(names[_whole(value)] for value in written),
                work_at(call),
                parts if any(part is not None for part in parts) else (),
            )
        )
    return tuple(found)


def _whole(buffer: SSAValue) -> SSAValue:
    """The buffer behind a view."""
    while isinstance(buffer.owner, ReinterpretCastOp):
        buffer = buffer.owner.source
    return buffer


def _part(buffer: SSAValue) -> StoredPart | None:
    """What a view is of its buffer; None where it is all of it."""
    view = buffer.owner
    if not isinstance(view, ReinterpretCastOp) or prod(shape_of(buffer)) == prod(shape_of(_whole(buffer))):
        return None
    (offset,) = view.static_offsets.get_values()
    return StoredPart(offset, tuple(view.static_sizes.get_values()), tuple(view.static_strides.get_values()))


def _origins(stream: StreamBuilder, run: HostRun) -> tuple[Origin, ...]:
    known: dict[tuple[int, int], Origin] = {}
    found: list[Origin] = []
    for source, count in stream.origins:
        if source not in known:
            call, site = source
            origin = run.sites[site]
            location = run.places[call].get(origin.location, origin.location) if call >= 0 else origin.location
            known[source] = Origin(origin.op, location, run.calls[call] if call >= 0 else "")
        found += repeat(known[source], count)
    return tuple(found)


def _placed(values: Sequence[SSAValue], buffers: Sequence[Buffer], config: VTAConfig) -> tuple[tuple[Buffer, ...], int]:
    """Buffers with their addresses, those that share an area behind the others; and the first free page."""
    offsets = [_offset(value) for value in values]
    own, end = place((b for b, at in zip(buffers, offsets, strict=True) if at is None), config.dram_alignment)
    shared = [(buffer, at) for buffer, at in zip(buffers, offsets, strict=True) if at is not None]
    together, end = place_shared(shared, end, config.dram_alignment)
    if REACH.nbytes is not None and end > REACH.nbytes:
        largest = max(buffers, key=lambda buffer: buffer.nbytes)
        raise CompileError(
            f"the program's buffers take {end:,} bytes of DRAM, the largest is '{largest.name}' with "
            f"{largest.nbytes:,}; {REACH.source} and reach {REACH.nbytes:,} bytes"
        )
    placed = {buffer.name: buffer for buffer in (*own, *together)}
    return tuple(placed[buffer.name] for buffer in buffers), end


def _offset(value: SSAValue) -> int | None:
    """Where an allocation was planned in the shared area; None for a buffer of its own."""
    owner = value.owner
    return ARENA_OFFSET.get(owner) if isinstance(owner, AllocOp) else None


def _entry(module: ModuleOp) -> FuncOp:
    """The one function with a body that no other calls."""
    called = {op.callee.string_value() for op in operations_of(CallOp, module)}
    functions = [
        op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks and op.sym_name.data not in called
    ]
    if len(functions) != 1:
        names = ", ".join(function.sym_name.data for function in functions) or "none"
        raise CompileError(f"a program is one function; the module has {len(functions)} ({names})", location_of(module))
    if not operations_of(SyncOp, functions[0]):
        raise CompileError(
            f"function '{functions[0].sym_name.data}' gives the VTA nothing to do", location_of(functions[0])
        )
    return functions[0]


def _stored_arguments(kernel: FuncOp) -> list[int]:
    """The numbers of the arguments that a kernel stores to."""
    writes = {op.buffer for op in operations_of(Store2DOp, kernel)}
    return [argument.index for argument in kernel.body.block.args if argument in writes]


def _stored_by_calls(function: FuncOp) -> set[SSAValue]:
    """The buffers that kernels store to."""
    numbers: dict[str, list[int]] = {}
    found: set[SSAValue] = set()
    for call in function.body.block.ops:
        if not isinstance(call, CallOp):
            continue
        name = call.callee.string_value()
        if name not in numbers:
            kernel = SymbolTable.lookup_symbol(call, call.callee)
            known = isinstance(kernel, FuncOp) and kernel.body.blocks
            numbers[name] = _stored_arguments(cast(FuncOp, kernel)) if known else []
        found.update(_whole(call.arguments[number]) for number in numbers[name])
    return found


def _buffers(module: ModuleOp, function: FuncOp) -> tuple[list[SSAValue], list[Buffer], dict[str, bytes]]:
    """Arguments, then results, then constants and scratch: values, buffers, contents."""
    written = {op.buffer for op in operations_of(Store2DOp, function)}
    read = {op.buffer for op in operations_of(Load2DOp, function)}
    stored = _stored_by_calls(function)
    values: list[SSAValue] = []
    buffers: list[Buffer] = []
    constants: dict[str, bytes] = {}
    names = Names(op.sym_name.data for op in module.ops if isinstance(op, GlobalOp))
    for position, argument in enumerate(function.body.block.args):
        contents = CONSTANT.of_argument(function, position)
        if contents is not None:
            values.append(argument)
            given: Role = "filled" if argument in stored else "constant"
            buffers.append(_buffer(argument, names.take(buffer_name(argument)), given, False, False))
            constants[buffers[-1].name] = _dense_bytes(contents, buffers[-1])
            continue
        tensor_result = RESULT.of_argument(function, position) is not None
        is_result = tensor_result or argument in written
        role: Role = "output" if is_result and (tensor_result or argument not in read) else "input"
        values.append(argument)
        buffers.append(_buffer(argument, names.take(buffer_name(argument)), role, not tensor_result, is_result))
    references = _references(function)
    for op in module.ops:
        if isinstance(op, GlobalOp):
            reference = references.get(op.sym_name.data)
            if reference is None:
                continue
            contents = op.initial_value
            if not isinstance(contents, DenseIntOrFPElementsAttr):
                raise CompileError(f"global '{op.sym_name.data}' has no contents", location_of(op))
            buffer = _buffer(reference, op.sym_name.data, "constant", False, False)
            values.append(reference)
            buffers.append(buffer)
            constants[buffer.name] = _dense_bytes(contents, buffer)
    for op in operations_of(AllocOp, function):
        values.append(op.memref)
        buffers.append(_buffer(op.memref, names.take(buffer_name(op.memref)), "scratch", False, False))
    return values, buffers, constants


def _references(function: FuncOp) -> dict[str, SSAValue]:
    """The first reference to each constant, by its name."""
    return {op.name_.string_value(): op.memref for op in reversed(operations_of(GetGlobalOp, function))}


def _alias_globals(function: FuncOp, buffers: Sequence[Buffer], addresses: dict[SSAValue, int]) -> None:
    """Every reference to one constant has the constant's address."""
    known = {buffer.name: buffer.address for buffer in buffers if buffer.role == "constant"}
    for op in operations_of(GetGlobalOp, function):
        addresses[op.memref] = known[op.name_.string_value()]


def _dense_bytes(contents: DenseIntOrFPElementsAttr, buffer: Buffer) -> bytes:
    """What a buffer of given contents holds, zeros in its gaps."""
    items = np.frombuffer(contents.data.data, buffer.dtype)
    image = np.zeros(buffer.nbytes, np.uint8)
    items_of(image, replace(buffer, address=0))[...] = items if items.size == 1 else items.reshape(buffer.shape)
    return image.tobytes()


def _buffer(value: SSAValue, name: str, role: Role, is_argument: bool, is_result: bool) -> Buffer:
    found: Attribute = value.type
    element: Attribute = element_type_of(value) if isinstance(found, MemRefType) else found
    if not isinstance(element, IntegerType):
        owner = value.owner
        where = location_of(owner) if isinstance(owner, Operation) else ""
        raise CompileError(f"'{name}' is {found}; the VTA works on integer memrefs", where)
    widths: dict[int, DType] = {8: "int8", 16: "int16", 32: "int32", 64: "int64"}
    width: int = cast(IntegerType, element).width.data
    if width not in widths:
        raise CompileError(f"'{name}' is {found}; integers of 8, 16, 32 or 64 bits are supported")
    is_part = isinstance(memref_type_of(value).layout, StridedLayoutAttr)
    strides = strides_of(value) if is_part else ()
    return Buffer(name, role, widths[width], shape_of(value), 0, is_argument, is_result, strides)
