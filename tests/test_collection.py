"""How often Python looks for garbage, while compiling and when one of our programs ends."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from vtac.collection import seldom_collected

_PROGRAM = """
import atexit, gc
atexit.register(lambda: print(gc.get_threshold()[0] > usual[0], gc.get_freeze_count() > 0))
usual = gc.get_threshold()
from vtac.collection import run_as_program
run_as_program()
run_as_program()
print(gc.get_freeze_count())
"""


def test_a_program_looks_seldom_and_not_when_it_ends() -> None:
    run = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n") == ["0", "True True", ""]


def test_thresholds_are_as_before_behind_a_compilation_that_fails() -> None:
    usual = gc.get_threshold()
    with pytest.raises(ValueError, match="inside"), seldom_collected():
        assert gc.get_threshold()[0] > usual[0]
        raise ValueError("inside")
    assert gc.get_threshold() == usual


def test_what_is_seldom_already_stays_so() -> None:
    usual = gc.get_threshold()
    with seldom_collected():
        outer = gc.get_threshold()
        with seldom_collected():
            assert gc.get_threshold() == outer
    assert gc.get_threshold() == usual
