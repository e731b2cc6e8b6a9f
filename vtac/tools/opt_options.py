"""The command-line options of `vtac-opt`."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence

from vtac.tools.entry import ToolParser
from vtac.tools.registry import format_factories, pass_factories
from vtac.universe import get_all_passes

_EXAMPLE = """example:
  vtac-opt input.mlir -p 'canonicalize,scf-for-loop-unroll,cse' -o output.mlir

passes of vtac:
{own}

passes of xDSL:
{upstream}
"""


class Options(argparse.Namespace):
    """The options, typed, with their defaults."""

    input_file: str | None = None
    passes: str = ""
    target: str = "mlir"
    output_file: str | None = None
    allow_unregistered_dialect: bool = False
    no_implicit_module: bool = False
    disable_verify: bool = False
    split_input_file: bool = False
    verify_diagnostics: bool = False
    print_between_passes: bool = False
    print_after: list[str] | None = None
    print_after_all: bool = False
    verify_each: bool = False
    time_passes: bool = False
    print_op_generic: bool = False
    print_debuginfo: bool = False
    debug: bool = False
    version: bool = False
    list_passes: bool = False
    help_pass: str | None = None
    irdl: bool = False

    @property
    def input_name(self) -> str:
        """What messages call the input."""
        return "<stdin>" if self.input_file in (None, "-") else str(self.input_file)


def parse_options(arguments: Sequence[str]) -> Options:
    """Parses the arguments. Raises `UsageError`; `--help` prints and exits."""
    options = Options()
    _make_parser().parse(arguments, options)
    return options


_FLAGS = {
    "--list-passes": "print the passes, each with what it does",
    "--irdl": "print our dialects as IRDL, which 'mlir-opt --irdl-file' loads",
    "--split-input-file": "treat the parts between '// -----' lines as programs of their own",
    "--verify-diagnostics": "check the messages against 'expected-error' comments; fail when they differ",
    "--print-between-passes": "print the IR between passes on stderr, those within a pipeline included",
    "--print-after-all": "print the IR after every pass on stderr, those within a pipeline included",
    "--verify-each": "verify after every pass within a pipeline too, not only after its phases",
    "--time-passes": "print how long each pass took on stderr, as a tree of pipelines, phases and passes",
    "--print-op-generic": "print operations in generic syntax",
    "--print-debuginfo": "print source locations",
    "--allow-unregistered-dialect": "accept operations of unknown dialects",
    "--no-implicit-module": "require the input to be one builtin.module",
    "--disable-verify": "skip verification",
    "--debug": "print a traceback with each error",
    "--version": "print the versions of vtac and xDSL",
}


def _make_parser() -> ToolParser:
    own = sorted(get_all_passes())
    upstream = sorted(set(pass_factories()) - set(own))
    example = _EXAMPLE.format(own=_wrapped(own), upstream=_wrapped(upstream))
    parser = ToolParser("vtac-opt", "Runs passes over MLIR text and prints the result.", example)
    parser.add_argument("input_file", nargs="?", metavar="FILE", help="input; stdin when absent or -")
    add = parser.add_argument
    formats = ", ".join(sorted(format_factories()))
    add("-p", "--passes", metavar="PIPELINE", help="passes to run: 'pass{option=value},...'")
    add(
        "-t",
        "--target",
        metavar="TARGET",
        help=f"what to print: {formats} (default mlir)",
    )
    add("-o", "--output-file", metavar="FILE", help="output file, written whole or not at all; default stdout")
    add(
        "--print-after",
        metavar="PASS",
        action="append",
        help="print the IR after each run of a pass, or after a phase of one, on stderr; may be repeated",
    )
    add("--help-pass", metavar="PASS", help="print what a pass requires, ensures and declines, and its options")
    for flag, text in _FLAGS.items():
        add(flag, action="store_true", help=text)
    return parser


def _wrapped(names: Sequence[str]) -> str:
    return textwrap.fill(", ".join(names), 100, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
