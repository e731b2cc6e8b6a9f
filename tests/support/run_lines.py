"""`RUN:` lines of `.mlir` files, executed inside this process: a few milliseconds instead of a new interpreter each.

Understood, with lit's meaning: continuation lines, `%s %S %t %T %%`, quotes, pipes, `&&`, `;`, `2>&1`,
`< FILE`, `> FILE`, `2> FILE`, `not COMMAND`, and the programs of `run_programs`. Anything else is refused,
never skipped, so that a file that passes here also passes under lit.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from run_programs import Outcome, UnknownProgramError, run_program

RUN_LINE = re.compile(r"^\s*(?://|#|;)\s*RUN:\s*(?P<command>.*?)\s*$")
_UNSUPPORTED_KEYWORDS = re.compile(r"\b(?:REQUIRES|XFAIL|UNSUPPORTED|DEFINE|REDEFINE|ALLOW_RETRIES):")
_SUBSTITUTION = re.compile(r"%(?P<key>basename_t|[sStTp%])")
_MERGE_STDERR = re.compile(r"(?<!\S)2>&1(?!\S)")
_STDERR_TO_FILE = re.compile(r"(?<!\S)2>(?!&)")
_MERGE_TOKEN = "\0merge"
_STDERR_TOKEN = "\0stderr"


class RunLineError(Exception):
    """A `RUN:` line that cannot be executed here, or that failed."""


@dataclass(frozen=True)
class RunLine:
    """One command, continuation lines joined, and the number of its first line."""

    number: int
    command: str


@dataclass
class Invocation:
    """One program with its arguments and redirections."""

    words: list[str] = field(default_factory=list[str])
    stdin_file: str | None = None
    stdout_file: str | None = None
    stderr_file: str | None = None
    merges_stderr: bool = False


def read_run_lines(text: str) -> list[RunLine]:
    """Returns the `RUN:` lines of `text`. Raises `RunLineError` when there are none or lit keywords beyond them."""
    keyword = _UNSUPPORTED_KEYWORDS.search(text)
    if keyword is not None:
        raise RunLineError(f"'{keyword.group()}' is not understood here; leave it out")
    runs: list[RunLine] = []
    continues = False
    for number, line in enumerate(text.splitlines(), 1):
        match = RUN_LINE.match(line)
        if match is None:
            continue
        command = match["command"]
        if continues:
            command = f"{runs[-1].command} {command}"
            number = runs.pop().number  # noqa: PLW2901
        continues = command.endswith("\\")
        runs.append(RunLine(number, command.removesuffix("\\").rstrip()))
    if not runs:
        raise RunLineError("the file has no RUN: line")
    return runs


def execute(run: RunLine, source: Path, scratch: Path) -> None:
    """Executes `run`, a line of `source`, with temporary files in `scratch`. Raises `RunLineError` if it fails."""
    for pipeline in parse_command(_substituted(run.command, source, scratch)):
        stdin, statuses, errors = b"", list[int](), list[str]()
        for invocation in pipeline:
            outcome = _redirected(invocation, stdin)
            statuses.append(outcome.status)
            errors.append(outcome.stderr.decode())
            stdin = outcome.stdout
        if any(statuses):
            names = " | ".join(" ".join(invocation.words) for invocation in pipeline)
            raise RunLineError(f"{names}\nexit status {statuses}\n{''.join(errors)}{stdin.decode()}")


def parse_command(command: str) -> list[list[Invocation]]:
    """Returns the pipelines that `&&` and `;` join, each a list of programs. Raises `RunLineError`."""
    marked = _STDERR_TO_FILE.sub(f" {_STDERR_TOKEN} ", _MERGE_STDERR.sub(f" {_MERGE_TOKEN} ", command))
    lexer = shlex.shlex(marked, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        tokens = iter(list(lexer))
    except ValueError as error:
        raise RunLineError(f"{error}: {command}") from None
    pipelines = [[Invocation()]]
    for token in tokens:
        _take_token(token, tokens, pipelines)
    if not all(invocation.words for pipeline in pipelines for invocation in pipeline):
        raise RunLineError(f"a program is missing: {command}")
    return pipelines


def _take_token(token: str, tokens: Iterator[str], pipelines: list[list[Invocation]]) -> None:
    current = pipelines[-1][-1]
    match token:
        case "|":
            pipelines[-1].append(Invocation())
        case "&&" | ";":
            pipelines.append([Invocation()])
        case "<":
            current.stdin_file = next(tokens, None)
        case ">":
            current.stdout_file = next(tokens, None)
        case _ if token == _STDERR_TOKEN:
            current.stderr_file = next(tokens, None)
        case _ if token == _MERGE_TOKEN:
            current.merges_stderr = True
        case _ if token and set(token) <= set("|&;<>"):
            raise RunLineError(f"'{token}' is not understood here")
        case _:
            current.words.append(token)


def _substituted(command: str, source: Path, scratch: Path) -> str:
    values = {
        "s": str(source),
        "p": str(source.parent),
        "S": str(source.parent),
        "t": str(scratch / f"{source.name}.tmp"),
        "T": str(scratch),
        "basename_t": f"{source.name}.tmp",
        "%": "%",
    }
    return _SUBSTITUTION.sub(lambda match: values[match["key"]], command)


def _redirected(invocation: Invocation, stdin: bytes) -> Outcome:
    if invocation.stdin_file is not None:
        stdin = Path(invocation.stdin_file).read_bytes()
    try:
        outcome = run_program(invocation.words, stdin, merge=invocation.merges_stderr)
    except UnknownProgramError as error:
        raise RunLineError(str(error)) from None
    if invocation.stdout_file is not None:
        Path(invocation.stdout_file).write_bytes(outcome.stdout)
        outcome = Outcome(outcome.status, b"", outcome.stderr)
    if invocation.stderr_file is not None:
        Path(invocation.stderr_file).write_bytes(outcome.stderr)
        outcome = Outcome(outcome.status, outcome.stdout)
    return outcome
