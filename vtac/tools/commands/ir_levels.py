"""`--print-ir`, `--print-ir-after-all` and `--dump-ir` of the subcommands that compile."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vtac.files.folders import write_folder
from vtac.targets.target import Target
from vtac.tools.commands.programs import parse_program
from vtac.tools.commands.target_options import hardware_of, saved_target
from vtac.tools.entry import ToolParser, UsageError

if TYPE_CHECKING:
    from vtac.pipelines import Instrumentation


class IrOptions(argparse.Namespace):
    """The options, typed."""

    source: str
    function: str | None = None
    schedule: str | None = None
    acc_8bit: bool = False
    print_ir: list[str] | None = None
    print_ir_after_all: bool = False
    dump_ir: str | None = None
    time_passes: bool = False
    measurements: str | None = None


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
    add("--time-passes", action="store_true", help="print on stderr how long each phase and pass takes, as a tree")
    add("--dump-ir", metavar="DIR", help="write the IR after every phase into a directory, a numbered file each")


def show_ir(options: IrOptions, target: Target) -> None:
    """Lowers the program once more with someone who looks on; nothing where no IR is asked for.

    Raises `UsageError` for a saved program, and for a phase or a function that there is none of.
    """
    names = options.print_ir or []
    if not names and not options.print_ir_after_all and options.dump_ir is None and not options.time_passes:
        return
    from vtac.tools.ir_phases import DumpPhases, PrintPhase
    from vtac.tools.ir_printing import PrintAfter
    from vtac.tools.timing import Timer

    if saved_target(options.source) is not None:
        raise UsageError(f"'{options.source}' is a saved program: its IR is gone; give the file it was compiled from")
    printers = [PrintPhase(*_parts(name)) for name in names]
    dump = None if options.dump_ir is None else DumpPhases()
    every = [PrintAfter(None, generic=False)] if options.print_ir_after_all else []
    timer = Timer()
    _lower(options, target, (*printers, *every, *([dump] if dump is not None else []), timer))
    if options.time_passes:
        timer.print_tree()
    for printer in printers:
        printer.require_found()
    if dump is not None and options.dump_ir is not None:
        write_folder(Path(options.dump_ir), dump.files)


def _lower(options: IrOptions, target: Target, instrumentations: tuple[Instrumentation, ...]) -> None:
    from vtac.compiler import lower
    from vtac.dialects.vta.declared import ACC_8BIT
    from vtac.pipelines import Runner
    from vtac.text.context import make_context
    from vtac.text.source import parse

    if options.measurements is not None:
        raise UsageError("--measurements: the IR that is shown is of estimated tilings; print it without measurements")
    module = parse_program(options.source, options.function)
    if options.acc_8bit:
        ACC_8BIT.set(module, True)
    schedule = None if options.schedule is None else parse(Path(options.schedule))
    lower(module, target.name, hardware_of(options, target), schedule, runner=Runner(make_context(), instrumentations))


def _parts(name: str) -> tuple[str, str | None]:
    phase, colon, function = name.partition(":")
    return phase, function if colon else None
