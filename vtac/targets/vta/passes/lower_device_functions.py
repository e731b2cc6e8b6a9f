"""lower-device-functions: each isolated device function through lower-to-vta."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import kernel_modules
from vtac.dialects.schedule.script import ScriptOp
from vtac.pipelines import CompositePass, Phase, Runner
from vtac.rewriting.edits import discard, move_body
from vtac.targets.vta.compilation import compilation_of
from vtac.targets.vta.pipeline import VTA_PIPELINE


def take_lowered(runner: Runner, kernel: ModuleOp) -> bool:
    """Put what the search has made of a kernel in its place; False where that is not known."""
    function = next((op for op in kernel.ops if isinstance(op, FuncOp)), None)
    script = next((op for op in kernel.ops if isinstance(op, ScriptOp)), None)
    if function is None or script is None:
        return False
    lowered = compilation_of(runner.context).lowerings.take(function, script)
    if lowered is None:
        return False
    replace_contents(kernel, lowered)
    return True


def replace_contents(kernel: ModuleOp, source: ModuleOp) -> None:
    """Let a module hold what another holds, which is empty then."""
    for op in list(kernel.ops):
        discard(op)
    move_body(source.body.block, InsertPoint.at_end(kernel.body.block))


@dataclass(frozen=True)
class LowerDeviceFunctions(CompositePass):
    """Lower the modules within a module that hold a script, one after the other, each by the passes of lower-to-vta.

    In a compilation, what the search has lowered by the same script is taken as it is.

    requires: device functions in modules of their own with their scripts (isolate-device-functions).
    ensures:  these modules are what lower-to-vta makes of them; nothing else changes.
    declines: an unknown phase; whatever a pass declines.
    """

    name = "lower-device-functions"

    phase: str = "vta"

    @property
    def phases(self) -> tuple[Phase, ...]:
        return VTA_PIPELINE.through(self.phase)

    def run(self, runner: Runner, module: ModuleOp) -> None:
        whole = self.phases == VTA_PIPELINE.phases
        for kernel in kernel_modules(module):
            if not any(isinstance(op, ScriptOp) for op in kernel.ops):
                continue
            if not (whole and take_lowered(runner, kernel)):
                runner.run_phases(self.phases, kernel)
