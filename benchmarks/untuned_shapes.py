"""Shapes that nobody tuned for, as CUDA text executed on the CPU in several orders of threads, against numpy."""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

import vtac
from vtac.errors import VtacError
from vtac.workloads.untuned import untuned


def outcome(number: int, architecture: str | None) -> str:
    """`equal`, or what is wrong."""
    case = untuned(number)
    try:
        result = vtac.compile(case.text, "cuda", architecture)(*case.inputs)
    except VtacError as error:
        return f"{type(error).__name__}: {error.message}"
    if not isinstance(result, np.ndarray) or result.shape != case.expected.shape:
        return "another shape"
    return "equal" if np.array_equal(result, case.expected) else "other numbers"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=200, help="programs to compile and run (default: 200)")
    options.add_argument("--first", type=int, default=0, help="number of the first program (default: 0)")
    options.add_argument("--arch", default=None, help="architecture to schedule for (default: what all have)")
    given = options.parse_args()
    start, failed = time.perf_counter(), 0
    for number in range(given.first, given.first + given.count):
        found = outcome(number, given.arch)
        failed += found != "equal"
        if found != "equal":
            print(f"{number}: {untuned(number).name}: {found}", flush=True)
    print(f"{given.count - failed} of {given.count} equal numpy, {time.perf_counter() - start:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
