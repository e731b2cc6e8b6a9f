"""A script that was written for a function, and what it makes of the function's module."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO

from xdsl.dialects.builtin import ModuleOp
from xdsl.printer import Printer

from vtac.dialects.schedule.script import ScriptOp


@dataclass(frozen=True)
class WrittenScript:
    """A script, as what `vtac.compile` takes for a schedule."""

    script: ScriptOp

    def __str__(self) -> str:
        text = StringIO()
        Printer(text).print_op(self.script)
        return text.getvalue() + "\n"


@dataclass(frozen=True)
class Lowering:
    """A module at the vta level, and the script by which it was lowered."""

    script: ScriptOp
    module: ModuleOp
