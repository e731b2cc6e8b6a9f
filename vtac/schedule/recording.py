"""A script in the making: each directive is recorded and applied at once, or neither."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, TypeVar

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Region, SSAValue
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.schedule.arguments import make_directive
from vtac.dialects.schedule.declared import CALLED
from vtac.dialects.schedule.script import DirectiveOp, ScriptOp
from vtac.errors import ScheduleError
from vtac.passes.directives import Handles, apply_directive
from vtac.passes.directives.steps import Step, nest_at, steps_of
from vtac.passes.linalg.convert_linalg_to_schedule import ConvertLinalgToSchedule
from vtac.pipelines import Runner
from vtac.preparation import drop_scripts, hardware_described, settle_hardware, stated_hardware
from vtac.rewriting.copies import copy_of
from vtac.rewriting.edits import append, discard
from vtac.schedule.references import BlockRef, LoopRef
from vtac.text.context import make_context
from vtac.text.excerpts import caller, pointed_methods
from vtac.text.loop_nest import nest_text
from vtac.text.printing import op_text
from vtac.text.reports import one_line
from vtac.text.short import counted, short_name
from vtac.text.source import parse

_D = TypeVar("_D", bound=DirectiveOp)


@pointed_methods
class Recording:
    """The directives given so far, as a script, and the module that they have made."""

    _copies_start: ClassVar = True
    _verifies: ClassVar = True

    def __init__(self, module: ModuleOp | str | Path, *, function: str | None = None, config: object = None) -> None:
        self.module = copy_of(module) if isinstance(module, ModuleOp) else parse(module)
        if config is not None:
            target, record = hardware_described(config)
            settle_hardware(self.module, target, record)
        drop_scripts(self.module)
        self._start = copy_of(self.module) if self._copies_start or not isinstance(module, ModuleOp) else module
        Runner(make_context()).run_pass(ConvertLinalgToSchedule(), self.module)
        scheduled = _find_function(self.module, function)
        self._script = ScriptOp.get(scheduled.sym_name.data, Region(Block()))
        self._handles = Handles(scheduled)

    @property
    def function(self) -> FuncOp:
        """The scheduled function so far."""
        return self._handles.function

    @property
    def config(self) -> object:
        """The hardware record that the module states, which may be the one given; None without one."""
        return stated_hardware(self.module)

    def show(self, diff: bool = False) -> None:
        """Print the loop nest so far; with `diff`, marked with - and + what the last directive changed.

        A line is a loop with its extent and kind, a buffer with its scope, or a statement. In brackets stands
        what a loop is mapped to, and what else directives left there.
        """
        steps = self.steps() if diff else ()
        print(steps[-1] if steps else nest_text(self.function))

    def steps(self) -> tuple[Step, ...]:
        """Each directive so far that is no lookup, with the loop nest before and after it."""
        work = self._start.clone()
        Runner(make_context()).run_pass(ConvertLinalgToSchedule(), work)
        return tuple(steps_of(self.script, _find_function(work, self._script.target.data)))

    def __repr__(self) -> str:
        directives = len(self._script.body.block.ops)
        return f"<Schedule of {short_name(self._script.target.data)}: {counted(directives, 'directive')}>"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(nest_text(self.function))}</pre>"

    def __str__(self) -> str:
        return f"{op_text(self._script)}\n"

    @property
    def name(self) -> str | None:
        """What the schedule is called in what is made of it, such as the head of a CUDA text; None without a name."""
        return CALLED.get(self._script)

    @name.setter
    def name(self, name: str) -> None:
        CALLED.set(self._script, name)
        CALLED.set(self.function, name)

    @property
    def script(self) -> ScriptOp:
        """The directives so far, as IR; a copy."""
        return copy_of(self._script)

    def direct(self, directive: type[_D], **arguments: object) -> _D:
        """Apply any directive, those of other packages among them, with its operands and properties by name."""
        return self._apply(make_directive(directive, arguments))

    def _apply(self, op: _D) -> _D:
        """Verify, apply and record a directive; a refused one is not recorded."""
        append(op, self._script.body.block)
        try:
            if self._verifies:
                op.verify()
            apply_directive(op, self._handles)
        except BaseException as error:
            refused = self._refused(op, error)
            discard(op)
            if refused is None:
                raise
            raise refused from None
        return op

    def _refused(self, op: DirectiveOp, error: BaseException) -> ScheduleError | None:
        """The error for a directive, with the line that gave it and the loop nest as it is."""
        if isinstance(error, VerifyException):
            words = one_line(str(error))
            error = ScheduleError(f"{op.directive}: {words}").parts(tried=op.directive, found=words)
        if not isinstance(error, ScheduleError):
            return None
        error.caller = caller()
        if error.caller:
            error.nest = nest_at(op, self._handles)
        return error

    def _loops(self, op: DirectiveOp) -> tuple[LoopRef, ...]:
        """References to the loops that a directive gave handles to."""
        refs: list[LoopRef] = []
        for handle in op.results:
            loop = self._handles.loop(handle, op)
            handle.name_hint = name_hint(loop.loop_name)
            refs.append(LoopRef(handle, loop.loop_name, loop.trip_count, loop))
        return tuple(refs)

    def _blocks(self, op: DirectiveOp) -> tuple[BlockRef, ...]:
        """References to the blocks that a directive gave handles to."""
        refs: list[BlockRef] = []
        for handle in op.results:
            name = self._handles.block(handle, op).block_name
            handle.name_hint = name_hint(name)
            refs.append(BlockRef(handle, name))
        return tuple(refs)


def _find_function(module: ModuleOp, name: str | None) -> FuncOp:
    functions = [op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks]
    wanted = [op for op in functions if name is None or op.sym_name.data == name]
    if len(wanted) == 1:
        return wanted[0]
    names = ", ".join(op.sym_name.data for op in functions) or "none"
    raise ScheduleError(f"which function to schedule? The module has: {names}; give one by function=")


def name_hint(name: str) -> str | None:
    """A name as the spelling of an SSA value; None where it cannot be one."""
    return name if SSAValue.is_valid_name(name) and not name[0].isdigit() else None
