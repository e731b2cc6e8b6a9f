"""How often Python looks for garbage while a program is compiled or planned: seldom, as it would find little."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager

_SELDOM = (1_000_000, 1_000, 1_000)
"""Young objects at which they are looked through, and how many such looks come before one at older ones."""


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
