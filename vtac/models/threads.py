"""The threads of the BLAS that numpy calls."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Protocol, cast


class _Threads(Protocol):
    """What is used of threadpoolctl, which has no types."""

    def limit(self, *, limits: int, user_api: str) -> AbstractContextManager[object]: ...


def one_thread() -> AbstractContextManager[object]:
    """Products on one thread: sums in the same order each time, and no threads that wait for each other."""
    return _blas().limit(limits=1, user_api="blas")


@cache
def _blas() -> _Threads:
    from threadpoolctl import ThreadpoolController  # pyright: ignore[reportMissingTypeStubs]

    return cast(_Threads, ThreadpoolController())
