"""A case in a process of its own, with bounds on its time and memory."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

from fuzz.outcome import Outcome, failure

CPU_SECONDS = 30
WALL_SECONDS = 900.0
"""Against waiting for nothing; long, since on a busy machine a case may have little of a CPU."""
MEMORY_BYTES = 3 << 30
RESERVED_BYTES = 20 << 30
"""Of addresses, for a case that runs CUDA text on the CPU: that reserves many which it never touches."""


@dataclass
class Running:
    """A child at work on one case."""

    pid: int
    pipe: int
    started: float
    received: bytearray


def start(work: Callable[[], Outcome]) -> Running:
    """Fork a child that does the work under bounds; `receive` waits for what it says."""
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return Running(pid, reader, time.monotonic(), bytearray())
    os.close(reader)
    try:
        outcome = _bounded(work)
        with os.fdopen(writer, "wb") as stream:
            stream.write(json.dumps(outcome.to_json()).encode())
    finally:
        os._exit(0)


def _bounded(work: Callable[[], Outcome]) -> Outcome:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 2))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, RESERVED_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    begin = time.process_time()
    try:
        outcome = work()
    except BaseException as error:
        outcome = failure(error)
    return replace(outcome, seconds=time.process_time() - begin)


def allow_reservations() -> None:
    """From here on this process may reserve `RESERVED_BYTES` of addresses, where it is bounded at all."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if soft == MEMORY_BYTES:
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def receive(children: list[Running]) -> tuple[Running, Outcome]:
    """The first of the children to end, and its outcome; one that overruns its bounds has failed."""
    while True:
        readable, _, _ = select.select([child.pipe for child in children], [], [], 0.5)
        for child in children:
            if child.pipe in readable:
                data = os.read(child.pipe, 1 << 16)
                child.received += data
                if not data:
                    return child, _ended(child)
            elif time.monotonic() - child.started > WALL_SECONDS:
                os.kill(child.pid, signal.SIGKILL)
                _ended(child)
                return child, Outcome("failed", "hang", f"no answer in {WALL_SECONDS:.0f} s", seconds=WALL_SECONDS)


def _ended(child: Running) -> Outcome:
    os.close(child.pipe)
    _, status = os.waitpid(child.pid, 0)
    seconds = time.monotonic() - child.started
    if child.received:
        return Outcome.from_json(cast("dict[str, object]", json.loads(child.received)))
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number in (signal.SIGXCPU, signal.SIGKILL):
        return Outcome("failed", "hang", f"more than {CPU_SECONDS} s of CPU", seconds=seconds)
    name = signal.Signals(number).name if number else f"exit {status}"
    return Outcome("failed", f"crash: {name}", "the process died", seconds=seconds)


def stop(children: list[Running]) -> None:
    """End children whose outcome nobody waits for any more."""
    for child in children:
        os.kill(child.pid, signal.SIGKILL)
        os.close(child.pipe)
        os.waitpid(child.pid, 0)


def isolated(work: Callable[[], Outcome]) -> Outcome:
    """The outcome of work in a child of its own."""
    return receive([start(work)])[1]
