"""Tasks for workers: they count, refuse, end their process, or never end."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

KILLS, LEAVES, RAISES, HANGS = -1, -2, -3, -4


def squares(items: Sequence[int]) -> list[int]:
    """The square of each; the numbers above do what they are called."""
    return [_square(item) for item in items]


def _square(item: int) -> int:
    if item == KILLS:
        os.kill(os.getpid(), signal.SIGKILL)
    if item == LEAVES:
        os._exit(3)
    if item == RAISES:
        raise ZeroDivisionError("divided by nothing")
    while item == HANGS:
        pass
    return item * item


def squares_once_killed(items: Sequence[tuple[int, str]]) -> list[int]:
    """The square of each number; the first that finds its file missing makes it and ends the process."""
    for _, marker in items:
        if marker and not Path(marker).exists():
            Path(marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return [number * number for number, _ in items]


def unpicklable(items: Sequence[int]) -> list[int]:
    """Raises what no pipe takes."""

    class LocalError(Exception):
        pass

    raise LocalError(str(len(items)))
