"""The IR between steps of a run, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from vtac.pipelines import Instrumentation, Step, steps_within
from vtac.text.printing import op_text
from vtac.text.reports import suggestion
from vtac.tools.entry import UsageError


class PrintAfter(Instrumentation):
    """Prints the IR after the passes and phases that bear one of the names; without names, after every pass."""

    def __init__(self, names: Collection[str] | None, *, generic: bool) -> None:
        self._names = names
        self._generic = generic

    def after(self, step: Step, module: ModuleOp) -> None:
        wanted = step.kind == "pass" and not step.is_composite if self._names is None else step.name in self._names
        if wanted and step.kind != "verify":
            sys.stderr.write(ir_text(step, module, generic=self._generic))


class PrintBetween(Instrumentation):
    """Prints the IR after each pass that another one follows; a pass that consists of passes counts as those."""

    def __init__(self, *, generic: bool) -> None:
        self._pending = ""
        self._generic = generic

    def before(self, step: Step, module: ModuleOp) -> None:
        if step.kind == "pass" and not step.is_composite:
            sys.stderr.write(self._pending)
            self._pending = ""

    def after(self, step: Step, module: ModuleOp) -> None:
        if step.kind == "pass" and not step.is_composite:
            self._pending = ir_text(step, module, generic=self._generic)


def ir_text(step: Step, op: Operation, *, generic: bool) -> str:
    """A module or a function as text, under a line that says after what step."""
    name = f"phase {step.name}" if step.kind == "phase" else step.name
    return f"// -----// IR after {name} //----- //\n{op_text(op, generic=generic)}\n"


def check_names(names: Sequence[str], passes: Sequence[ModulePass]) -> None:
    """Raises `UsageError` for a name that no pass and no phase of `passes` has."""
    known = list(dict.fromkeys(step.name for step in steps_within(passes))) if names else []
    for name in names:
        if name not in known:
            hint = suggestion(name, known) or f"; it runs {', '.join(known) or 'nothing'}"
            raise UsageError(f"--print-after={name}: the pipeline has no pass and no phase of that name{hint}")
