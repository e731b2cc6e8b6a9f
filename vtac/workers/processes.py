"""Processes as an executor: a task that ends its process fails alone, and another process takes the place."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from queue import SimpleQueue
from typing import ParamSpec, TypeVar, cast

from vtac.workers.errors import WorkerDied, WorkersError

_P = ParamSpec("_P")
_R = TypeVar("_R")
_START_SECONDS = 120


@dataclass
class _Task:
    future: Future[object]
    payload: bytes


@dataclass
class _Worker:
    """A process and the pipe to it."""

    process: subprocess.Popen[bytes]
    pipe: Connection

    def end(self) -> str:
        """End the process, and say how it ended if it had already."""
        try:
            code = self.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.pipe.close()
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"


@dataclass
class _Crew:
    """What the threads share with what ends them."""

    running: set[subprocess.Popen[bytes]] = field(default_factory=set[subprocess.Popen[bytes]])
    closed: bool = False

    def kill(self) -> None:
        self.closed = True
        for process in list(self.running):
            process.kill()


class Processes(Executor):
    """An executor of `count` processes, by default one for each core that may be used.

    Tasks are functions that can be imported, and arguments and results that can be pickled. A task whose process ends
    fails with `WorkerDied`; so does one that takes more than `limit` seconds, whose process is killed. Other tasks are
    not touched. The processes are fresh interpreters: a program that uses them needs no `if __name__ == "__main__"`.
    They ignore an interrupt, which is for the program, and end with it.
    """

    def __init__(self, count: int | None = None, *, limit: float | None = None) -> None:
        self.count = len(os.sched_getaffinity(0)) if count is None else count
        if self.count < 1:
            raise WorkersError(f"cannot work with {count} processes; at least 1 is required")
        self._limit = limit
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._crew = _Crew()
        self._threads: list[threading.Thread] = []
        weakref.finalize(self, self._crew.kill)

    def submit(self, fn: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_R]:
        """Queue a call. What cannot be pickled is refused here, as an exception of the call."""
        if self._crew.closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future[object] = Future()
        self._tasks.put(_Task(future, pickle.dumps((fn, args, kwargs))))
        if len(self._threads) < self.count:
            serve = _Server(self._tasks, self._crew, self._limit).serve
            self._threads.append(threading.Thread(target=serve, daemon=True, name="vtac worker"))
            self._threads[-1].start()
        return cast("Future[_R]", future)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: after the tasks that are queued, or with `cancel_futures` at once."""
        for _ in self._threads:
            self._tasks.put(None)
        if cancel_futures:
            self._crew.kill()
        if wait:
            for thread in self._threads:
                thread.join()
        self._crew.closed = True


class _Server:
    """One thread: gives tasks to its process, and starts another where that ends."""

    def __init__(self, tasks: SimpleQueue[_Task | None], crew: _Crew, limit: float | None) -> None:
        self.tasks, self.crew, self.limit = tasks, crew, limit
        self.worker: _Worker | None = None

    def serve(self) -> None:
        while (task := self.tasks.get()) is not None:
            if self.crew.closed:
                task.future.cancel()
            elif task.future.set_running_or_notify_cancel():
                self._run(task)
        if self.worker is not None:
            self.worker.pipe.close()
            self.worker.process.wait()
            self.crew.running.discard(self.worker.process)

    def _run(self, task: _Task) -> None:
        try:
            worker = self.worker = self.worker or _start(self.crew)
            worker.pipe.send_bytes(task.payload)
            if not worker.pipe.poll(self.limit):
                worker.process.kill()
                self._lost()
                task.future.set_exception(WorkerDied(f"took more than {self.limit:g} s"))
                return
            is_right, value = cast("tuple[bool, object]", pickle.loads(worker.pipe.recv_bytes()))
        except WorkersError as error:
            task.future.set_exception(error)
        except (OSError, EOFError):
            task.future.set_exception(WorkerDied(self._lost()))
        else:
            if is_right:
                task.future.set_result(value)
            else:
                task.future.set_exception(cast("BaseException", value))

    def _lost(self) -> str:
        worker, self.worker = self.worker, None
        if worker is None:
            return "ended"
        reason = worker.end()
        self.crew.running.discard(worker.process)
        return reason


def _start(crew: _Crew) -> _Worker:
    """A process that is ready for a task. Raises `WorkersError` where none gets that far."""
    ours, theirs = cast("tuple[Connection, Connection]", Pipe())
    paths = os.pathsep.join(path for path in sys.path if path)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "vtac.workers.process", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths},
        )
    crew.running.add(process)
    worker = _Worker(process, ours)
    with contextlib.suppress(OSError, EOFError):
        if ours.poll(_START_SECONDS):
            ours.recv_bytes()
            return worker
    process.kill()
    crew.running.discard(process)
    raise WorkersError(f"a worker process {worker.end()} before its first task; its messages are above")
