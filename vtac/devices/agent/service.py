"""What all clients of one accelerator share: whose turn it is, blocks kept by digest, whether the device is lost."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict, deque
from contextlib import contextmanager
from typing import Generator

from vtac.devices.agent.backend import Backend
from vtac.devices.agent.faults import DeviceLost, Refusal
from vtac.devices.agent.region import Heap


class Limits:
    """What an agent takes on, and for how long it waits; times are in seconds."""

    def __init__(
        self,
        *,
        clients: int = 16,
        blocks: int = 256,
        image_bytes: int = 256 << 20,
        run_seconds: float = 600.0,
        turn_seconds: float = 600.0,
        idle_seconds: float = 600.0,
        message_seconds: float = 30.0,
    ) -> None:
        self.clients = clients
        self.blocks = blocks
        self.image_bytes = image_bytes
        self.run_seconds = run_seconds
        self.turn_seconds = turn_seconds
        self.idle_seconds = idle_seconds
        self.message_seconds = message_seconds

    def fields(self) -> dict[str, object]:
        """The limits by name, as clients see them."""
        return dict(vars(self))


class Turns:
    """One client at a time, first come, first served."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[str] = deque()

    @property
    def holder(self) -> str:
        """The name of the client whose turn it is, empty where nobody's."""
        with self._changed:
            return str(self._waiting[0]) if self._waiting else ""

    @contextmanager
    def turn(self, name: str, seconds: float) -> Generator[None, None, None]:
        """Wait for one's turn and keep it. Raises `Refusal` when it has not come after some seconds."""
        ticket = _Ticket(name)
        with self._changed:
            self._waiting.append(ticket)
            if not self._changed.wait_for(lambda: self._waiting[0] is ticket, seconds):
                ahead = self._waiting[0]
                self._leave(ticket)
                raise Refusal(
                    "busy",
                    f"the device is still held by {ahead} after {seconds:g} s",
                    "try again later",
                )
        try:
            yield
        finally:
            with self._changed:
                self._leave(ticket)

    def _leave(self, ticket: str) -> None:
        self._waiting = deque(other for other in self._waiting if other is not ticket)
        self._changed.notify_all()


class _Ticket(str):
    """A name that differs from another ticket of the same name."""

    __slots__ = ()


class Images:
    """Bytes by their SHA-256, those least used forgotten first."""

    def __init__(self, most_bytes: int) -> None:
        self._guard = threading.Lock()
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._room = most_bytes

    def find(self, digest: str) -> bytes | None:
        with self._guard:
            data = self._held.get(digest)
            if data is not None:
                self._held.move_to_end(digest)
            return data

    def keep(self, digest: str, data: memoryview) -> None:
        """Keep a copy. Raises `Refusal` where the bytes have another digest."""
        copy = bytes(data)
        if hashlib.sha256(copy).hexdigest() != digest:
            raise Refusal("digest", "what arrived has another SHA-256 than was said", "send it again")
        with self._guard:
            if len(copy) > self._room or digest in self._held:
                return
            self._room -= len(copy)
            self._held[digest] = copy
            while self._room < 0:
                self._room += len(self._held.popitem(last=False)[1])


class Service:
    """One accelerator and what its clients share."""

    def __init__(self, backend: Backend, limits: Limits) -> None:
        self.backend = backend
        self.limits = limits
        self.turns = Turns()
        self.images = Images(limits.image_bytes)
        self.guard = threading.Lock()
        """Held while the heap is read or changed."""
        self.heap = Heap(backend.region)
        self.generation = 0
        """Counts bitstreams that were loaded: what was judged for one does not hold for the next."""
        self.lost = ""
        """Why nobody knows what the accelerator does, empty where it is known."""
        self.runs = 0

    @contextmanager
    def exclusively(self, name: str) -> Generator[Backend, None, None]:
        """The accelerator, for one client. What it does may lose it, which the next one is told."""
        with self.turns.turn(name, self.limits.turn_seconds):
            try:
                yield self.backend
            except DeviceLost as error:
                self.lost = f"{error.message} ({name}, {time.strftime('%Y-%m-%d %H:%M:%S')})"
                raise

    def check_alive(self) -> None:
        """Raises `Refusal` where the device is lost."""
        if self.lost:
            raise Refusal("lost", f"the device is lost since {self.lost}", "reset it, or program it again")

    def reset(self, name: str) -> None:
        with self.exclusively(name) as backend:
            backend.reset()
            self.lost = ""

    def program(self, name: str, sha256: str) -> None:
        with self.exclusively(name) as backend:
            self.generation += 1
            backend.program(sha256)
            self.lost = ""
