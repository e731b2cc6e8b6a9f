"""Work shared with fresh processes, where this one cannot be copied: they get their tasks as texts, too."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vtac.workers.forks import can_fork

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future


@contextmanager
def helpers(count: int, imported: Callable[[], object]) -> Generator[Executor | None]:
    """Processes that make so many together with this one, and end with the body; None where this one can be copied.

    They start at once, each with a call of `imported`, while this process goes on: a function whose module imports what
    tasks will need. None on Windows, too, where no process is given a pipe.
    """
    if count < 2 or can_fork() or sys.platform == "win32":
        yield None
        return
    from vtac.workers.processes import Processes

    executor = Processes(count - 1)
    try:
        for _ in range(executor.count):
            executor.submit(imported)
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def shared_with(
    executor: Executor, function: Callable[[str], str], tasks: Mapping[int, str]
) -> Generator[tuple[int, str | None]]:
    """The numbers of tasks, each once, while this process does some of them and those of an executor do others.

    The same as `vtac.workers.forks.shared_out`, for a function that can be pickled: with a number comes what the
    function has given for its task elsewhere, or None, where the caller is to do it.
    """
    futures = {number: executor.submit(function, task) for number, task in tasks.items()}
    for number in tasks:
        yield from _taken(futures, wait_for_one=False)
        if number in futures and futures[number].cancel():
            del futures[number]
            yield number, None
    while futures:
        yield from _taken(futures, wait_for_one=True)


def _taken(futures: dict[int, Future[str]], *, wait_for_one: bool) -> Generator[tuple[int, str | None]]:
    """What is done, and is taken out: None for what failed, or was lost with its process."""
    if wait_for_one:
        from concurrent.futures import wait

        wait(futures.values(), return_when="FIRST_COMPLETED")
    for number in [number for number, future in futures.items() if future.done()]:
        future = futures.pop(number)
        lost = future.cancelled() or future.exception() is not None
        yield number, None if lost else future.result()
