"""Runs of `vtac-opt`, in this process."""

from __future__ import annotations

from run_programs import Outcome, run_program

DOUBLE = """func.func @double(%a: i32) -> i32 {
  %0 = arith.addi %a, %a : i32
  func.return %0 : i32
}
"""


def vtac_opt(*arguments: str, text: str = "") -> Outcome:
    """A run with that text on its standard input."""
    return run_program(["vtac-opt", *arguments], text.encode(), merge=False)


def refusal(*arguments: str, text: str = DOUBLE) -> str:
    """What a refused call says: exit status 1, nothing on stdout, one line on stderr and the place in the source."""
    outcome = vtac_opt(*arguments, text=text)
    assert (outcome.status, outcome.stdout) == (1, b"")
    message, *quoted = outcome.stderr.decode().splitlines()
    assert not quoted or (len(quoted) == 2 and "^" in quoted[1])
    return message.strip()
