"""How far long work is, as a bar on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, TypeAlias, cast

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is done next, how many steps are done, and how many there are: 0 where nobody knows."""


class _Bar(Protocol):
    """What is used of a tqdm."""

    n: int
    total: int | None

    def set_description_str(self, desc: str) -> None: ...
    def refresh(self) -> None: ...
    def close(self) -> None: ...


class Bar:
    """A `Progress` that draws with tqdm (extra `vtac[progress]`), where it is installed and stderr is a terminal."""

    def __init__(self) -> None:
        is_shown = sys.stderr.isatty() and find_spec("tqdm") is not None
        self._bar = cast(_Bar, import_module("tqdm").tqdm(leave=False)) if is_shown else None

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._bar is not None:
            self._bar.n, self._bar.total = done, total or None
            self._bar.set_description_str(what)
            self._bar.refresh()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
