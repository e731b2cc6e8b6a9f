"""A program lowered once more, with someone who looks on: the IR at every level, and the schedule step by step."""

from __future__ import annotations

from dataclasses import dataclass, field

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp

from vtac.compiler import lower
from vtac.dialects.packing.declared import layer_name
from vtac.dialects.schedule.script import ScriptOp
from vtac.errors import VtacError
from vtac.passes.directives.steps import Step as ScheduleStep
from vtac.passes.directives.steps import steps_of
from vtac.pipelines import INPUT, Instrumentation, Runner, Step
from vtac.report.page.ir_text import Lines, ir_lines
from vtac.text.context import make_context

WHOLE = ""
"""The part of a program that is all of it."""


@dataclass(frozen=True)
class Level:
    """The IR after a phase, of a part of the program: one device function, or all of it."""

    part: str
    name: str
    lines: Lines


@dataclass
class Lowering:
    """What was seen on the way: levels in order, and by part the steps of its schedule."""

    levels: list[Level] = field(default_factory=list[Level])
    layers: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """The layers that a device function computes, in the order of its calls."""
    steps: dict[str, list[ScheduleStep]] = field(default_factory=dict[str, list[ScheduleStep]])


class _Onlooker(Instrumentation):
    """Keeps the IR before everything and after each phase."""

    def __init__(self) -> None:
        self.seen = Lowering()

    def before(self, step: Step, module: ModuleOp) -> None:
        if not self.seen.levels:
            self.seen.levels.append(Level(WHOLE, INPUT, ir_lines(module)))

    def after(self, step: Step, module: ModuleOp) -> None:
        if step.kind != "phase":
            return
        function = next((op for op in module.ops if isinstance(op, FuncOp)), None)
        part = function.sym_name.data if function is not None and module.parent_op() is not None else WHOLE
        self.seen.levels.append(Level(part, step.name, ir_lines(module)))
        if part == WHOLE:
            self._note_calls(module)
        if step.name == "payload":
            self._replay(part, module)

    def _note_calls(self, module: ModuleOp) -> None:
        for call in [op for op in module.walk() if isinstance(op, CallOp)]:
            layers = self.seen.layers.setdefault(call.callee.string_value(), [])
            if layer_name(call) not in layers:
                layers.append(layer_name(call))

    def _replay(self, part: str, module: ModuleOp) -> None:
        """The steps of the scripts of a payload; one that is refused, which lowering says, has none."""
        for script in [op for op in module.ops if isinstance(op, ScriptOp)]:
            copy = module.clone()
            functions = [op for op in copy.ops if isinstance(op, FuncOp) and op.sym_name.data == script.target.data]
            if functions:
                self.seen.steps[part or script.target.data] = list(steps_of(script.clone(), functions[0]))


def lowering_of(source: ModuleOp, target: str, context: Context | None = None) -> Lowering:
    """The levels and steps of a prepared module, which compiled once. What was seen before an error is kept.

    `context` is one under which passes find what the compilation has found already.
    """
    onlooker = _Onlooker()
    try:
        lower(source, target, runner=Runner(context or make_context(), (onlooker,), verify_phases=False))
    except VtacError:
        return onlooker.seen
    return onlooker.seen
