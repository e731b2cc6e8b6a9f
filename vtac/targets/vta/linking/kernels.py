"""Device functions lowered to the vta dialect, each with the default schedule or the simple one."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from vtac.analysis.locations import location_of
from vtac.analysis.target import allows_acc_8bit, config_of, copy_target
from vtac.dialects.schedule.directives import ScriptOp
from vtac.errors import CompileError, VtacError
from vtac.pipelines import Runner
from vtac.schedule import Schedule
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.proof import Finding, check
from vtac.targets.vta.schedules import default_schedule, lower_by_default
from vtac.targets.vta.schedules.simple import simple_schedule
from vtac.targets.vta.stream.build import build_program
from vtac.text.context import make_context

SIMPLY = "scheduled one tile after the other"


def alone(device: FuncOp, module: ModuleOp) -> ModuleOp:
    """A device function in a module of its own, for the same configuration."""
    found = ModuleOp([device.clone()])
    copy_target(module, found)
    return found


def scheduled(device: FuncOp, module: ModuleOp) -> Schedule:
    """The schedule that a device function gets: the default one, else the simple one."""
    source = alone(device, module)
    try:
        return default_schedule(source, config_of(module))
    except CompileError:
        return simple_schedule(source, config_of(module))


@dataclass(frozen=True)
class Lowered:
    """A device function at the vta level; `note` says why it has another schedule than the default one, if so."""

    module: ModuleOp
    note: str | None = None


def lowered(device: FuncOp, module: ModuleOp) -> Lowered:
    """A device function by the script for it, by the default schedule, else by the simple one.

    Raises `CompileError` with what speaks against each when none fits.
    """
    source = alone(device, module)
    script = _script_of(device, module)
    if script is not None:
        return Lowered(_lower(source, script.clone()))
    try:
        return Lowered(lower_by_default(source, config_of(module)))
    except CompileError as refusal:
        return _lowered_instead(device, module, refusal)


def _lowered_instead(device: FuncOp, module: ModuleOp, refusal: CompileError) -> Lowered:
    try:
        return Lowered(lowered_simply(device, module), f"{SIMPLY}, as the default schedule is refused ({refusal})")
    except VtacError as error:
        raise CompileError(
            f"device function '{device.sym_name.data}' cannot be scheduled: the default schedule is refused "
            f"({refusal}), and so is one tile after the other ({error})",
            location_of(device),
        ) from None


def lowered_simply(device: FuncOp, module: ModuleOp) -> ModuleOp:
    """A device function at the vta level, one tile of its result after the other; refused where a script is given."""
    script = _script_of(device, module)
    if script is not None:
        raise CompileError(
            f"the program of device function '{device.sym_name.data}' under the schedule given for it is not proven "
            "safe: change the schedule, or drop it for the default one",
            location_of(script),
        )
    source = alone(device, module)
    return _lower(source, simple_schedule(source, config_of(module)).script)


def _script_of(device: FuncOp, module: ModuleOp) -> ScriptOp | None:
    scripts = [op for op in module.ops if isinstance(op, ScriptOp) and op.target.data == device.sym_name.data]
    return scripts[0] if scripts else None


def compiled(device: FuncOp, module: ModuleOp) -> tuple[Program, str | None]:
    """A program of a device function that is proven safe; and why it has not the default schedule, if so."""
    found = lowered(device, module)
    program = build_program(found.module)
    findings = check(program, acc_8bit=allows_acc_8bit(module))
    if not findings:
        return program, found.note
    return build_program(lowered_simply(device, module)), unsafe_note(findings[0])


def unsafe_note(finding: Finding) -> str:
    """What is said of a kernel whose default schedule is not proven safe."""
    return f"{SIMPLY}, as the default is not proven safe ({finding})"


def _lower(source: ModuleOp, script: ScriptOp) -> ModuleOp:
    work = source.clone()
    work.body.block.add_op(script)
    Runner(make_context()).run_phases(VTA_PIPELINE.phases, work)
    return work
