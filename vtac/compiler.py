"""vtac.compile: from a module to a program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args, overload

from xdsl.dialects.builtin import ModuleOp, UnitAttr
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation

from vtac.analysis.target import ACC_8BIT
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.directives import ScriptOp
from vtac.errors import CompileError
from vtac.frontend import context, prepare
from vtac.partition.layouts import may_be_plain, needs_packing
from vtac.pipelines import Runner
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.stream.build import build_program

if TYPE_CHECKING:
    from collections.abc import Callable

    from vtac.dialects.gpu_hardware import GpuArchitecture
    from vtac.schedule import Schedule
    from vtac.targets.cuda.program import CudaProgram

    Progress = Callable[[str, int, int], None]

Target = Literal["vta", "cuda"]
TARGETS: tuple[Target, ...] = get_args(Target)


def needs_schedule(module: ModuleOp) -> bool:
    """Whether a module holds linalg operations and no script."""
    return not any(isinstance(op, ScriptOp) for op in module.ops) and any(
        isinstance(op, LinalgStructuredOperation) for op in module.walk()
    )


@overload
def compile(
    module: ModuleOp | str | Path,
    target: Literal["vta"] = "vta",
    config: VTAConfig | None = None,
    schedule: Schedule | ModuleOp | str | Path | None = None,
    *,
    host: bool = True,
    acc_8bit: bool = False,
    progress: Progress | None = None,
) -> Program: ...
@overload
def compile(
    module: ModuleOp | str | Path,
    target: Literal["cuda"],
    config: GpuArchitecture | None = None,
    schedule: Schedule | ModuleOp | str | Path | None = None,
) -> CudaProgram: ...
def compile(
    module: ModuleOp | str | Path,
    target: Target = "vta",
    config: VTAConfig | GpuArchitecture | None = None,
    schedule: Schedule | ModuleOp | str | Path | None = None,
    *,
    host: bool = True,
    acc_8bit: bool = False,
    progress: Progress | None = None,
) -> Program | CudaProgram:
    """Compile a module's function for a target; the module itself is not changed.

    `config=None` takes the module's `vta.config` (for "cuda" its `wmma.architecture`), else the
    default; one that contradicts the module's is an error. `schedule` is a script (as text, a
    file, a module or a `vtac.Schedule`, whose configuration counts when none is given); without
    it the module's own script is used, and without that `vtac.targets.vta.schedules` finds one.

    A function on plain tensors without a schedule is packed: it becomes a
    `vtac.targets.vta.programs.host_program.HostProgram`, which packs, runs device programs and unpacks.
    What the VTA cannot do runs on the host, or with `host=False` is refused. `acc_8bit=True`
    is for simulators only: i8 may be loaded into accumulators, which the hardware's RTL does
    not decode. `progress` is called with the layer that is compiled next, how many are done and
    how many there are.
    """
    if target == "cuda":
        from vtac.targets.cuda.building import compile_cuda

        return compile_cuda(module, config, schedule)
    if target != "vta":
        raise CompileError(f"unknown target '{target}'; the targets are {', '.join(TARGETS)}")
    if config is not None and not isinstance(config, VTAConfig):
        raise CompileError(f"config={getattr(config, 'name', repr(config))} with target 'vta': a VTAConfig is required")
    work = prepare(module, config, schedule)
    if acc_8bit:
        work.attributes[ACC_8BIT] = UnitAttr()
    if needs_packing(work):
        from vtac.targets.vta.linking.plain import compile_plain

        return compile_plain(work, host=host, progress=progress)
    if needs_schedule(work):
        return _by_default(work, host=host, progress=progress)
    Runner(context()).run_phases(VTA_PIPELINE.phases, work)
    return build_program(work)


def _by_default(work: ModuleOp, *, host: bool, progress: Progress | None) -> Program:
    """A function on tiles under its default schedule; one on plain images that only look like tiles is packed."""
    from vtac.targets.vta.schedules import lower_by_default

    try:
        return build_program(lower_by_default(work))
    except CompileError as refusal:
        program = _packed(work, host=host, progress=progress) if may_be_plain(work) else None
        if program is None:
            raise refusal from None
        return program


def _packed(work: ModuleOp, *, host: bool, progress: Progress | None) -> Program | None:
    """A function as one on plain tensors; None where that leaves nothing for the VTA."""
    from vtac.targets.vta.linking.plain import compile_plain

    try:
        program = compile_plain(work, host=host, progress=progress)
    except CompileError:
        return None
    return program if program.devices else None
