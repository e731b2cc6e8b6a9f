"""schedule-device-functions: a script for each device function that has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint

from vtac.analysis.device_functions import calls_of, device_functions
from vtac.analysis.locations import location_of
from vtac.analysis.target import config_of
from vtac.dialects.packing.declared import layer_name
from vtac.dialects.schedule.script import ScriptOp
from vtac.dialects.vta.declared import WORK
from vtac.errors import CompileError, NoDefaultScheduleError, TilingError, VtacError
from vtac.passes.vta.isolate_device_functions import function_in, isolated
from vtac.preparation import refuse_beyond_reach
from vtac.rewriting.choices import note_choice
from vtac.rewriting.copies import copy_of
from vtac.rewriting.edits import insert_ops
from vtac.schedule import Schedule, TrialSchedule
from vtac.targets.vta.compilation import CompilationContext, compilation_of
from vtac.targets.vta.reach import REACH
from vtac.targets.vta.schedules.defaults import lowering_of
from vtac.targets.vta.schedules.kernel_lowering import work_in
from vtac.targets.vta.schedules.known_tilings import KnownTilings
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.lowering import Lowering
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.schedules.simple import simple_lowering

SIMPLY = "scheduled one tile after the other"


def _take_known(device: FuncOp, module: ModuleOp, compilation: CompilationContext) -> bool:
    """Give a device function the script that one of its form has been lowered by; False where there is none."""
    found = None if compilation.kernels is None else compilation.kernels.find(device, module)
    if found is None:
        return False
    work, lowering = found
    _note_work(device, work, module)
    compilation.lowerings.keep(copy_of(device), lowering)
    insert_ops(copy_of(lowering.script), InsertPoint.at_end(module.body.block))
    return True


def _schedule(device: FuncOp, module: ModuleOp, compilation: CompilationContext, *, needs_script: bool) -> None:
    """Note what a device function takes at least, and write its script."""
    source = isolated(device, module)
    schedule = TrialSchedule(source)
    layers = _layers(schedule)
    if not isinstance(layers, NoDefaultScheduleError):
        _note_work(device, work_in(layers, config_of(module)), module)
    if not needs_script:
        return
    script = compilation.scripts.get(device.sym_name.data)
    if script is None:
        lowering = _lowering(schedule, layers, source, device, module, compilation.tilings)
        compilation.lowerings.keep(function_in(source), lowering)
        script = lowering.script
    insert_ops(copy_of(script), InsertPoint.at_end(module.body.block))


def _layers(schedule: Schedule) -> list[Layer] | NoDefaultScheduleError:
    """The layers of a schedule's function, or what speaks against it."""
    try:
        return layers_of(schedule)
    except NoDefaultScheduleError as refusal:
        return refusal


def _note_work(device: FuncOp, work: Mapping[str, int], module: ModuleOp) -> None:
    """Write what a device function takes at least at its calls."""
    for call in calls_of(module, {device.sym_name.data}) if work else ():
        WORK.set(call, dict(work))


def schedule_simply(device: FuncOp, module: ModuleOp, reason: str) -> ModuleOp:
    """A device function at the vta level, one tile of its result after the other; its call says why."""
    source = isolated(device, module)
    lowering = simple_lowering(source, config_of(source))
    note_choice(module, device.sym_name.data, f"{SIMPLY}, as {reason}")
    return lowering.module


def _given_scripts(module: ModuleOp, devices: Sequence[FuncOp]) -> set[str]:
    """The device functions that have scripts. Raises `CompileError` for a script of anything else."""
    names = [device.sym_name.data for device in devices]
    scripts = [op for op in module.ops if isinstance(op, ScriptOp)]
    for script in scripts:
        if script.target.data not in names:
            raise CompileError(
                f"no device function '{script.target.data}' to schedule; this program has {', '.join(names)}: "
                "vtac schedule prints their scripts",
                location_of(script),
            )
    return {script.target.data for script in scripts}


def _layer_of(device: FuncOp, module: ModuleOp) -> str:
    """What reports call the first call of a device function; its own name where nothing calls it."""
    calls = calls_of(module, {device.sym_name.data})
    return layer_name(calls[0]) if calls else device.sym_name.data


def _lowering(
    schedule: Schedule,
    layers: list[Layer] | NoDefaultScheduleError,
    source: ModuleOp,
    device: FuncOp,
    module: ModuleOp,
    kept: KnownTilings | None,
) -> Lowering:
    """A device function, isolated in `source`, under the default schedule, else the simple one.

    `schedule` is one of it without directives, which is used up. This is the one place where another
    schedule takes the default one's: where none is for the function, or its tiling exceeds the hardware.
    Whatever else is refused is not passed over.
    """
    try:
        if isinstance(layers, NoDefaultScheduleError):
            raise layers
        return lowering_of(schedule, layers, source, kept)
    except (NoDefaultScheduleError, TilingError) as error:
        refusal = error
    try:
        lowering = simple_lowering(source, config_of(source))
    except VtacError as error:
        raise CompileError(
            f"device function '{device.sym_name.data}' cannot be scheduled: the default schedule is refused "
            f"({refusal}), and so is one tile after the other ({error})",
            location_of(device),
        ) from None
    note_choice(module, device.sym_name.data, f"{SIMPLY}, as the default schedule is refused ({refusal})")
    return lowering


@dataclass(frozen=True)
class ScheduleDeviceFunctions(ModulePass):
    """Write the default schedule of device functions into the module, after the functions.

    The search lowers the best candidates; what it finds is a script like one by hand. Where the
    default schedule is refused, the function is scheduled one tile after the other, and its call
    says so among its choices.

    requires: device functions as group-device-calls leaves them; scripts for some of them, or none.
    ensures:  one script for each device function; those given stay as they are. Calls of a device function
              that is a layer say what it takes at least (`vta.work`).
    declines: values that the VTA cannot address; a script for no device function; a function that no
              schedule fits, with what speaks against each.
    """

    name = "schedule-device-functions"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        refuse_beyond_reach(op, REACH)
        devices = device_functions(op)
        given = _given_scripts(op, devices)
        compilation = compilation_of(ctx)
        known = given.union(compilation.scripts)
        if compilation.kernels is not None:
            compilation.kernels.prepare([device for device in devices if device.sym_name.data not in known], op)
        for done, device in enumerate(devices):
            compilation.report(_layer_of(device, op), done, len(devices))
            if device.sym_name.data in known or not _take_known(device, op, compilation):
                _schedule(device, op, compilation, needs_script=device.sym_name.data not in given)
