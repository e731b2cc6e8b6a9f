"""What our programs set for their process: looks for garbage are seldom, and numpy's products have one thread."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_LOOKS = """
import atexit, gc
atexit.register(lambda: print(gc.get_threshold()[0] > usual[0], gc.get_freeze_count() > 0))
usual = gc.get_threshold()
from vtac.starting import run_as_program
run_as_program()
run_as_program()
print(gc.get_freeze_count())
"""
_THREADS = """
from vtac.starting import run_as_program
run_as_program()
import numpy, os, threadpoolctl
found = [record["num_threads"] for record in threadpoolctl.threadpool_info() if record["internal_api"] == "openblas"]
print(os.environ["OPENBLAS_DEFAULT_NUM_THREADS"], *found)
"""
_EXAMPLE = """
import sys
sys.path.insert(0, "examples")
import flags
print("vtac.starting" in sys.modules, "numpy" in sys.modules)
"""


def _said(program: str, **variables: str) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment | variables
    )
    return ran.stdout.split()


def test_a_program_looks_seldom_and_not_when_it_ends() -> None:
    assert _said(_LOOKS) == ["0", "True", "True"]


def test_products_of_a_program_have_one_thread() -> None:
    assert set(_said(_THREADS)) == {"1"}


@pytest.mark.parametrize(
    ("variables", "first"),
    [({"OPENBLAS_NUM_THREADS": "2"}, "1"), ({"OPENBLAS_DEFAULT_NUM_THREADS": "2"}, "2")],
)
def test_what_the_user_says_of_threads_stands(variables: dict[str, str], first: str) -> None:
    default, *found = _said(_THREADS, **variables)
    assert default == first
    assert set(found) <= {str(min(2, len(os.sched_getaffinity(0))))}


def test_examples_begin_so_before_numpy_is_imported() -> None:
    assert _said(_EXAMPLE) == ["True", "False"]
