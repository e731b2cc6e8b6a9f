"""The programs that `RUN:` lines may name, as functions of this process with streams of their own."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

Program = Callable[[Sequence[str]], int]
"""Takes arguments, and gives an exit status."""


class UnknownProgramError(Exception):
    """A program that is not among `PROGRAMS`."""


@dataclass(frozen=True)
class Outcome:
    """What a program returned: its exit status and the bytes it wrote."""

    status: int
    stdout: bytes = b""
    stderr: bytes = b""


def run_program(
    words: Sequence[str], stdin: bytes, *, merge: bool, programs: Mapping[str, Program] | None = None
) -> Outcome:
    """Runs the program and arguments in `words`; with `merge`, stderr goes where stdout goes."""
    known = PROGRAMS if programs is None else programs
    name, *arguments = words
    if name == "not":
        outcome = run_program(arguments, stdin, merge=merge, programs=known)
        return Outcome(0 if outcome.status else 1, outcome.stdout, outcome.stderr)
    if name not in known:
        raise UnknownProgramError(f"'{name}' is not understood here; the programs are not, {', '.join(known)}")
    stdout = io.BytesIO()
    stderr = stdout if merge else io.BytesIO()
    with _streams(stdin, stdout, stderr):
        status = _exit_status(known[name], arguments)
    return Outcome(status, stdout.getvalue(), b"" if merge else stderr.getvalue())


def _exit_status(program: Program, arguments: Sequence[str]) -> int:
    try:
        return program(arguments)
    except SystemExit as request:
        return request.code if isinstance(request.code, int) else int(request.code is not None)


@contextmanager
def _streams(stdin: bytes, stdout: io.BytesIO, stderr: io.BytesIO) -> Generator[None]:
    out = io.TextIOWrapper(stdout, encoding="utf-8", write_through=True)
    err = io.TextIOWrapper(stderr, encoding="utf-8", write_through=True)
    outer_stdin = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    try:
        with redirect_stdout(out), redirect_stderr(err):
            yield
    finally:
        sys.stdin = outer_stdin
        out.detach()
        err.detach()


def _vtac_opt(arguments: Sequence[str]) -> int:
    from vtac.tools.vtac_opt import main

    return main(arguments)


def _vtac(arguments: Sequence[str]) -> int:
    from vtac.tools.vtac import main

    return main(arguments)


def _filecheck(arguments: Sequence[str]) -> int:
    from filecheck.matcher import Matcher
    from filecheck.options import parse_argv_options

    return Matcher.from_opts(parse_argv_options(["filecheck", *arguments])).run()


def _cat(arguments: Sequence[str]) -> int:
    for path in arguments:
        sys.stdout.buffer.write(Path(path).read_bytes())
    return 0


def _diff(arguments: Sequence[str]) -> int:
    first, second = arguments
    return int(Path(first).read_bytes() != Path(second).read_bytes())


PROGRAMS: dict[str, Program] = {
    "vtac-opt": _vtac_opt,
    "vtac": _vtac,
    "filecheck": _filecheck,
    "cat": _cat,
    "diff": _diff,
}
