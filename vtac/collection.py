"""How often Python looks for garbage: seldom while a program is compiled or planned, and not when a process ends."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache

_SELDOM = (1_000_000, 1_000, 1_000)
"""Young objects at which they are looked through, and how many such looks come before one at older ones."""
_PROGRAM = (50_000, 20, 100)
"""The same for a whole program, whose modules live on."""


@contextmanager
def seldom_collected() -> Generator[None]:
    """Within it, IR that is in use is not looked through again and again.

    A compilation makes a lot that lives on and refers to each other; by Python's own thresholds an eighth of its time
    goes into looking at that. Within another, or where collection is off or as seldom already, it changes nothing.
    """
    usual = gc.get_threshold()
    if not gc.isenabled() or usual[0] == 0 or usual[0] >= _SELDOM[0]:
        yield
        return
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@cache
def run_as_program() -> None:
    """Python looks for garbage seldom from now on, and not when the process ends, which takes as long as compiling.

    For programs of our own, which close their files: objects that refer to each other are not finalised at the end.
    """
    gc.set_threshold(*_PROGRAM)
    atexit.register(gc.freeze)
