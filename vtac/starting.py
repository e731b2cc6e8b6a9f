"""What our programs set for their whole process, before they import what takes long."""

from __future__ import annotations

import atexit
import gc
import os
from functools import cache

_SELDOM = (250_000, 4, 100)
"""Young objects at which Python looks for garbage, and how many such looks come before one at older ones."""
_THREADS = "OPENBLAS_DEFAULT_NUM_THREADS"
"""How many threads the BLAS of numpy's wheels has where `OPENBLAS_NUM_THREADS` and `OMP_NUM_THREADS` do not say it."""


@cache
def run_as_program() -> None:
    """Python looks for garbage seldom from now on, and numpy's products have one thread unless the user says more.

    A program's modules live on: by Python's own thresholds looking through them is a sixth of importing them, and a
    last look when the process ends takes as long as compiling. Programs close their files: objects that refer to each
    other are not finalised at the end. Threads of BLAS wait for work by counting, from numpy's import on, and the
    products of tiles are too small to share.
    """
    gc.set_threshold(*_SELDOM)
    atexit.register(gc.freeze)
    os.environ.setdefault(_THREADS, "1")
