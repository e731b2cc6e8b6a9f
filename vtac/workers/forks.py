"""Work shared out among copies of this process, which begin with all that it knows and give back texts."""

from __future__ import annotations

import os
import select
import signal
import struct
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, cast

_NUMBER = struct.Struct("<H")
_MOST_TASKS = 1 << 14
"""What fits into a pipe that nobody has read from yet."""
_DONE = struct.Struct("<HI")
"""The number of a task that a copy has done, and how many bytes its text has."""


def shared_out(function: Callable[[int], str], numbers: Sequence[int], count: int) -> Generator[tuple[int, str | None]]:
    """The numbers of tasks, each once, while so many processes do them, this one among them; close it when done.

    Each takes the next number when it is done with one. With a number comes what the function has given for it in a
    copy of this process. None comes with what the caller is to do itself: the next task of this process; what a copy
    did not give back, as it was killed or the function raised there; and all of them, in order, where this process
    cannot be copied: on other systems than Linux, and where it runs several threads. Numbers are below 65,536.
    """
    copies = min(count, len(numbers)) - 1 if can_fork() and len(numbers) <= _MOST_TASKS else 0
    if copies < 1:
        yield from ((number, None) for number in numbers)
        return
    with _given(numbers) as waiting, _Copies() as children:
        for _ in range(copies):
            children.start(lambda: ((number, function(number)) for number in _taken(waiting)))
        yield from _own_and_others(numbers, waiting, children)


@contextmanager
def beside(function: Callable[[], object], count: int) -> Generator[None]:
    """A check that a copy of this process makes while this one goes on with the body.

    What it raises is raised, before anything that the body raises: the check is made here, at the end, if it did not
    pass in the copy, or nobody knows. With a count of one process, or where none can be copied, it comes first.
    """
    if count < 2 or not can_fork():
        function()
        yield
        return
    with _Copies() as children:
        children.start(lambda: _passed(function))
        try:
            yield
        finally:
            if not list(children.found(wait=True)):
                function()


def _passed(function: Callable[[], object]) -> Iterator[tuple[int, str]]:
    function()
    yield 0, ""


def can_fork() -> bool:
    """Whether this process can be copied: on Linux, while it runs one thread."""
    return sys.platform == "linux" and threading.active_count() == 1


@contextmanager
def _given(numbers: Sequence[int]) -> Generator[int]:
    """A pipe with numbers, of which each process takes the next."""
    reading, writing = os.pipe()
    try:
        os.write(writing, b"".join(map(_NUMBER.pack, numbers)))
        os.close(writing)
        yield reading
    finally:
        os.close(reading)


def _taken(waiting: int) -> Iterator[int]:
    while taken := os.read(waiting, _NUMBER.size):
        yield cast("tuple[int]", _NUMBER.unpack(taken))[0]


def _own_and_others(numbers: Sequence[int], waiting: int, children: _Copies) -> Iterator[tuple[int, str | None]]:
    """What copies have done by now before each task of this process; in the end what they do, and then what is left."""
    left = dict.fromkeys(numbers)
    for own in _taken(waiting):
        for number, text in children.found(wait=False):
            del left[number]
            yield number, text
        del left[own]
        yield own, None
    while children:
        for number, text in children.found(wait=True):
            del left[number]
            yield number, text
    yield from ((number, None) for number in left)


@dataclass
class _Copy:
    """A process, the pipe on which it says what it has done, and the file with the texts of that."""

    process: int
    pipe: int
    texts: IO[bytes]
    read: int = 0

    def found(self) -> tuple[int, str] | None:
        """The next task that it has done; None when it has ended, and does no more."""
        said = os.read(self.pipe, _DONE.size)
        if len(said) < _DONE.size:
            return None
        number, length = cast("tuple[int, int]", _DONE.unpack(said))
        text = os.pread(self.texts.fileno(), length, self.read)
        self.read += length
        return (number, text.decode()) if len(text) == length else None

    def end(self) -> None:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        os.close(self.pipe)
        self.texts.close()


@dataclass
class _Copies:
    """Copies of this process that end with the work, or are ended when it is given up."""

    _running: dict[int, _Copy] = field(default_factory=dict[int, _Copy])
    """By their pipes."""

    def __enter__(self) -> _Copies:
        return self

    def __exit__(self, *_: object) -> None:
        for copy in self._running.values():
            copy.end()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, work: Callable[[], Iterator[tuple[int, str]]]) -> None:
        """One more, which goes through work, until it raises, and says what that gives."""
        texts = tempfile.TemporaryFile("w+b", buffering=0)  # noqa: SIM115 closed with the copy
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which are those of the BLAS
            process = os.fork()
        if process:
            os.close(writing)
            self._running[reading] = _Copy(process, reading, texts)
            return
        try:
            _serve(work, texts, writing)
        finally:
            os._exit(0)

    def found(self, *, wait: bool) -> Iterator[tuple[int, str]]:
        """What copies have done, where something is; those that have ended are no more."""
        poll = select.poll()
        for pipe in self._running:
            poll.register(pipe, select.POLLIN)
        while ready := poll.poll(None if wait else 0):
            wait = False
            for pipe, _ in ready:
                found = self._running[pipe].found()
                if found is None:
                    poll.unregister(pipe)
                    self._running.pop(pipe).end()
                    continue
                yield found


def _serve(work: Callable[[], Iterator[tuple[int, str]]], texts: IO[bytes], writing: int) -> None:
    """What a copy does; it ends with the first task of which nobody wants to know any more."""
    for received in (signal.SIGINT, signal.SIGTERM):
        signal.signal(received, signal.SIG_DFL)
    for number, text in work():
        written = text.encode()
        texts.write(written)
        os.write(writing, _DONE.pack(number, len(written)))
