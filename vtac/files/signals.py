"""Interrupts and requests to end that wait while files change place."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def signals_deferred() -> Generator[None]:
    """SIGINT and SIGTERM wait for the end of the block, where they act as they would have acted.

    Python delivers signals to the main thread; in another one the block runs as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        waiting.append(number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number, handler in before.items():
            if handler not in (None, signal.SIG_IGN):
                signal.signal(number, note)
        yield
    finally:
        for number, handler in before.items():
            if handler not in (None, signal.SIG_IGN):
                signal.signal(number, handler)
        for number in dict.fromkeys(waiting):
            signal.raise_signal(number)
