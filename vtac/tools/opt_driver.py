"""The driver of `vtac-opt`: runs passes over MLIR text and prints the result, with the habits of mlir-opt."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import PassPipeline
from xdsl.targets.mlir import MLIRTarget
from xdsl.utils.target import Target
from xdsl.xdsl_opt_main import xDSLOptMain

from vtac.pipelines import Instrumentation, Runner
from vtac.text.context import dialect_factories
from vtac.text.failures import reports_of
from vtac.text.reports import Report
from vtac.text.source import decode_source, is_blank, parse_module, read_source
from vtac.tools.chunks import split_chunks
from vtac.tools.entry import FAILURE, UsageError, print_failure, version_text
from vtac.tools.expectations import mismatches
from vtac.tools.ir_printing import PrintAfter, PrintBetween, check_names
from vtac.tools.opt_options import Options, parse_options
from vtac.tools.output import write_text
from vtac.tools.pass_help import help_pass, list_passes
from vtac.tools.pass_pipeline import build, parse_passes, parse_specs
from vtac.tools.registry import format_factories, pass_factories
from vtac.tools.timing import Timer
from vtac.universe import VTAC

_CHUNK_SEPARATOR = "// -----\n"


class VtacOpt(xDSLOptMain):
    """xDSL's driver with our dialects, passes and targets, located errors and all-or-nothing output."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.args = options
        self.available_frontends = {}
        self.available_passes = {}
        self.available_targets = {}
        self.ctx = Context(allow_unregistered=options.allow_unregistered_dialect)
        self.timer = Timer()
        self.register_all_dialects()
        self.register_all_passes()
        self.register_all_targets()
        self.setup_pipeline()
        self.output_target = self._make_target()

    def register_all_dialects(self) -> None:
        for name, factory in dialect_factories().items():
            self.ctx.register_dialect(name, factory)

    def register_all_passes(self) -> None:
        for name, factory in pass_factories().items():
            self.register_pass(name, factory)

    def register_all_targets(self) -> None:
        self.available_targets.update(format_factories())

    def setup_pipeline(self) -> None:
        passes = parse_passes(self.options.passes, self.available_passes)
        check_names(self.options.print_after or (), passes)
        self.pipeline = PassPipeline(passes)

    def run(self) -> None:
        """Runs the tool and exits with its status."""
        sys.exit(self.execute())

    def execute(self) -> int:
        """Runs the passes over each program of the input; returns the exit status."""
        text = self._read_input()
        outputs: list[str] = []
        failed = False
        for chunk in split_chunks(text) if self.options.split_input_file else [text]:
            output, succeeded = self._run_chunk(chunk)
            failed = failed or not succeeded
            if output is not None:
                outputs.append(output)
        if self.options.time_passes:
            self.timer.print_tree()
        to_stdout = self.options.output_file in (None, "-")
        if to_stdout or not failed:
            write_text(_CHUNK_SEPARATOR.join(outputs), self.options.output_file)
        return FAILURE if failed else 0

    def _run_chunk(self, text: str) -> tuple[str | None, bool]:
        """Returns the output, if there is one, and whether everything went as it should."""
        reports: list[Report] = []
        output: str | None = None
        try:
            output = self._transform(text)
        except Exception as error:
            reports = reports_of(error, self.options.input_name)
            if not self.options.verify_diagnostics or not reports:
                print_failure("vtac-opt", error, self.options.input_name, debug=self.options.debug, text=text)
                return None, False
        if not self.options.verify_diagnostics:
            return output, True
        problems = mismatches(text, self.options.input_name, reports)
        for problem in problems:
            print(problem, file=sys.stderr)
        return output, not problems

    def _transform(self, text: str) -> str:
        with self.timer.section("parse and verify"):
            module = self._parse(text)
        self.apply_passes(module)
        with self.timer.section("print"):
            return self.output_resulting_program(module)

    def _parse(self, text: str) -> ModuleOp:
        options = self.options
        if options.split_input_file and is_blank(text):
            return ModuleOp([])
        return parse_module(
            text,
            options.input_name,
            self.ctx,
            check=not options.disable_verify,
            implicit_module=not options.no_implicit_module,
        )

    def apply_passes(self, prog: ModuleOp) -> None:
        """Runs the passes, verifying after each."""
        check = not self.options.disable_verify
        each = self.options.verify_each
        runner = Runner(self.ctx, self._instrumentations(), verify_each=each, verify_phases=check)
        for current in self.pipeline.passes:
            runner.run_pass(current, prog)
            if check and not each:
                runner.verify(prog, f"after pass '{current.name}'")

    def _instrumentations(self) -> tuple[Instrumentation, ...]:
        options = self.options
        generic = options.print_op_generic
        between = (PrintBetween(generic=generic),) if options.print_between_passes else ()
        named = (PrintAfter(options.print_after, generic=generic),) if options.print_after else ()
        every = (PrintAfter(None, generic=generic),) if options.print_after_all else ()
        return (*between, *(every or named), self.timer)

    def output_resulting_program(self, prog: ModuleOp) -> str:
        stream = StringIO()
        self.output_target.emit(self.ctx, prog, stream)
        return stream.getvalue().rstrip("\n") + "\n"

    def _make_target(self) -> Target:
        specs = parse_specs(self.options.target, "target")
        if len(specs) != 1:
            raise UsageError(f"-t takes one target, found '{self.options.target}'")
        target = build(specs[0], "target", format_factories())
        if not isinstance(target, MLIRTarget):
            return target
        generic = target.print_generic_format or self.options.print_op_generic
        debuginfo = target.print_debuginfo or self.options.print_debuginfo
        return replace(target, print_generic_format=generic, print_debuginfo=debuginfo)

    def _read_input(self) -> str:
        if self.options.input_file in (None, "-"):
            if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison]
                raise UsageError("no input: stdin is closed and no file is given")
            return decode_source(sys.stdin.buffer.read(), self.options.input_name)
        return read_source(self.options.input_name)


def _information(options: Options) -> str | None:
    """What is asked for instead of a run; None for a run."""
    if options.version:
        return f"{version_text('vtac-opt')}\n"
    if options.list_passes:
        return list_passes()
    if options.help_pass is not None:
        return help_pass(options.help_pass)
    if options.irdl:
        from vtac.tools.irdl import irdl_module  # it needs xDSL's irdl dialect, which nothing else does

        return str(irdl_module([load() for load in VTAC.all_dialects.values()])) + "\n"
    return None


def run(arguments: Sequence[str]) -> int:
    """Does what the arguments say; returns the exit status. Raises what goes wrong."""
    options = parse_options(arguments)
    information = _information(options)
    if information is None:
        return VtacOpt(options).execute()
    write_text(information, options.output_file)
    return 0
