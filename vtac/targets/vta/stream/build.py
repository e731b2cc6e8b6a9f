"""From a module at the vta level to a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from math import prod

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.memref import AllocOp, ReinterpretCastOp
from xdsl.ir import SSAValue

from vtac.analysis.ir.branches import refuse_branches
from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.target import config_of
from vtac.analysis.ir.walks import operations_of
from vtac.analysis.nests.nest import shape_of
from vtac.analysis.vta.kernel_shapes import micro_op_limit
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.vta.declared import ARENA_OFFSET
from vtac.dialects.vta.memory import Load2DOp
from vtac.dialects.vta.synchronisation import DepPopOp, DepPushOp, SyncOp
from vtac.errors import CompileError
from vtac.targets.vta.programs.call_work import work_at
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.provenance import KernelCall, Origin, StoredPart
from vtac.targets.vta.reach import REACH
from vtac.targets.vta.stream.buffers import Touched, alias_globals, buffers_of, called_kernel, whole
from vtac.targets.vta.stream.dataflow import TokenPlan, plan_tokens
from vtac.targets.vta.stream.host_code import issue
from vtac.targets.vta.stream.host_run import HostRun, naming_places
from vtac.targets.vta.stream.layout import Buffer, place, place_shared
from vtac.targets.vta.stream.stream_builder import StreamBuilder
from vtac.targets.vta.stream.work import refuse_too_long


def build_program(module: ModuleOp, plan: TokenPlan = plan_tokens) -> Program:
    """The program of a module at the vta level; `plan` orders its instructions by tokens."""
    function = _entry(module)
    config = config_of(module)
    values, unplaced, constants = buffers_of(module, function)
    buffers, uop_address = _placed(values, unplaced, config)
    refuse_too_long(function, config)
    addresses = {value: buffer.address for value, buffer in zip(values, buffers, strict=True)}
    alias_globals(function, buffers, addresses)
    stream = StreamBuilder(config, uop_address, micro_op_limit(config), plan)
    run = HostRun()
    with naming_places(run, stream):
        issue(function, addresses, stream, run)
        _refuse_second_end(stream, run)
        instructions, micro_ops = stream.instructions(), stream.encoded_micro_ops()
    uop = Buffer("micro_ops", "uop", "uint32", (stream.micro_op_count,), uop_address)
    names = {value: buffer.name for value, buffer in zip(values, buffers, strict=True)}
    kernels = _kernels(function, names, run.calls)
    origins = _origins(stream, run)
    simulator_only = any(op.memory.data == "acc8" for op in operations_of(Load2DOp, module))
    placed = (*buffers, uop)
    return Program(
        config,
        instructions,
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
    found: list[KernelCall] = []
    for call, label in zip(operations_of(CallOp, function), labels, strict=True):
        kernel = called_kernel(call)
        if kernel is None:
            continue
        touched = Touched.directly(kernel)
        given = list(zip(kernel.body.block.args, call.arguments, strict=True))
        written = [value for parameter, value in given if parameter in touched.written]
        parts = tuple(map(_part, written))
        found.append(
            KernelCall(
                label,
                tuple(names[whole(value)] for parameter, value in given if parameter in touched.read),
                tuple(names[whole(value)] for value in written),
                work_at(call),
                parts if any(part is not None for part in parts) else (),
            )
        )
    return tuple(found)


def _part(buffer: SSAValue) -> StoredPart | None:
    """What a view is of its buffer; None where it is all of it."""
    view = buffer.owner
    if not isinstance(view, ReinterpretCastOp) or prod(shape_of(buffer)) == prod(shape_of(whole(buffer))):
        return None
    (offset,) = view.static_offsets.get_values()
    return StoredPart(offset, tuple(view.static_sizes.get_values()), tuple(view.static_strides.get_values()))


def _origins(stream: StreamBuilder, run: HostRun) -> tuple[Origin, ...]:
    known: dict[tuple[int, int], Origin] = {}
    found: list[Origin] = []
    for source, count in stream.origins:
        if source not in known:
            known[source] = run.origin_of(*source)
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
    refuse_branches(module)
    calls = operations_of(CallOp, module)
    called = {op.callee.string_value() for op in calls}
    functions = [
        op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks and op.sym_name.data not in called
    ]
    if len(functions) != 1:
        names = ", ".join(function.sym_name.data for function in functions) or "none"
        raise CompileError(f"a program is one function; the module has {len(functions)} ({names})", location_of(module))
    (function,) = functions
    _refuse_calls_of_kernels(module, function)
    if not operations_of(SyncOp, function):
        is_for_vta = calls or any(op.name.startswith("vta.") for op in function.walk())
        found = "does not wait for the VTA: end it with vta.sync" if is_for_vta else "gives the VTA nothing to do"
        raise CompileError(f"function '{function.sym_name.data}' {found}", location_of(function))
    _refuse_tokens(module)
    return function


def _refuse_tokens(module: ModuleOp) -> None:
    """Raises `CompileError` for tokens by hand in a program whose tokens follow the data."""
    follow = any(op.dataflow is not None for op in operations_of(SyncOp, module))
    token = next((op for kind in (DepPushOp, DepPopOp) for op in operations_of(kind, module)), None) if follow else None
    if token is not None:
        raise CompileError(
            f"'{token.name}' stands in a program that ends with vta.sync dataflow, which places all tokens itself: "
            "remove it, or end with vta.sync",
            location_of(token),
        )


def _refuse_calls_of_kernels(module: ModuleOp, function: FuncOp) -> None:
    """Raises `CompileError` for a call in another function than the one that is the program."""
    for kernel in operations_of(FuncOp, module):
        call = next(iter(operations_of(CallOp, kernel)), None)
        if call is not None and kernel is not function:
            raise CompileError(
                f"kernel '{kernel.sym_name.data}' calls '{call.callee.string_value()}'; a kernel calls no other: write "
                "the operations in place of the call",
                location_of(call),
            )


def _refuse_second_end(stream: StreamBuilder, run: HostRun) -> None:
    """Raises `CompileError` for what is issued behind the instruction that ends a stream."""
    origin = stream.behind_end()
    if origin is not None:
        found = run.origin_of(*origin)
        raise CompileError(
            f"'{found.op}' comes behind a vta.sync, which ends the program: one vta.sync is required, which runs last "
            "and once",
            found.location,
        )
