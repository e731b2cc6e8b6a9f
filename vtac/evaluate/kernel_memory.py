"""Memory of a kernel under execution: bounds, unwritten elements, and accesses that no barrier separates."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import BFloat16Type, MemRefType
from xdsl.ir import Attribute, Operation, SSAValue

from vtac.analysis.nests.nest import buffer_name, element_type_of, scope_of, shape_of, strides_of
from vtac.evaluate.bfloat16 import from_bfloat16, to_bfloat16
from vtac.evaluate.numbers import Array, DType, Integers, Mask, dtype_of
from vtac.evaluate.refusals import refused

_Element = TypeVar("_Element", bound=np.generic)

NOBODY = -1
MANY = -2


def stored_dtype(kind: Attribute) -> DType:
    """numpy's dtype of an element in memory; bfloat16 is kept as its bits."""
    return np.dtype("uint16") if isinstance(kind, BFloat16Type) else dtype_of(kind)


@dataclass(frozen=True, slots=True)
class Users:
    """Who accesses memory: a number, and the position among the blocks under execution; both broadcast to places."""

    who: Integers
    blocks: Integers


@dataclass
class _Shared:
    """Who touched each element since the last barrier, and what asynchronous copies are still to write."""

    writers: Integers
    readers: Integers
    in_flight: Mask


class KernelMemory:
    """One buffer, addressed by flat offsets in elements. bfloat16 is seen as float32.

    Of shared memory every block under execution has a copy, of local memory every thread. Threads name
    themselves in accesses; a warp's operation has a name that no thread has. Two of them that touch an
    element without a barrier between, one of them writing, are a fault: their order decides
    the result.
    """

    def __init__(self, value: SSAValue, data: Array | None = None, blocks: int = 1, threads: int = 1) -> None:
        kind = element_type_of(value)
        self.name = buffer_name(value)
        self.shape = shape_of(value)
        self.is_bfloat16 = isinstance(kind, BFloat16Type)
        self.size = _span(value)
        is_shared = scope_of(value) == "shared"
        self.is_local = scope_of(value) == "local"
        total = self.size * (blocks if is_shared else threads if self.is_local else 1)
        self.data = np.zeros(total, stored_dtype(kind)) if data is None else data.reshape(-1)
        self.written: Mask | None = None if data is not None else np.zeros(total, np.bool_)
        self.shared = _fresh(total) if is_shared else None

    def pass_barrier(self, blocks: Mask) -> None:
        """Forget who touched what in the blocks set: all of it is ordered before what follows."""
        if self.shared is not None:
            self.shared.writers.reshape(blocks.size, -1)[blocks] = NOBODY
            self.shared.readers.reshape(blocks.size, -1)[blocks] = NOBODY

    def read(self, places: Integers, users: Users, active: Mask | None, op: Operation) -> Array:
        """The elements at `places`; where `active` is not set the result means nothing."""
        where, who = self._located(places, users, active, op)
        chosen, names = _active(where, active), _active(who, active)
        if self.written is not None:
            if self.shared is not None:
                self._refuse(self.shared.in_flight[chosen], chosen, "is read while an asynchronous copy writes it", op)
            self._refuse(~self.written[chosen], chosen, "is read, and nothing has written it", op)
        if self.shared is not None:
            writers = self.shared.writers[chosen]
            self._refuse((writers != NOBODY) & (writers != names), chosen, _RACE.format("written", "read"), op)
            known = self.shared.readers[chosen]
            self.shared.readers[chosen] = np.where((known == NOBODY) | (known == names), names, MANY)
            _mark_shared_reads(self.shared.readers, chosen, names)
        values = self.data[where]
        return from_bfloat16(values.astype(np.uint16)) if self.is_bfloat16 else values

    def raw(self, places: Integers) -> Array:
        """The elements as they are stored, unchecked; places outside stand for the nearest."""
        return self.data[np.clip(places, 0, self.size - 1)]

    def write(self, places: Integers, values: Array, users: Users, active: Mask | None, op: Operation) -> None:
        """Store values where `active` is set."""
        where, who = self._located(places, users, active, op)
        chosen, names = _active(where, active), _active(who, active)
        shown = np.broadcast_to(values, places.shape)
        stored = to_bfloat16(shown) if self.is_bfloat16 else shown
        kept = _active(stored, active)
        self._claim(chosen, names, kept, op)
        self.data[chosen] = kept
        lost = np.not_equal(self.data[chosen], kept) & np.equal(kept, kept)
        self._refuse(lost, chosen, _RACE.format("written", "written"), op)
        if self.written is not None:
            self.written[chosen] = True

    def begin_copy(
        self, places: Integers, values: Array, users: Users, active: Mask | None, op: Operation
    ) -> PendingCopy:
        """An asynchronous copy will write here: until it has landed the elements hold nothing.

        Raises `EvaluationError` outside of shared memory.
        """
        if self.shared is None:
            raise refused(f"asynchronous copies write shared memory; '{self.name}' is none", op)
        where, who = self._located(places, users, active, op)
        chosen, names = _active(where, active), _active(who, active)
        self._refuse(self.shared.in_flight[chosen], chosen, "is being written by an asynchronous copy already", op)
        self._claim(chosen, names, None, op)
        self.shared.in_flight[chosen] = True
        kept = _active(values, active)
        return PendingCopy(self, chosen, kept, names)

    def _claim(self, chosen: Integers, names: Integers, values: Array | None, op: Operation) -> None:
        if self.shared is None:
            return
        readers, writers = self.shared.readers[chosen], self.shared.writers[chosen]
        self._refuse((readers != NOBODY) & (readers != names), chosen, _RACE.format("read", "written"), op)
        clash = (writers != NOBODY) & (writers != names)
        if values is not None:
            clash &= np.not_equal(self.data[chosen], values)
        self._refuse(clash, chosen, _RACE.format("written", "written"), op)
        self.shared.writers[chosen] = names

    def _located(self, places: Integers, users: Users, active: Mask | None, op: Operation) -> tuple[Integers, Integers]:
        """Positions in `data`, and names, of all accesses; those that are active lie within the buffer."""
        bad = (places < 0) | (places >= self.size)
        if active is not None:
            bad &= active
        if bad.any():
            raise refused(f"'{op.name}' at element {int(places[bad][0])} of '{self.name}', which has {self.size}", op)
        inside = places if active is None else np.clip(places, 0, self.size - 1)
        if self.shared is not None or self.is_local:
            inside = inside + (users.who if self.is_local else users.blocks) * self.size
        return inside, np.broadcast_to(users.who, places.shape)

    def _refuse(self, bad: Mask, places: Integers, why: str, op: Operation) -> None:
        if bad.any():
            raise refused(f"element {int(places[bad][0]) % self.size} of '{self.name}' {why}", op)


