"""From a module without a schedule to a VTA program: packed first where it works on plain tensors, then searched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xdsl.dialects.builtin import ModuleOp

from vtac.analysis.ir.target import config_of
from vtac.analysis.programs.contraction_counts import contractions_in
from vtac.dialects.vta.declared import ACC_8BIT
from vtac.errors import CompileError, NoDefaultScheduleError, TilingError
from vtac.files.user_cache import cache_folder
from vtac.partition.layouts import may_be_plain, needs_packing
from vtac.passes.vta.isolate_device_functions import function_in
from vtac.preparation import drop_scripts, scripts_of
from vtac.progress import Progress
from vtac.schedule import Schedule
from vtac.targets.target import HasScript
from vtac.targets.vta.linking.known_streams import KnownStreams
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.targets.vta.scheduled import brings_schedule, compile_scheduled
from vtac.targets.vta.schedules import default_lowering, default_schedule
from vtac.targets.vta.schedules.kernel_cache import KernelCache
from vtac.targets.vta.schedules.kernel_lowering import get_ready
from vtac.targets.vta.schedules.known_kernels import KnownKernels
from vtac.targets.vta.schedules.known_tilings import UNTUNED, KnownTilings, TunedTilings, is_untuned
from vtac.targets.vta.schedules.lowering import WrittenScript
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.schedules.tiling_cache import TilingCache
from vtac.targets.vta.stream.build import build_program
from vtac.text.verification import verify_result
from vtac.workers.helpers import helpers

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from vtac.targets.vta.linking.plain import Split


def compile_tuned(
    work: ModuleOp, schedules: object, jobs: int, *, host: bool, acc_8bit: bool, progress: Progress | None
) -> VtaProgram:
    """The program of a module, which is used up, with the tilings that a store holds."""
    from vtac.targets.vta.tuning.stored import stored_tilings

    with stored_tilings(schedules) as tuned:
        kernels = KnownKernels(None, tuned, jobs) if jobs > 1 else None
        return compile_with(work, tuned, kernels, host=host, acc_8bit=acc_8bit, progress=progress)


def compile_kept(
    work: ModuleOp, cache: bool | None, jobs: int, *, host: bool, acc_8bit: bool, progress: Progress | None
) -> VtaProgram:
    """The same with the tilings, layers and streams that the cache holds, if there is one, and that are kept in it."""
    folder = cache_folder(cache)
    tilings = None if folder is None else TilingCache(folder)
    streams = None if folder is None else KnownStreams(folder)
    with helpers(jobs if needs_packing(work) else 1, get_ready) as others:
        kernels = _kernels(folder, tilings, jobs, others)
        program = compile_with(work, tilings, kernels, streams, host=host, acc_8bit=acc_8bit, progress=progress)
    for used in (tilings, kernels, streams):
        if used is not None:
            used.close()
    return program


def _kernels(
    folder: Path | None, tilings: KnownTilings | None, jobs: int, others: Executor | None
) -> KnownKernels | None:
    """Where lowered layers come from, for one who keeps them in a folder or works with several processes."""
    if folder is None and jobs == 1:
        return None
    return KnownKernels(None if folder is None else KernelCache(folder), tilings, jobs, others)


def compile_with(
    work: ModuleOp,
    tilings: KnownTilings | None,
    kernels: KnownKernels | None = None,
    streams: KnownStreams | None = None,
    *,
    host: bool = True,
    acc_8bit: bool = False,
    progress: Progress | None = None,
    split: Split | None = None,
) -> VtaProgram:
    """The program of a module, which is used up, with the tilings, layers, streams and ways to split that are known."""
    if acc_8bit:
        ACC_8BIT.set(work, True)
    if needs_packing(work):
        from vtac.targets.vta.linking.plain import compile_plain

        return compile_plain(
            work, host=host, progress=progress, tilings=tilings, kernels=kernels, streams=streams, split=split
        )
    if brings_schedule(work):
        return compile_scheduled(work, acc_8bit=acc_8bit)
    counts = contractions_in(work)
    program = _by_default(work, host=host, progress=progress, tilings=tilings)
    if isinstance(program, Program):
        program.contractions, program.macs = len(counts), sum(count.macs for count in counts)
    return program


def schedules(module: ModuleOp) -> list[HasScript]:
    """The schedule that a module without one gets, or those of the functions it is split into."""
    drop_scripts(module)
    if not needs_packing(module):
        try:
            return [default_schedule(module)]
        except (NoDefaultScheduleError, TilingError):
            if not may_be_plain(module):
                raise
    from vtac.targets.vta.linking.plain import split_plain

    split_plain(module, phase="scripted")
    return [WrittenScript(script) for script in scripts_of(module)]


def _by_default(work: ModuleOp, *, host: bool, progress: Progress | None, tilings: KnownTilings | None) -> VtaProgram:
    """A function on tiles under its default schedule; one on plain images that only look like tiles is packed."""
    try:
        lowered = default_lowering(work, kept=tilings).module
        verify_result(lowered, "under the default schedule")
        program = build_program(lowered)
        if isinstance(tilings, TunedTilings) and is_untuned(layers_of(Schedule(work)), config_of(work), tilings):
            program.choices = (*program.choices, f"{function_in(work).sym_name.data}: {UNTUNED}")
        return program
    except (NoDefaultScheduleError, TilingError) as refusal:
        if not may_be_plain(work):
            raise
        from vtac.targets.vta.linking.plain import compile_plain

        try:
            program = compile_plain(work, host=host, progress=progress, tilings=tilings)
        except CompileError as other:
            raise refusal from other
        if not program.devices:
            raise refusal from None
        return program
