"""From a module and a schedule to a CUDA program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from xdsl.dialects.builtin import ModuleOp, StringAttr

from vtac.analysis.kernel_constants import constant_arguments
from vtac.analysis.kernel_roles import in_place_arguments
from vtac.analysis.locations import location_of
from vtac.analysis.target import CONFIG
from vtac.dialects.gpu_hardware import GpuArchitecture
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.directives import ScriptOp
from vtac.errors import CompileError
from vtac.frontend import context, prepare
from vtac.passes.gpu.gpu_check_shared_memory import ARCHITECTURE, architecture_of
from vtac.pipelines import Runner
from vtac.targets.cuda.emit.expressions import identifier, parameter_name
from vtac.targets.cuda.emit.kernel import emit_cuda, find_kernel, launch_record
from vtac.targets.cuda.pipeline import WMMA_PIPELINE
from vtac.targets.cuda.program import CudaProgram

if TYPE_CHECKING:
    from vtac.schedule import Schedule


def compile_cuda(
    module: ModuleOp | str | Path,
    config: GpuArchitecture | VTAConfig | None,
    schedule: Schedule | ModuleOp | str | Path | None,
) -> CudaProgram:
    """The CUDA program of a module's scheduled function; see `vtac.compile`.

    Without an architecture the kernel is checked against what all architectures have in common.
    Without a schedule, given or in the module, it gets the default one (`vtac.targets.cuda.schedules`).
    """
    return to_program(lower(module, config, schedule))


def to_program(work: ModuleOp) -> CudaProgram:
    """The program of a module at the wmma level."""
    kernel = find_kernel(work)
    in_place = tuple(identifier(name) for name in in_place_arguments(kernel))
    constants = {parameter_name(argument): array for argument, array in constant_arguments(kernel).items()}
    return CudaProgram(emit_cuda(work), launch_record(work), in_place, constants)


def lower(
    module: ModuleOp | str | Path,
    config: GpuArchitecture | VTAConfig | None,
    schedule: Schedule | ModuleOp | str | Path | None,
    phase: str = "wmma",
) -> ModuleOp:
    """A copy of the module, lowered up to and including a phase of the tensor-core pipeline."""
    if isinstance(config, VTAConfig):
        raise CompileError("a VTA configuration with target 'cuda': give a GPU architecture, or none")
    given = cast("object", config)  # untyped callers pass names
    if given is not None and not isinstance(given, GpuArchitecture):
        raise CompileError(
            f"config={given!r} with target 'cuda': a GpuArchitecture is required, as "
            "vtac.dialects.gpu_hardware.gpu_architecture('sm_90') gives it"
        )
    work = prepare(module, None, schedule)
    work.attributes.pop(CONFIG, None)
    _settle_architecture(work, config)
    if not any(isinstance(op, ScriptOp) for op in work.ops):
        from vtac.targets.cuda.schedules import default_schedule

        work.body.block.add_op(default_schedule(work).script)
    Runner(context()).run_phases(WMMA_PIPELINE.through(phase), work)
    return work


def _settle_architecture(module: ModuleOp, given: GpuArchitecture | None) -> None:
    own = architecture_of(module)
    if own is not None and given is not None and own != given:
        raise CompileError(
            f"the module's {ARCHITECTURE} is {own.name}, the architecture given {given.name}: drop one of the two",
            location_of(module),
        )
    if given is not None:
        module.attributes[ARCHITECTURE] = StringAttr(given.name)
