"""From a module whose configuration is settled to a VTA program: packed first where it works on plain tensors."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation

from vtac.dialects.vta.declared import ACC_8BIT
from vtac.errors import CompileError
from vtac.partition.layouts import may_be_plain, needs_packing
from vtac.pipelines import Runner
from vtac.preparation import drop_scripts, scripts_of
from vtac.schedule import Schedule
from vtac.targets.vta.linking.kernels import scheduled
from vtac.targets.vta.linking.plain import compile_plain, device_functions, split_plain
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.schedules import default_schedule, lower_by_default
from vtac.targets.vta.stream.build import build_program
from vtac.text.context import make_context

Progress = Callable[[str, int, int], None]


def compile_program(work: ModuleOp, *, host: bool, acc_8bit: bool, progress: Progress | None) -> Program:
    """The program of a module, which is used up; the options are those of the target `vta`."""
    if acc_8bit:
        ACC_8BIT.set(work, True)
    if needs_packing(work):
        return compile_plain(work, host=host, progress=progress)
    if not scripts_of(work) and any(isinstance(op, LinalgStructuredOperation) for op in work.walk()):
        return _by_default(work, host=host, progress=progress)
    Runner(make_context()).run_phases(VTA_PIPELINE.phases, work)
    return build_program(work)


def schedules(module: ModuleOp) -> list[Schedule]:
    """The schedule that a module without one gets, or those of the functions it is split into."""
    drop_scripts(module)
    if not needs_packing(module):
        try:
            return [default_schedule(module)]
        except CompileError:
            if not may_be_plain(module):
                raise
    split_plain(module)
    return [scheduled(device, module) for device in device_functions(module)]


def _by_default(work: ModuleOp, *, host: bool, progress: Progress | None) -> Program:
    """A function on tiles under its default schedule; one on plain images that only look like tiles is packed."""
    try:
        return build_program(lower_by_default(work))
    except CompileError as refusal:
        program = _packed(work, host=host, progress=progress) if may_be_plain(work) else None
        if program is None:
            raise refusal from None
        return program


def _packed(work: ModuleOp, *, host: bool, progress: Progress | None) -> Program | None:
    """A function as one on plain tensors; None where that leaves nothing for the VTA."""
    try:
        program = compile_plain(work, host=host, progress=progress)
    except CompileError:
        return None
    return program if program.devices else None
