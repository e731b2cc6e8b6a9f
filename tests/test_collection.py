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


def test_what_a_compilation_leaves_is_not_looked_through_at_its_end() -> None:
    looks: list[str] = []
    gc.collect()
    gc.callbacks.append(lambda phase, _: looks.append(phase))
    try:
        with seldom_collected():
            left = [[number] for number in range(50_000)]
        assert looks == []
    finally:
        gc.callbacks.pop()
    assert len(left) == 50_000
    assert gc.get_freeze_count() == 0


def test_what_compilations_leave_is_looked_through_once_it_is_much() -> None:
    """A million objects, whatever many compilations have left them."""
    looks: list[int] = []
    gc.callbacks.append(lambda _, about: looks.append(about["generation"]))
    try:
        left: list[list[list[int]]] = []
        for _ in range(3):
            with seldom_collected():
                left.append([[number] for number in range(400_000)])
    finally:
        gc.callbacks.pop()
    assert 2 in looks
    assert len(left) == 3


def test_what_others_have_frozen_stays_so() -> None:
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with seldom_collected():
            pass
        assert gc.get_freeze_count() >= frozen
    finally:
        gc.unfreeze()
