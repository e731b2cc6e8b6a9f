"""A module made ready to be compiled: a copy with its hardware and its schedule in place."""

from __future__ import annotations

from pathlib import Path

from xdsl.dialects.builtin import ModuleOp, ShapedType
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.traits import SymbolTable

from vtac.analysis.ir.branches import refuse_branches
from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.lowered import lowered_operation
from vtac.analysis.ir.walks import operations_of
from vtac.analysis.nests.nest import buffer_name, scope_of
from vtac.analysis.nests.stage import stage_of
from vtac.analysis.types.sizes import (
    MAX_PROGRAM_RANK,
    MAX_RANK,
    byte_count,
    item_count,
    rank_of,
    returned,
    total_bytes,
    values_under,
)
from vtac.dialects.packing.declared import DEVICE, PROGRAM
from vtac.dialects.schedule.script import ScriptOp
from vtac.errors import CompileError, ConfigError
from vtac.limits import MEMORY, shown
from vtac.passes.linalg.inline_calls import InlineCalls
from vtac.rewriting.copies import copy_of
from vtac.rewriting.edits import append, erase
from vtac.targets.registry import all_targets
from vtac.targets.target import HasScript, Reach, Target
from vtac.text.context import make_context
from vtac.text.source import parse


def prepare(
    module: ModuleOp | str | Path,
    target: Target,
    config: object = None,
    schedule: HasScript | ModuleOp | str | Path | None = None,
) -> ModuleOp:
    """A copy of a module with the target's hardware record and a schedule in place.

    `config=None` takes the module's record, else the one that the schedule was made for, else
    the target's default. Raises `CompileError` for one that contradicts the module's.
    """
    work = _copied(module)
    refuse_branches(work)
    if target.inlines_calls:
        _inline_calls(work)
    _refuse_later_stages(work)
    refuse_beyond_reach(work, target.reach)
    planned = getattr(schedule, "config", None)
    if config is None and target.hardware.attribute not in work.attributes:
        config = planned
    settle_hardware(work, target, config)
    if planned is not None:
        _refuse_other_plan(work, target, planned)
    if schedule is not None:
        attach_schedule(work, schedule)
    return work


def _inline_calls(module: ModuleOp) -> None:
    """Let no function on tensors call another. Raises `CompileError` for recursion."""
    bodies = [op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks]
    if len(bodies) > 1 and all(stage_of(function) is None for function in bodies):
        InlineCalls().apply(make_context(), module)


def _refuse_other_plan(module: ModuleOp, target: Target, planned: object) -> None:
    """Raises `CompileError` where a schedule was made for other hardware than the module is compiled for."""
    hardware, settled = target.hardware, target.hardware.read(module)
    if settled is None or not isinstance(planned, type(settled)) or planned == settled:
        return
    here, there = hardware.difference(planned, settled)
    raise CompileError(
        f"the schedule was made for a {hardware.noun} that {here}, the one compiled for {there}: give Schedule and "
        "compile the same one",
        location_of(module),
    )


def _copied(module: object) -> ModuleOp:
    """A copy of a module, or what a file or a text says."""
    if isinstance(module, ModuleOp):
        return copy_of(module)
    if isinstance(module, str | Path):
        return parse(module)
    what = f"a {type(module).__name__}"
    if hasattr(module, "quantize"):
        raise CompileError(f"{what} computes with floats: quantise it first, with model.quantize(samples).compile()")
    if hasattr(module, "simulate"):
        raise CompileError(f"{what} is compiled by its own method, quantised.compile()")
    raise CompileError(f"{what} cannot be compiled; a module, the path of a file or a text is required")


