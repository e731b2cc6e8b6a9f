"""How far long work is: a bar on a terminal or in a notebook, lines now and then in a log."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from time import monotonic
from typing import Protocol, TypeAlias, cast

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is done next, how many steps are done, and how many there are: 0 where nobody knows."""

_LINES = 10
"""Lines that a log gets of one piece of work."""


class _Bar(Protocol):
    """What is used of a tqdm."""

    initial: int
    n: int
    total: int | None

    def set_description_str(self, desc: str) -> None: ...
    def refresh(self) -> None: ...
    def close(self) -> None: ...


class Bar:
    """A `Progress` on stderr.

    A bar by tqdm (extra `vtac[progress]`) on a terminal, a widget where a notebook shows it; with `always` lines
    elsewhere, where a log is wanted. Without tqdm a terminal gets the lines. On a terminal both say how long it may
    take still, by what was done since the first call: what a store had before took no time.
    """

    def __init__(self, *, always: bool = False, clock: Callable[[], float] = monotonic) -> None:
        has_library, is_terminal = find_spec("tqdm") is not None, sys.stderr.isatty()
        is_drawn = has_library and (is_terminal or "ipykernel" in sys.modules)
        self._bar = cast(_Bar, import_module("tqdm.auto").tqdm(leave=False)) if is_drawn else None
        self._writes = not is_drawn and (always or is_terminal)
        self._written = -1
        self._is_terminal, self._clock = is_terminal, clock
        self._first: tuple[float, int] | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._first is None:
            self._first = self._clock(), done
        if self._bar is not None:
            self._bar.initial = self._first[1]
            self._bar.n, self._bar.total = done, total or None
            self._bar.set_description_str(what)
            self._bar.refresh()
        elif self._writes:
            self._write(what, done, total)

    def _write(self, what: str, done: int, total: int) -> None:
        part = _LINES * done // total if total else done
        if part != self._written:
            self._written = part
            number = f"{done:,} of {total:,}{self._left(done, total)}" if total else f"{done:,}"
            print(f"{what}: {number}", file=sys.stderr, flush=True)

    def _left(self, done: int, total: int) -> str:
        """How long it may take still, where somebody looks and something is known."""
        start, before = self._first or (0.0, done)
        if not self._is_terminal or done in (before, total):
            return ""
        seconds = round((self._clock() - start) * (total - done) / (done - before))
        return f", about {seconds // 60}:{seconds % 60:02} left"

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
