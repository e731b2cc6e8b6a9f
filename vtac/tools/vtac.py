"""`vtac`: compiles programs, runs them, and looks into instruction streams. One module per subcommand."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple, Protocol

from vtac.text.reports import suggestion
from vtac.tools.entry import ToolParser, UsageError, complete, guarded, version_text, wants_completion


class Command(NamedTuple):
    """A subcommand: the module in `vtac.tools.commands` that holds its `main`, and what it does."""

    module: str
    summary: str


COMMANDS: dict[str, Command] = {
    "run": Command("run", "compile a program, or load a saved one, and execute it"),
    "compile": Command("compile_program", "compile a program and save it in a directory"),
    "quantize": Command("quantize", "turn a trained model into an integer program, and report what that costs"),
    "disasm": Command("disasm", "print an instruction stream as assembly"),
    "asm": Command("asm", "turn assembly into an instruction stream"),
    "check": Command("check", "prove an instruction stream safe, or say what is wrong with it"),
    "stats": Command("stats", "say what a program of any target consists of and costs, without running it"),
    "diff": Command("diff", "show how two instruction streams differ, aligned and by layers"),
    "report": Command("report_page", "write a report on a program: one HTML page"),
    "fuzz": Command("fuzz", "attack the compiler with random cases (in a source checkout)"),
    "export": Command("export", "write a CUDA program as C++ sources"),
    "schedule": Command("schedule", "print the schedule that a program without one gets"),
    "tune": Command("tune", "search a better schedule, on this machine or a cluster"),
    "explore": Command("explore", "sweep over hardware configurations, with exact cycles"),
    "explain": Command("explain", "explain a kind of finding or fault, with an example"),
    "devices": Command("devices", "say what devices are, reset one, load its bitstream, install an agent on a board"),
    "agent": Command("agent", "lend an accelerator, or a simulator, to other clients"),
    "config": Command("config", "print, check and compare hardware configurations"),
    "cache": Command("cache", "say what the cache of compiled programs holds, or empty it"),
}

_DEBUG = ("--debug", "--verbose")
"""Ask for the traceback of a failure."""

_HELP = """usage: vtac COMMAND ...

Compiles linalg programs for the VTA accelerator and for tensor cores, and runs them.

commands:
{commands}

'vtac COMMAND --help' explains a command. 'vtac --version' prints the versions. With --verbose a failure
is followed by the place in the compiler where it arose.

example:
  vtac run examples/vta_conv2d.mlir --seed 0 --stats stats.json
"""


class _CommandMain(Protocol):
    def __call__(self, arguments: Sequence[str]) -> int: ...


class _CommandModule(Protocol):
    main: _CommandMain


def main(args: Sequence[str] | None = None) -> int:
    """Runs `vtac` with `args`, else with the process's arguments; returns the exit status."""
    arguments = sys.argv[1:] if args is None else list(args)
    words = [word for word in arguments if word not in _DEBUG]
    return guarded("vtac", lambda: dispatch(words), debug=words != arguments, as_json="--json" in arguments)


def dispatch(arguments: Sequence[str]) -> int:
    """Run the command that the first argument names; its exit status. Raises `UsageError` without a known one."""
    if wants_completion():
        _complete()
    if not arguments:
        raise UsageError(f"a command is missing: {', '.join(COMMANDS)}; run 'vtac --help'")
    name, *rest = arguments
    if name in ("-h", "--help", "help"):
        print(_HELP.format(commands="\n".join(f"  {name:<8} {command.summary}" for name, command in COMMANDS.items())))
        return 0
    if name == "--version":
        print(version_text("vtac"))
        return 0
    if name not in COMMANDS:
        hint = suggestion(name, COMMANDS) or f"; the commands are {', '.join(COMMANDS)}"
        raise UsageError(f"unknown command '{name}'{hint}")
    return _load(COMMANDS[name]).main(rest)


def _complete() -> None:
    """Answers a shell about the command's name, or lets the command answer about its options."""
    words = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT", "0"))].split(" ")
    if len(words) > 2 and words[1] in COMMANDS:
        _load(COMMANDS[words[1]]).main([])
    parser = ToolParser("vtac", "Compiles linalg programs.", "")
    parser.add_argument("command", choices=list(COMMANDS))
    complete(parser)


def _load(command: Command) -> _CommandModule:
    return import_module(f"vtac.tools.commands.{command.module}")  # pyright: ignore[reportReturnType]


if __name__ == "__main__":
    sys.exit(main())
