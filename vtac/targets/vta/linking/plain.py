"""From a function on plain tensors to a program: the plain path, then streams that are proven safe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from vtac.analysis.ir.device_functions import device_functions, kernel_modules
from vtac.analysis.ir.locations import location_of
from vtac.dialects.schedule.script import ScriptOp
from vtac.errors import CompileError
from vtac.pipelines import Instrumentation, Runner, Step
from vtac.progress import Progress
from vtac.rewriting.edits import discard
from vtac.targets.vta.compilation import CompilationContext
from vtac.targets.vta.linking.known_streams import KnownStreams
from vtac.targets.vta.linking.replacement import replace_unsafe
from vtac.targets.vta.linking.streams import build_streams, first_findings
from vtac.targets.vta.plain_pipeline import plain_pipeline
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.layer_names import layers_by_place, name_layers
from vtac.targets.vta.schedules.known_kernels import KnownKernels
from vtac.targets.vta.schedules.known_tilings import KnownTilings
from vtac.text.context import dialect_factories
from vtac.workers.forks import beside

OWNED = "owned"
"""The last phase before schedules: device functions have all that they need of their own."""
Split = Callable[[Runner, ModuleOp], None]
"""Brings a module up to the phase `OWNED`, by the passes of a runner or otherwise."""
_VERIFIED = ("linked",)
"""The phase after which a network is verified: what streams are built of."""
_LINKED = "after phase 'linked'"


def compile_plain(
    module: ModuleOp,
    *,
    host: bool = True,
    progress: Progress | None = None,
    tilings: KnownTilings | None = None,
    kernels: KnownKernels | None = None,
    streams: KnownStreams | None = None,
    split: Split | None = None,
) -> HostProgram:
    """Compile a module whose one function works on plain tensors; the module is used up.

    Device calls that need no host operation between them become one program. `host=False`
    refuses what would run on the host besides changes of layout. Scripts in the module are
    for device functions, by the names that `split_plain` gives them. `progress` is called
    with the layer that is scheduled next, how many are done and how many there are; `tilings` are those
    that earlier searches have found, `kernels` where lowered layers come from, `streams` what is known of streams.
    `split` makes device functions, by the passes of `host` where none is given.

    Raises `CompileError` for what a pass declines, and for a stream that is not proven safe
    under the simplest schedule either.
    """
    _check_one_function(module)
    layers = layers_by_place(module)
    context = CompilationContext.of(dialect_factories(), progress, tilings=tilings, kernels=kernels)
    scripts = _Scripts(context)
    runner, pipeline = Runner(context, (scripts,), verified=_VERIFIED), plain_pipeline(host=host)
    given = [op.clone() for op in module.ops if isinstance(op, ScriptOp)]
    if split is None:
        runner.run_phases(pipeline.through(OWNED), module)
    else:
        split(runner, module)
    runner.run_phases(pipeline.through("kernels")[len(pipeline.through(OWNED)) :], module)
    done = len(device_functions(module))
    context.report("link and check", done, done)
    replace(runner, verify_phases=False).run_phases(pipeline.beyond("kernels"), module)
    with beside(lambda: runner.verify(module, _LINKED), 1 if kernels is None else kernels.jobs):
        programs = build_streams(module, streams)
    if first_findings(programs, module, streams):
        programs = replace_unsafe(module, runner, pipeline, given)
    for program in programs.values():
        name_layers(program, layers)
    for stream in kernel_modules(module):
        discard(stream)
    return HostProgram(module, programs, scripts=tuple(scripts.found))


class _Scripts(Instrumentation):
    """Keeps the scripts of device functions, which the phases after `scripted` use up."""

    def __init__(self, context: CompilationContext) -> None:
        self.context = context
        self.found: list[ScriptOp] = []

    def after(self, step: Step, module: ModuleOp) -> None:
        if step.kind == "phase" and step.name == "scripted":
            scripts = [op for op in module.ops if isinstance(op, ScriptOp)]
            self.found = [self.context.lowerings.script_of(op.target.data) or op.clone() for op in scripts]


def split_plain(module: ModuleOp, *, host: bool = True, phase: str = "grouped") -> None:
    """Turn a module's one function on plain tensors into device functions and a host function around them.

    `phase` is the last phase of the plain path to run. Raises as `compile_plain` does.
    """
    _check_one_function(module)
    context = CompilationContext.of(dialect_factories())
    Runner(context).run_phases(plain_pipeline(host=host).through(phase), module)


def _check_one_function(module: ModuleOp) -> None:
    functions = [op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks]
    if len(functions) != 1:
        names = ", ".join(function.sym_name.data for function in functions) or "none"
        raise CompileError(f"a program is one function; the module has {len(functions)} ({names})", location_of(module))
