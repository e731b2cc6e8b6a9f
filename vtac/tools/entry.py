"""What the command-line tools share: their argument parser and the guard that turns exceptions into messages."""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from vtac.errors import CompileError, ScheduleError, VtacError
from vtac.lazily import installed_version
from vtac.starting import run_as_program
from vtac.text.reports import Report, one_line, suggestion

FAILURE = 1
INTERRUPTED = 130
TERMINATED = 143
_SHELL_ASKS = "_ARGCOMPLETE"
"""What a shell reports for a process that SIGINT or SIGTERM ended."""


class TerminatedError(BaseException):
    """A request to end, SIGTERM: as with an interrupt, what is open is closed, and nothing half done is left."""


class UsageError(VtacError):
    """Command-line arguments that the tool does not understand."""

    kind = "usage"


def wants_completion() -> bool:
    """Whether a shell asks what may come next."""
    return _SHELL_ASKS in os.environ


def complete(parser: argparse.ArgumentParser) -> None:
    """Answers a shell that asks what may come next, and ends the process; otherwise nothing.

    The shell asks by argcomplete's protocol (extra `vtac[complete]`); a command's words come after the tool's name.
    """
    if not wants_completion():
        return
    from importlib import import_module

    if " " in parser.prog:
        os.environ[_SHELL_ASKS] = str(int(os.environ[_SHELL_ASKS]) + 1)
    import_module("argcomplete").autocomplete(parser)


class ToolParser(argparse.ArgumentParser):
    """An argument parser that raises `UsageError` instead of printing its usage and exiting with 2."""

    def __init__(self, prog: str, description: str, example: str) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=example,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; run '{self.prog} --help' for the options")

    def parse(self, arguments: Sequence[str], options: argparse.Namespace) -> None:
        """Parses `arguments` into `options`. Raises `UsageError`, with a suggestion for a misspelt option."""
        complete(self)
        if "" in arguments:
            self.error("an argument is empty; a file, a directory or a value is required")
        _, unknown = self.parse_known_args(arguments, options)
        if unknown:
            known = [option for action in self._actions for option in action.option_strings]
            name = unknown[0].partition("=")[0]
            self.error(f"unexpected argument '{unknown[0]}'{suggestion(name, known)}")


def version_text(tool: str) -> str:
    """Returns the tool's version and that of xDSL, for `--version`."""
    return f"{tool}: vtac {installed_version('vtac')}, xdsl {installed_version('xdsl')}"


def guarded(tool: str, action: Callable[[], int], *, debug: bool, as_json: bool = False) -> int:
    """Returns the exit status of `action`; one that raises gets its message on stderr and status 1.

    With `debug` the traceback follows, with `as_json` stdout gets an object `{"error": ...}` of the message's parts.
    Anything but an error of the input is reported as an internal one.
    """
    if sys.stderr is None:  # pyright: ignore[reportUnnecessaryComparison]
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    run_as_program()
    try:
        with _termination_raised():
            status = action()
        if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison]
            sys.stdout.flush()
        return status
    except SystemExit:
        raise
    except BrokenPipeError:
        _discard_output()
        return FAILURE
    except KeyboardInterrupt:
        print(f"{tool}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except TerminatedError:
        print(f"{tool}: terminated", file=sys.stderr)
        return TERMINATED
    except BaseException as error:
        if _is_of_output(error):
            _discard_output()
        print_failure(tool, error, debug=debug)
        if as_json and isinstance(error, VtacError):
            print(json.dumps({"error": error.to_fields()}))
        return FAILURE


@contextmanager
def _termination_raised() -> Generator[None]:
    """SIGTERM raises in the main thread, where it would have ended the process; elsewhere nothing changes."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def end(number: int, frame: FrameType | None) -> NoReturn:
        del number, frame
        raise TerminatedError

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _is_of_output(error: BaseException) -> bool:
    """Whether stdout could not be written, so that what it still holds cannot be either."""
    cause = error.__cause__ if isinstance(error, VtacError) else error
    return isinstance(cause, OSError) and cause.filename is None


def _discard_output() -> None:
    """Let what stdout still holds go nowhere, so that the interpreter's end does not try to write it again."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):
        return


def print_failure(
    tool: str, error: BaseException, input_name: str = "", *, debug: bool, text: str | None = None
) -> None:
    """Prints what `error` has to say on stderr: one line, or one per finding, at `input_name` if nowhere better.

    Below each stands the line of the source that it is about; `text` is that of `input_name` where it is no file.
    """
    from vtac.text.excerpts import excerpt

    texts = {} if text is None else {input_name: text}
    for report in _reports(error, input_name):
        place = "" if report.location else f"{tool}: "
        print("\n".join(filter(None, (f"{place}{report}", excerpt(report.location, texts)))), file=sys.stderr)
    if isinstance(error, ScheduleError) and error.nest:
        print(error.nest, file=sys.stderr)
    if debug:
        if isinstance(error, VtacError) and error.trace is not None:
            error = error.with_traceback(error.trace)
        traceback.print_exception(error)


def _reports(error: BaseException, input_name: str) -> list[Report]:
    if isinstance(error, VtacError) and not isinstance(error, CompileError) and not error.locations:
        return [Report("error", one_line(error.message), input_name)]
    if isinstance(error, OSError) and error.filename is not None:
        return [Report("error", f"cannot access '{error.filename}': {error.strerror}")]
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EBADF):
        return [Report("error", f"cannot write to standard output: {error.strerror}")]
    if isinstance(error, MemoryError):
        return [Report("error", "out of memory")]
    from vtac.text.failures import location_at_fault, reports_of

    text = f"internal error: {type(error).__name__}: {one_line(str(error))}; rerun with --debug for the traceback"
    return reports_of(error, input_name) or [Report("error", text, location_at_fault(error) or input_name)]
