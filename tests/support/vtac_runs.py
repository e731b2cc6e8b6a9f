"""The command `vtac` in this process: what it writes, and what it refuses with."""

from __future__ import annotations

from pathlib import Path

from run_programs import Outcome, run_program


def vtac(*arguments: str | Path, text: str = "") -> Outcome:
    """What `vtac` returns and writes."""
    return run_program(["vtac", *map(str, arguments)], text.encode(), merge=False)


def succeed(*arguments: str | Path, text: str = "") -> str:
    """What `vtac` writes, and nothing on stderr."""
    outcome = vtac(*arguments, text=text)
    assert (outcome.status, outcome.stderr) == (0, b"")
    return outcome.stdout.decode()


def refusal(*arguments: str | Path, text: str = "") -> str:
    """The one line that `vtac` refuses with."""
    outcome = vtac(*arguments, text=text)
    assert (outcome.status, outcome.stdout) == (1, b"")
    message = outcome.stderr.decode()
    assert message.count("\n") == 1
    return message