def _refuse_later_stages(module: ModuleOp) -> None:
    """Raises `CompileError` for IR past packing, or from within a pipeline, and for functions that call others."""
    functions = [op for op in operations_of(FuncOp, module) if op.body.blocks]
    packed = next((op for op in functions if DEVICE.is_on(op) or PROGRAM.is_on(op)), None)
    if packed is not None:
        raise CompileError(
            f"'{packed.sym_name.data}' was made by packing, which compiling starts with: give the program from before "
            "it; vtac.evaluate executes this one",
            location_of(packed),
        )
    for function in functions:
        name = function.sym_name.data
        stage = stage_of(function)
        if stage is not None and not stage.is_whole:
            raise CompileError(f"cannot compile '{name}': {stage.whereabouts}", location_of(stage.op))
        lowered = lowered_operation(function) if stage is None else None
        if lowered is not None:
            raise CompileError(
                f"'{name}' is lowered too far to be compiled, to '{lowered.name}': give the program from before "
                "bufferisation and loops, of linalg on tensors; vtac.evaluate executes this one",
                location_of(lowered),
            )
        call = next(iter(operations_of(CallOp, function)), None) if stage is None else None
        if call is not None and not _calls_lowered(call, module):
            raise CompileError(
                f"'{name}' calls '{call.callee.string_value()}'; a program is one function that calls no other: write "
                "the operations in place of the call",
                location_of(call),
            )


def _calls_lowered(call: CallOp, module: ModuleOp) -> bool:
    """Whether a call is that of a kernel which is lowered already."""
    callee = SymbolTable.lookup_symbol(module, call.callee)
    return isinstance(callee, FuncOp) and bool(callee.body.blocks) and stage_of(callee) is not None


def refuse_several_functions(module: ModuleOp) -> None:
    """Raises `CompileError` unless a module has one function with a body that no other calls."""
    called = {op.callee.string_value() for op in operations_of(CallOp, module)}
    names = [
        op.sym_name.data
        for op in module.ops
        if isinstance(op, FuncOp) and op.body.blocks and op.sym_name.data not in called
    ]
    if len(names) != 1:
        first = module.body.block.first_op
        where = location_of(module) or (location_of(first) if first is not None else "")
        found = f"{len(names)} ({', '.join(names)})" if names else "none with a body"
        raise CompileError(f"a program is one function; the module has {found}", where)


def refuse_beyond_reach(module: ModuleOp, reach: Reach | None) -> None:
    """Raises `CompileError` for values that programs of such a reach cannot address, or that take too much memory.

    The arguments and results of each function count together: they lie in memory at once.
    """
    for function in [op for op in operations_of(FuncOp, module) if op.body.blocks]:
        for value in values_under(function):
            if isinstance(value.type, ShapedType):
                _refuse_value(value, function, reach)
        outside = [*function.body.block.args, *returned(function)]
        together = total_bytes(dict.fromkeys(outside))
        if reach is not None and reach.nbytes is not None and together > reach.nbytes:
            raise CompileError(
                f"the arguments and results of '{function.sym_name.data}' take {shown(together)} bytes; "
                f"{reach.source} and reach {reach.nbytes:,} bytes",
                location_of(function),
            )


def _refuse_value(value: SSAValue, function: FuncOp, reach: Reach | None) -> None:
    refused = _why_refused(value, reach)
    if refused:
        owner = value.owner
        raise CompileError(refused, location_of(owner if isinstance(owner, Operation) else function))


def _why_refused(value: SSAValue, reach: Reach | None) -> str:
    if rank_of(value.type) > MAX_PROGRAM_RANK:
        return (
            f"'{buffer_name(value)}' has {rank_of(value.type)} dimensions; {MAX_PROGRAM_RANK} leave room for tiles in "
            f"arrays of numpy, which have at most {MAX_RANK}"
        )
    scope_of(value)
    taken = byte_count(value.type)
    if reach is not None and reach.nbytes is not None and taken > reach.nbytes:
        return f"{_kind(value)} takes {shown(taken)} bytes; {reach.source} and reach {reach.nbytes:,} bytes"
    if reach is not None and reach.items is not None and item_count(value.type) > reach.items:
        return f"{_kind(value)} has {shown(item_count(value.type))} elements; {reach.source}: at most {reach.items:,}"
    found = MEMORY.refusal(taken)
    return f"{_kind(value)} takes {found}" if found else ""


