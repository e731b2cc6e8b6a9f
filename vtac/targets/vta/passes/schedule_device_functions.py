"""schedule-device-functions: a script for each device function that has none."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import calls_of, device_functions
from vtac.analysis.ir.locations import location_of
from vtac.analysis.ir.target import config_of
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
from vtac.targets.vta.schedules.known_kernels import Known, KnownKernels
from vtac.targets.vta.schedules.known_tilings import UNTUNED, KnownTilings, TunedTilings, is_untuned
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.lowering import Lowering
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.schedules.simple import simple_lowering

SIMPLY = "scheduled one tile after the other"


@dataclass(frozen=True)
class _Scheduled:
    """What becomes of a device function: the least that it takes, its script unless one was given, a choice to note.

    `lowered` is the function, in a copy that nobody changes, with what it was lowered to.
    """

    work: Mapping[str, int]
    script: ScriptOp | None = None
    lowered: tuple[FuncOp, Lowering] | None = None
    choice: str = ""


def _by_record(device: FuncOp, found: Known) -> _Scheduled:
    """What one of its form has been lowered to."""
    work, lowering = found
    return _Scheduled(work, lowering.script, (copy_of(device), lowering))


def _schedule(device: FuncOp, module: ModuleOp, compilation: CompilationContext, *, needs_script: bool) -> _Scheduled:
    """What a device function takes at least, and its script; the module is not changed."""
    source = isolated(device, module)
    schedule = TrialSchedule(source)
    layers = _layers(schedule)
    is_layer = not isinstance(layers, NoDefaultScheduleError)
    work = work_in(layers, config_of(module)) if is_layer else dict[str, int]()
    if not needs_script:
        return _Scheduled(work)
    script = compilation.scripts.get(device.sym_name.data)
    if script is not None:
        return _Scheduled(work, script)
    lowering, choice = _lowering(schedule, layers, source, device, compilation.tilings)
    return _Scheduled(work, lowering.script, (function_in(source), lowering), choice)


def _write(device: FuncOp, scheduled: _Scheduled, module: ModuleOp, compilation: CompilationContext) -> None:
    """Write what becomes of a device function into the module, and keep what it was lowered to."""
    _note_work(device, scheduled.work, module)
    if scheduled.choice:
        note_choice(module, device.sym_name.data, scheduled.choice)
    if scheduled.lowered is not None:
        compilation.lowerings.keep(*scheduled.lowered)
    if scheduled.script is not None:
        insert_ops(copy_of(scheduled.script), InsertPoint.at_end(module.body.block))


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
    kept: KnownTilings | None,
) -> tuple[Lowering, str]:
    """A device function, isolated in `source`, under the default schedule, else the simple one, and why it is that.

    `schedule` is one of it without directives, which is used up. This is the one place where another
    schedule takes the default one's: where none is for the function, or its tiling exceeds the hardware.
    Whatever else is refused is not passed over.
    """
    try:
        if isinstance(layers, NoDefaultScheduleError):
            raise layers
        return lowering_of(schedule, layers, source, kept), ""
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
    return lowering, f"{SIMPLY}, as the default schedule is refused ({refusal})"


def _in_turn(
    devices: Sequence[FuncOp], known: Collection[str], module: ModuleOp, kernels: KnownKernels | None
) -> Generator[tuple[int, Known | None]]:
    """The numbers of device functions as they come, with what kernels have for those whose scripts are not known."""
    others = [number for number, device in enumerate(devices) if kernels is None or device.sym_name.data in known]
    yield from ((number, None) for number in others)
    if kernels is not None:
        wanted = [number for number in range(len(devices)) if number not in others]
        with closing(kernels.share([devices[number] for number in wanted], module)) as found:
            yield from ((wanted[place], one) for place, one in found)


def _scheduled(
    devices: Sequence[FuncOp], given: Collection[str], module: ModuleOp, compilation: CompilationContext
) -> list[_Scheduled]:
    """What becomes of device functions. Raises what the first of those raises that fail."""
    done: dict[int, _Scheduled] = {}
    failed: dict[int, VtacError] = {}
    known = {*given, *compilation.scripts}
    with closing(_in_turn(devices, known, module, compilation.kernels)) as turns:
        for number, found in turns:
            device = devices[number]
            compilation.report(_layer_of(device, module), len(done), len(devices))
            try:
                needs_script = device.sym_name.data not in given
                done[number] = (
                    _by_record(device, found)
                    if found is not None
                    else _schedule(device, module, compilation, needs_script=needs_script)
                )
            except VtacError as error:
                failed[number] = error
            if failed and all(before in done for before in range(min(failed))):
                raise failed[min(failed)]
    return [done[number] for number in range(len(devices))]


def _note_untuned(devices: Sequence[FuncOp], module: ModuleOp, tilings: KnownTilings | None) -> None:
    """Note which device functions tuned tilings do not know."""
    if not isinstance(tilings, TunedTilings):
        return
    for device in devices:
        layers = _layers(TrialSchedule(isolated(device, module)))
        if not isinstance(layers, NoDefaultScheduleError) and is_untuned(layers, config_of(module), tilings):
            note_choice(module, device.sym_name.data, UNTUNED)


@dataclass(frozen=True)
class ScheduleDeviceFunctions(ModulePass):
    """Write the default schedule of device functions into the module, after the functions.

    The search lowers the best candidates; what it finds is a script like one by hand. Where the
    default schedule is refused, the function is scheduled one tile after the other, and its call
    says so among its choices; so does one that is not among tilings that were tuned.

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
        for device, scheduled in zip(devices, _scheduled(devices, given, op, compilation), strict=True):
            _write(device, scheduled, op, compilation)
        _note_untuned([one for one in devices if one.sym_name.data not in given], op, compilation.tilings)
