"""A module made ready to be compiled: a copy with its hardware and its schedule in place."""

from __future__ import annotations

from pathlib import Path

from xdsl.dialects.builtin import ModuleOp, ShapedType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from vtac.analysis.locations import location_of
from vtac.analysis.nest import buffer_name
from vtac.analysis.sizes import byte_count, item_count, returned, total_bytes, values_under
from vtac.dialects.schedule.directives import ScriptOp
from vtac.errors import CompileError, JointCompileError
from vtac.limits import MEMORY, shown
from vtac.rewriting.edits import append, erase
from vtac.targets.registry import all_targets
from vtac.targets.target import HasScript, Reach, Target
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
    work = module.clone() if isinstance(module, ModuleOp) else parse(module)
    _refuse_branches(work)
    refuse_beyond_reach(work, target.reach)
    if config is None and schedule is not None and target.hardware.attribute not in work.attributes:
        config = getattr(schedule, "config", None)
    settle_hardware(work, target, config)
    if schedule is not None:
        attach_schedule(work, schedule)
    return work


def _refuse_branches(module: ModuleOp) -> None:
    """Raises `CompileError` for functions of several blocks, all of them at once."""
    branching = [op for op in module.walk() if isinstance(op, FuncOp) and len(op.body.blocks) > 1]
    refusals = [
        CompileError(
            f"function '{op.sym_name.data}' has {len(op.body.blocks)} blocks with branches between them; one block is "
            "required: write loops as linalg operations or scf.for",
            location_of(op),
        )
        for op in branching
    ]
    if len(refusals) > 1:
        raise JointCompileError(refusals)
    if refusals:
        raise refusals[0]


def refuse_beyond_reach(module: ModuleOp, reach: Reach | None) -> None:
    """Raises `CompileError` for values that programs of such a reach cannot address, or that take too much memory.

    The arguments and results of each function count together: they lie in memory at once.
    """
    for function in [op for op in module.walk() if isinstance(op, FuncOp) and op.body.blocks]:
        for value in values_under(function):
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
    owner = value.owner
    where = location_of(owner if isinstance(owner, Operation) else function)
    taken = byte_count(value.type)
    if reach is not None and reach.nbytes is not None and taken > reach.nbytes:
        raise CompileError(
            f"{_kind(value)} takes {shown(taken)} bytes; {reach.source} and reach {reach.nbytes:,} bytes", where
        )
    if reach is not None and reach.items is not None and item_count(value.type) > reach.items:
        raise CompileError(
            f"{_kind(value)} has {shown(item_count(value.type))} elements; {reach.source}: at most {reach.items:,}",
            where,
        )
    found = MEMORY.refusal(taken)
    if found:
        raise CompileError(f"{_kind(value)} takes {found}", where)


def _kind(value: SSAValue) -> str:
    """What a value is, for a message, whatever its extents."""
    shape = value.type.get_shape() if isinstance(value.type, ShapedType) else ()
    return f"'{buffer_name(value)}' of shape {'x'.join(map(shown, shape))}".replace(",", "")


def settle_hardware(module: ModuleOp, target: Target, given: object) -> None:
    """Write the hardware record given into a module, else its own, else the target's default.

    Raises `CompileError` for a record of another target and for one that contradicts the module's.
    """
    hardware = target.hardware
    if given is not None and not isinstance(given, hardware.record):
        shown = f"={given!r}" if isinstance(given, str) else f" is of type {type(given).__name__}"
        raise CompileError(f"config{shown} with target '{target.name}': {hardware.required}")
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


def target_of(record: object) -> Target:
    """The target whose hardware a record describes. Raises `CompileError` for a record of none."""
    targets = list(all_targets())
    for target in targets:
        if isinstance(record, target.hardware.record):
            return target
    known = ", ".join(f"{target.hardware.record.__name__} ({target.name})" for target in targets)
    raise CompileError(f"config={record!r} describes the hardware of no target; the records are {known}")


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