def _kind(value: SSAValue) -> str:
    """What a value is, for a message, whatever its extents."""
    shape = value.type.get_shape() if isinstance(value.type, ShapedType) else ()
    return f"'{buffer_name(value)}' of shape {'x'.join(map(shown, shape))}".replace(",", "")


def settle_hardware(module: ModuleOp, target: Target, given: object) -> None:
    """Write the hardware record given into a module, else its own, else the target's default.

    A string or a path names a record, as the target's option on the command line does. Raises `CompileError`
    for a record of another target and for one that contradicts the module's.
    """
    hardware = target.hardware
    given = _record(target, given)
    own = hardware.read(module)
    if own is not None and given is not None and own != given:
        here, there = hardware.difference(own, given)
        raise CompileError(
            f"the module's {hardware.attribute} {here}, the {hardware.noun} given {there}: drop one of the two",
            location_of(module),
        )
    settled = given if own is None else own
    if settled is None and hardware.default is not None:
        settled = hardware.default()
    if settled is not None:
        hardware.write(module, settled)


def hardware_described(given: object) -> tuple[Target, object]:
    """The target whose hardware a record, or what names one as on the command line, describes, and the record.

    Raises `CompileError` for what describes the hardware of no target.
    """
    targets = list(all_targets())
    problems: list[str] = []
    for target in targets:
        if isinstance(given, target.hardware.record):
            return target, given
        if isinstance(given, str | Path):
            try:
                return target, target.hardware.parse(str(given))
            except ConfigError as error:
                problems.append(f"{target.name}: {error}")
    known = ", ".join(f"{target.hardware.record.__name__} ({target.name})" for target in targets)
    why = f"; {'; '.join(problems)}" if problems else ""
    raise CompileError(f"config={_spelled(given)} describes the hardware of no target; the records are {known}{why}")


def _record(target: Target, given: object) -> object:
    """The record given, or the one that a string or path names. Raises `CompileError` for anything else."""
    hardware = target.hardware
    if given is None or isinstance(given, hardware.record):
        return given
    if isinstance(given, str | Path):
        try:
            return hardware.parse(str(given))
        except ConfigError as error:
            raise CompileError(
                f"config={_spelled(given)} with target '{target.name}': {hardware.required}: {error}"
            ) from None
    raise CompileError(f"config is of type {type(given).__name__} with target '{target.name}': {hardware.required}")


def _spelled(given: object) -> str:
    return repr(str(given) if isinstance(given, Path) else given)


def stated_hardware(module: ModuleOp) -> object:
    """The hardware record that a module states, of whichever target; None when it states none."""
    for target in all_targets() if module.attributes else ():
        if target.hardware.attribute in module.attributes:
            return target.hardware.read(module)
    return None


def attach_schedule(module: ModuleOp, schedule: HasScript | ModuleOp | str | Path) -> None:
    """Put the scripts of a schedule into a module in place of its own. Raises `CompileError` when it holds none."""
    drop_scripts(module)
    for script in _scripts(schedule):
        append(script, module.body.block)


def drop_scripts(module: ModuleOp) -> None:
    """Take the scripts out of a module."""
    for own in scripts_of(module):
        erase(own)


def scripts_of(module: ModuleOp) -> list[ScriptOp]:
    """The scripts of a module."""
    return [op for op in module.ops if isinstance(op, ScriptOp)]


def _scripts(schedule: HasScript | ModuleOp | str | Path) -> list[ScriptOp]:
    if not isinstance(schedule, ModuleOp | str | Path):
        return [schedule.script]
    source = schedule if isinstance(schedule, ModuleOp) else parse(schedule)
    scripts = [op.clone() for op in scripts_of(source)]
    if not scripts:
        raise CompileError("the schedule holds no schedule.script", location_of(source))
    return scripts
