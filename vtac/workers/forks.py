"""Work shared out among copies of this process, which begin with all that it knows and give back texts."""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, cast

_NUMBER = struct.Struct("<H")
_MOST_TASKS = 1 << 14
"""What fits into a pipe that nobody has read from yet."""


def shared_out(function: Callable[[str], str], tasks: Sequence[str], count: int) -> list[str]:
    """What a function gives for each task, in order, by so many processes, this one among them.

    Each takes the next task when it is done with one, that of the longest text first, as it takes longest. What a copy
    does not give back, as it was killed, this process computes itself; so it does with all where it cannot be copied:
    on other systems than Linux, and where it runs several threads.
    """
    copies = min(count, len(tasks)) - 1 if _can_fork() and len(tasks) <= _MOST_TASKS else 0
    if copies < 1:
        return [function(task) for task in tasks]
    reading, writing = os.pipe()
    longest_first = sorted(range(len(tasks)), key=lambda number: -len(tasks[number]))
    os.write(writing, b"".join(map(_NUMBER.pack, longest_first)))
    os.close(writing)
    work = _Work(function, tasks, reading)
    try:
        with _Copies() as children:
            for _ in range(copies):
                children.start(work)
            found = {**work.share(), **children.wait()}
    finally:
        os.close(reading)
    return [found[number] if number in found else function(task) for number, task in enumerate(tasks)]


def _can_fork() -> bool:
    return sys.platform == "linux" and threading.active_count() == 1


@dataclass(frozen=True)
class _Work:
    """Tasks, and a pipe with the numbers of those that nobody has taken."""

    function: Callable[[str], str]
    tasks: Sequence[str]
    numbers: int

    def share(self) -> dict[int, str]:
        """Do tasks until none is left."""
        done: dict[int, str] = {}
        while taken := os.read(self.numbers, _NUMBER.size):
            (number,) = cast("tuple[int]", _NUMBER.unpack(taken))
            done[number] = self.function(self.tasks[number])
        return done


@dataclass
class _Copies:
    """Copies of this process that end with the work, or are ended when it is given up."""

    _running: dict[int, IO[str]] = field(default_factory=dict[int, IO[str]])

    def __enter__(self) -> _Copies:
        return self

    def __exit__(self, *_: object) -> None:
        for process, file in self._running.items():
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
            file.close()

    def start(self, work: _Work) -> None:
        """One more, which does its share of the work and leaves what it has found in a file."""
        file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 closed when it was read
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which are those of the BLAS
            process = os.fork()
        if process:
            self._running[process] = file
            return
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            json.dump(list(work.share().items()), file)
            file.flush()
        finally:
            os._exit(0)

    def wait(self) -> dict[int, str]:
        """What all of them have found, once they have ended."""
        found: dict[int, str] = {}
        for process, file in list(self._running.items()):
            os.waitpid(process, 0)
            del self._running[process]
            with file, suppress(ValueError):
                file.seek(0)
                found.update(cast("list[tuple[int, str]]", json.load(file)))
        return found
