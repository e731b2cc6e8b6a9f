"""The IR after phases of a run: printed on stderr, or collected as files."""

from __future__ import annotations

import re
import sys

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from vtac.pipelines import INPUT, Instrumentation, Step
from vtac.text.printing import op_text
from vtac.tools.entry import UsageError
from vtac.tools.ir_printing import ir_text

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST_NAME = 60


class _AtPhases(Instrumentation):
    """Is told of the IR before everything, and of that after each phase."""

    def __init__(self) -> None:
        self._has_begun = False

    def before(self, step: Step, module: ModuleOp) -> None:
        if not self._has_begun:
            self._has_begun = True
            self.reached(INPUT, module)

    def after(self, step: Step, module: ModuleOp) -> None:
        if step.kind == "phase":
            self.reached(step.name, module)

    def reached(self, phase: str, module: ModuleOp) -> None:
        """Called with each level in turn; phases of kernels come with the module of the kernel."""


class PrintPhase(_AtPhases):
    """Prints the IR after one phase on stderr, of one function where that is named."""

    def __init__(self, phase: str, function: str | None) -> None:
        super().__init__()
        self._phase, self._function = phase, function
        self._phases: dict[str, None] = {}
        self._functions: dict[str, None] = {}
        self._is_found = False

    def reached(self, phase: str, module: ModuleOp) -> None:
        self._phases[phase] = None
        if phase != self._phase:
            return
        functions = [op for op in module.walk() if isinstance(op, FuncOp)]
        self._functions.update(dict.fromkeys(function.sym_name.data for function in functions))
        wanted = [op for op in functions if op.sym_name.data == self._function]
        for op in [module] if self._function is None else wanted:
            self._is_found = True
            sys.stderr.write(ir_text(Step("phase", phase), op, generic=False))

    def require_found(self) -> None:
        """Raises `UsageError` when the phase or the function never came."""
        if self._phase not in self._phases:
            raise UsageError(f"--print-ir {self._phase}: no such phase; the phases are {', '.join(self._phases)}")
        if not self._is_found:
            known = ", ".join(self._functions) or "none"
            raise UsageError(
                f"--print-ir {self._phase}:{self._function}: no such function; after the phase there are {known}"
            )


class DumpPhases(_AtPhases):
    """Collects the IR after each phase; `files` are texts by names such as `003_scheduled_conv1.mlir`."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}

    def reached(self, phase: str, module: ModuleOp) -> None:
        kernel = next((op.sym_name.data for op in module.ops if isinstance(op, FuncOp)), "")
        suffix = _UNSAFE.sub("_", f"_{kernel}")[:_LONGEST_NAME] if module.parent_op() is not None and kernel else ""
        self.files[f"{len(self.files):03}_{phase}{suffix}.mlir"] = f"{op_text(module)}\n".encode()
