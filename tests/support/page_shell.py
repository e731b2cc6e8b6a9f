"""Lines of shell on the pages, in this process: `vtac`, `vtac-opt`, and the repository's scripts."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from page_blocks import ROOT
from run_programs import PROGRAMS, Outcome, Program, run_program

_TARGETS = frozenset(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def shell_lines(text: str) -> list[str]:
    """The commands of a block, without what is said about them; a line that ends with a backslash goes on."""
    joined = re.sub(r"\\\n\s*", "", text)
    lines = (re.sub(r"(^|\s)#(?=\s|$).*", "", line).strip() for line in joined.splitlines())
    return [line for line in lines if line]


def sessions(text: str) -> list[tuple[str, str]]:
    """The commands of a session, which stand behind `$`, and what each printed."""
    found = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)
    return [(line, printed) for head, printed in found for line in shell_lines(head)]


def run_line(line: str) -> Outcome:
    """Run commands that `&&` joins in the folder of this process, their messages where their results go.

    Of `make` only the target is looked up. Raises `UnknownProgramError` for a command that is not ours.
    """
    outcome = Outcome(0)
    for command in line.split(" && "):
        if outcome.status == 0:
            outcome = run_program(shlex.split(command), b"", merge=True, programs=_OURS)
    return outcome


def _make(arguments: Sequence[str]) -> int:
    unknown = set(arguments) - _TARGETS
    if unknown:
        print(f"the Makefile has no target {', '.join(unknown)}", file=sys.stderr)
    return int(bool(unknown))


def _script(arguments: Sequence[str]) -> int:
    """A script of the repository, as `python FILE` runs it."""
    path = Path(arguments[0]).resolve()
    if not path.is_relative_to(ROOT):
        print(f"{arguments[0]} is no script of the repository", file=sys.stderr)
        return 2
    with _called(path, arguments):
        runpy.run_path(str(path), run_name="__main__")
    return 0


@contextmanager
def _called(path: Path, arguments: Sequence[str]) -> Generator[None]:
    """With what a script finds in `sys`; the modules beside it are forgotten afterwards."""
    before, known = (sys.argv, sys.path), set(sys.modules)
    sys.argv, sys.path = list(arguments), [str(path.parent), *sys.path]
    try:
        yield
    finally:
        sys.argv, sys.path = before
        for name in set(sys.modules) - known:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(path.parent)):
                del sys.modules[name]


_OURS: Mapping[str, Program] = MappingProxyType(
    {"vtac": PROGRAMS["vtac"], "vtac-opt": PROGRAMS["vtac-opt"], "python": _script, "make": _make}
)


def as_pattern(shown: str) -> str:
    """What matches a text whose dots stand for anything, and whose spaces for any."""
    parts = (r"\s+".join(map(re.escape, part.split())) for part in shown.split("..."))
    return r"[\s\S]*?".join(parts)
