"""vtac.compile: from a module to a program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from vtac.analysis.nests.stage import is_scheduled, stage_of
from vtac.collection import seldom_collected
from vtac.pipelines import Runner
from vtac.preparation import prepare, refuse_several_functions, scripts_of
from vtac.rewriting.copies import copy_of
from vtac.rewriting.edits import append
from vtac.targets.registry import find_target
from vtac.targets.target import KeepsSource
from vtac.text.context import make_context
from vtac.text.excerpts import pointed, remember, remembered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vtac.dialects.gpu_hardware import GpuArchitecture
    from vtac.dialects.hardware import VTAConfig
    from vtac.store.store import Store
    from vtac.targets.cuda.network import CudaNetwork
    from vtac.targets.cuda.program import CudaProgram
    from vtac.targets.target import HasScript, Target, TargetProgram
    from vtac.targets.vta.programs.vta_program import VtaProgram

    Progress = Callable[[str, int, int], None]


@overload
def compile(
    module: ModuleOp | str | Path,
    target: Literal["vta"] = "vta",
    config: VTAConfig | str | Path | None = None,
    schedule: HasScript | ModuleOp | str | Path | None = None,
    *,
    host: bool = True,
    acc_8bit: bool = False,
    progress: Progress | None = None,
    cache: bool | None = None,
    schedules: Store | str | Path | None = None,
    jobs: int = 1,
) -> VtaProgram: ...
@overload
def compile(
    module: ModuleOp | str | Path,
    target: Literal["cuda"],
    config: GpuArchitecture | str | None = None,
    schedule: HasScript | ModuleOp | str | Path | None = None,
    *,
    measurements: str | Path | None = None,
) -> CudaProgram | CudaNetwork: ...
@overload
def compile(
    module: ModuleOp | str | Path,
    target: str,
    config: object = None,
    schedule: HasScript | ModuleOp | str | Path | None = None,
    **options: object,
) -> TargetProgram: ...
@pointed
def compile(
    module: ModuleOp | str | Path,
    target: str = "vta",
    config: object = None,
    schedule: HasScript | ModuleOp | str | Path | None = None,
    **options: object,
) -> TargetProgram:
    """Compile a module for a target, one of `vtac.targets.registry.target_names()`; the module itself is not changed.

    `config=None` takes the module's hardware record (its `vta.config`, for "cuda" its
    `wmma.architecture`), else the target's default; one that contradicts the module's is an
    error. What names a record stands for it: the path of a `vta_config.json`, "sm_90".
    `schedule` is a script (as text, a file, a module or a `vtac.Schedule`, whose
    configuration counts when none is given); without it the module's own script is used, and
    without that the target finds one.

    For "vta" a function on plain tensors without a schedule is packed: it becomes a
    `vtac.HostProgram`, which packs, runs device programs and unpacks. For "cuda" one that a single kernel cannot
    compute becomes a `vtac.CudaNetwork` of several kernels. What the VTA cannot do runs
    on the host, or with `host=False` is refused. `acc_8bit=True` is for simulators only: i8 may be
    loaded into accumulators, which the hardware's RTL does not decode. `progress` is called with
    the layer that is compiled next, how many are done and how many there are. With `cache=True` a program that was
    compiled before is read from disk, and others are kept there; by default, None, that is so where `VTAC_CACHE_DIR`
    names a folder. `schedules` is a store that `vtac.tune` has filled, or its path: layers that it knows on this
    hardware get the tilings that took the fewest cycles. `jobs` processes share the layers of a network, copies of this
    one or, where it runs threads, fresh interpreters; the program is the same. `measurements` is a file that
    `benchmarks/tensor_cores.py` has written: products that it knows on the architecture get the tiling that was the
    fastest.
    """
    found = find_target(target)
    complete = found.complete(options)
    with seldom_collected():
        work = prepare(module, found, config, schedule)
        refuse_several_functions(work)
        source = copy_of(work)
        text = remembered(module) if isinstance(module, ModuleOp) else remembered(work)
        if text is not None:
            remember(source, text)
        program = _program(work, found, complete)
    if isinstance(program, KeepsSource):
        program.keep_source(source)
    return program


def _program(work: ModuleOp, target: Target, options: Mapping[str, object]) -> TargetProgram:
    if target.compile is not None:
        return target.compile(work, **options)
    _lower(work, target, None, Runner(make_context()))
    return target.build(work)


@pointed
def lower(
    module: ModuleOp | str | Path,
    target: str = "vta",
    config: object = None,
    schedule: HasScript | ModuleOp | str | Path | None = None,
    *,
    phase: str | None = None,
    runner: Runner | None = None,
) -> ModuleOp:
    """A copy of a module of scheduled functions, or of such as the target schedules as they are, lowered.

    `phase` is the last phase of the pipeline to run; all of them by default. A module that the target cuts up first,
    as the VTA does one on plain tensors, goes through the phases of that pipeline. `runner` is who runs the
    passes, such as one whose instrumentations are told of each phase and pass, with the IR before and after it.
    """
    found = find_target(target)
    work = prepare(module, found, config, schedule)
    _lower(work, found, phase, runner or Runner(make_context()))
    return work


def _lower(work: ModuleOp, target: Target, phase: str | None, runner: Runner) -> None:
    apart = target.takes_apart(work) if target.takes_apart is not None else None
    functions = [op for op in work.ops if isinstance(op, FuncOp) and op.body.blocks]
    if phase is None and functions and all(stage_of(function) is not None for function in functions):
        return
    if apart is None and not scripts_of(work) and not any(map(is_scheduled, functions)):
        for schedule in target.schedules(work):
            append(schedule.script.clone(), work.body.block)
    pipeline = target.pipeline() if apart is None else apart
    phases = pipeline.phases if phase is None else pipeline.through(phase)
    runner.run_phases(phases, work)
