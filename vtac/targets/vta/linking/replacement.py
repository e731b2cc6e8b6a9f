"""Streams that are not proven safe: their kernels by a simpler schedule, or a refusal."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import ModuleOp
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import device_functions, kernel_modules, kernel_of
from vtac.analysis.ir.locations import location_of
from vtac.dialects.schedule.script import ScriptOp
from vtac.errors import CompileError
from vtac.pipelines import Pipeline, Runner
from vtac.rewriting.edits import discard, insert_ops
from vtac.targets.vta.linking.streams import build_streams, first_findings
from vtac.targets.vta.passes.lower_device_functions import replace_contents
from vtac.targets.vta.passes.schedule_device_functions import schedule_simply
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.stream.build import build_program


def replace_unsafe(
    module: ModuleOp, runner: Runner, pipeline: Pipeline, given: Sequence[ScriptOp]
) -> dict[str, Program]:
    """The programs of a module of which one was not proven safe, after kernels that are not safe alone were replaced.

    `given` are the scripts that the caller gave, which are not replaced. Raises `CompileError`
    for one of theirs that is not proven safe, and where a program is not after that.
    """
    for stream in kernel_modules(module):
        discard(stream)
    insert_ops([script.clone() for script in given], InsertPoint.at_end(module.body.block))
    start = len(pipeline.through("owned"))
    runner.run_phases(pipeline.through("kernels")[start:], module)
    scripts = {script.target.data: script for script in given}
    for kernel in kernel_modules(module):
        _replace_if_unsafe(kernel, module, scripts)
    runner.run_phases(pipeline.beyond("kernels"), module)
    programs = build_streams(module)
    for name, finding in first_findings(programs, module).items():
        raise CompileError(f"program '{name}' is not proven safe: {finding}", location_of(module))
    return programs


def _replace_if_unsafe(kernel: ModuleOp, module: ModuleOp, scripts: dict[str, ScriptOp]) -> None:
    function = kernel_of(kernel)
    if function is None:
        return
    name = function.sym_name.data
    finding = first_findings({name: build_program(kernel.clone())}, module).get(name)
    if finding is None:
        return
    if name in scripts:
        raise CompileError(
            f"the program of device function '{name}' under the schedule given for it is not proven "
            "safe: change the schedule, or drop it for the default one",
            location_of(scripts[name]),
        )
    device = next(device for device in device_functions(module) if device.sym_name.data == name)
    replace_contents(kernel, schedule_simply(device, module, f"the default is not proven safe ({finding})"))
