"""apply-schedule: apply the module's schedule scripts to its payload."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.locations import location_of
from vtac.dialects.schedule.declared import CALLED
from vtac.dialects.schedule.script import DirectiveOp, ScriptOp
from vtac.errors import ScheduleError
from vtac.passes.directives import Handles, apply_directive
from vtac.passes.directives.steps import nest_at
from vtac.rewriting.walker import rewrite_once


@dataclass
class ApplyScript(RewritePattern):
    """Run one script on the function that it names, and drop it."""

    module: ModuleOp

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ScriptOp, rewriter: PatternRewriter) -> None:
        handles = Handles(target_function(self.module, op))
        for directive in op.body.block.ops:
            if not isinstance(directive, DirectiveOp):
                raise ScheduleError(f"'{directive.name}' is not a directive", location_of(directive))
            try:
                apply_directive(directive, handles)
            except ScheduleError as error:
                error.nest = nest_at(directive, handles)
                raise
        name = CALLED.get(op)
        if name is not None:
            CALLED.set(handles.function, name)
        rewriter.erase(op)


def target_function(module: ModuleOp, script: ScriptOp) -> FuncOp:
    """The function that a script schedules. Raises `ScheduleError` where there is none of that name."""
    functions = [child for child in module.ops if isinstance(child, FuncOp)]
    for function in functions:
        if function.sym_name.data == script.target.data:
            return function
    names = ", ".join(function.sym_name.data for function in functions) or "none"
    raise ScheduleError(f"no function '{script.target.data}' to schedule; functions here: {names}", location_of(script))


@dataclass(frozen=True)
class ApplySchedule(ModulePass):
    """Run every `schedule.script` on the function it names, then drop the script.

    requires: payload functions (convert-linalg-to-schedule).
    ensures:  the payload after all directives, no script left.
    declines: a script for a function that does not exist; an illegal directive, which is
              named with its location.
    """

    name = "apply-schedule"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, ApplyScript(op))
