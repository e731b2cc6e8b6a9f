"""How often Python looks for garbage: seldom while a program is imported, compiled, or planned."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache

_SELDOM = (1_000_000, 1_000, 1_000)
"""Young objects at which they are looked through, and how many such looks come before one at older ones."""


@contextmanager
def seldom_collected() -> Generator[None]:
    """Within it, IR that is in use is not looked through again and again, and not at its end either.

    A compilation makes a lot that lives on and refers to each other, as importing modules does; by Python's own
    thresholds an eighth of its time goes into looking at that. What it leaves counts as old behind it, and is looked
    through with that, or once a million objects of several compilations have come together. Within another, or where
    collection is off or as seldom already, it changes nothing.
    """
    usual = gc.get_threshold()
    if not gc.isenabled() or usual[0] == 0 or usual[0] >= _SELDOM[0]:
        yield
        return
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        _left().grow_old()
        gc.set_threshold(*usual)


class _Left:
    """How many objects compilations and imports have left since they were last looked through."""

    def __init__(self) -> None:
        self.count = 0

    def grow_old(self) -> None:
        """Let young objects count as old; once they are many, all are looked through.

        Where someone has frozen objects, which only all together could be thawed, Python's own rules stand.
        """
        self.count += gc.get_count()[0]
        if self.count >= _SELDOM[0]:
            self.count = 0
            gc.collect()
        elif not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()


@cache
def _left() -> _Left:
    return _Left()
