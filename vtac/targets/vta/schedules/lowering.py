"""A script that was written for a function, and what it makes of the function's module."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp

from vtac.dialects.schedule.script import ScriptOp
from vtac.text.printing import op_text


@dataclass(frozen=True)
class WrittenScript:
    """A script, as what `vtac.compile` takes for a schedule."""

    script: ScriptOp

    def __str__(self) -> str:
        return f"{op_text(self.script)}\n"


@dataclass(frozen=True)
class Lowering:
    """A module at the vta level, and the script by which it was lowered."""

    script: ScriptOp
    module: ModuleOp