@dataclass(frozen=True, slots=True)
class PendingCopy:
    """An asynchronous copy under way: where to in a memory's data, what, and by which threads."""

    memory: KernelMemory
    places: Integers
    values: Array
    who: Integers

    def land(self) -> None:
        """The data has arrived; other threads see it after a barrier."""
        shared, written = self.memory.shared, self.memory.written
        if shared is None or written is None:
            return
        shared.in_flight[self.places] = False
        shared.writers[self.places] = self.who
        self.memory.data[self.places] = self.values
        written[self.places] = True


@dataclass
class CopyGroups:
    """The asynchronous copies that have not landed, in the groups that were committed."""

    open_copies: list[PendingCopy] = field(default_factory=list[PendingCopy])
    groups: list[list[PendingCopy]] = field(default_factory=list[list[PendingCopy]])

    def begin(self, copy: PendingCopy) -> None:
        """Add a copy to the group that is open."""
        self.open_copies.append(copy)

    def commit(self) -> None:
        """Close the open group, which may be empty."""
        self.groups.append(self.open_copies)
        self.open_copies = []

    def wait(self, pending: int) -> None:
        """All groups but the last `pending` land."""
        done = max(len(self.groups) - pending, 0)
        for group in self.groups[:done]:
            for copy in group:
                copy.land()
        self.groups = self.groups[done:]


def _active(values: NDArray[_Element], active: Mask | None) -> NDArray[_Element]:
    """The active elements, flat."""
    return values.reshape(-1) if active is None else values[np.broadcast_to(active, values.shape)]


_RACE = "is {} by one thread and {} by another with no barrier between"


def _mark_shared_reads(readers: Integers, places: Integers, users: Integers) -> None:
    """Elements that several threads read in one access have no single reader."""
    order = np.argsort(places, kind="stable")
    sorted_places, sorted_users = places[order], users[order]
    differs = (sorted_places[1:] == sorted_places[:-1]) & (sorted_users[1:] != sorted_users[:-1])
    readers[sorted_places[1:][differs]] = MANY


def _fresh(size: int) -> _Shared:
    return _Shared(np.full(size, NOBODY), np.full(size, NOBODY), np.zeros(size, np.bool_))


def _span(value: SSAValue) -> int:
    """Elements from the first of a buffer to its last, pitches included."""
    shape = cast("MemRefType[Attribute]", value.type).get_shape()
    return int(shape[0] * strides_of(value)[0]) if shape else prod(shape)
