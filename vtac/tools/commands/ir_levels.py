"""`--print-ir`, `--print-ir-after-all` and `--dump-ir` of the subcommands that compile."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from vtac.files.folders import write_folder
from vtac.pipelines import INPUT, Instrumentation, Step
from vtac.targets.target import Target
from vtac.tools.commands.programs import parse_program
from vtac.tools.commands.target_options import hardware_of, saved_target
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.ir_printing import PrintAfter, ir_text, op_text

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST_NAME = 60


class IrOptions(argparse.Namespace):
    """The options, typed."""

    source: str
    function: str | None = None
    schedule: str | None = None
    acc_8bit: bool = False
    print_ir: list[str] | None = None
    print_ir_after_all: bool = False
    dump_ir: str | None = None


def add_ir_arguments(parser: ToolParser) -> None:
    """Adds the options."""
    add = parser.add_argument
    add(
        "--print-ir",
        action="append",
        metavar="PHASE[:FUNCTION]",
        help="print the IR after a phase on stderr, of one function or of all; may be given several times",
    )
    add("--print-ir-after-all", action="store_true", help="print the IR after every pass on stderr")
    add("--dump-ir", metavar="DIR", help="write the IR after every phase into a directory, a numbered file each")


def show_ir(options: IrOptions, target: Target) -> None:
    """Lowers the program once more with someone who looks on; nothing where no IR is asked for.

    Raises `UsageError` for a saved program, and for a phase or a function that there is none of.
    """
    names = options.print_ir or []
    if not names and not options.print_ir_after_all and options.dump_ir is None:
        return
    if saved_target(options.source) is not None:
        raise UsageError(f"'{options.source}' is a saved program: its IR is gone; give the file it was compiled from")
    printers = [PrintPhase(*_parts(name)) for name in names]
    dump = None if options.dump_ir is None else DumpPhases()
    every = [PrintAfter(None, generic=False)] if options.print_ir_after_all else []
    _lower(options, target, (*printers, *every, *([dump] if dump is not None else [])))
    for printer in printers:
        printer.require_found()
    if dump is not None and options.dump_ir is not None:
        write_folder(Path(options.dump_ir), dump.files)


def _lower(options: IrOptions, target: Target, instrumentations: tuple[Instrumentation, ...]) -> None:
    from vtac.compiler import lower
    from vtac.dialects.vta.declared import ACC_8BIT
    from vtac.text.source import parse

    module = parse_program(options.source, options.function)
    if options.acc_8bit:
        ACC_8BIT.set(module, True)
    schedule = None if options.schedule is None else parse(Path(options.schedule))
    lower(module, target.name, hardware_of(options, target), schedule, instrumentations=instrumentations)


def _parts(name: str) -> tuple[str, str | None]:
    phase, colon, function = name.partition(":")
    return phase, function if colon else None


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
        self.files[f"{len(self.files):03}_{phase}{suffix}.mlir"] = op_text(module).encode()
