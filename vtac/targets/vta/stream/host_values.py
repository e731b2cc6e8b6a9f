"""The values of a host function while it runs: in a list, each at its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import TypeAlias

from xdsl.ir import Operation, SSAValue

from vtac.analysis.ir.locations import location_of
from vtac.errors import CompileError

Step: TypeAlias = Callable[[list[int]], None]
"""Does its part, and writes what it computes into the values of its function."""


class HostValues:
    """Where each value of a function is; the first are the addresses of `buffers` in bytes, which a call gives."""

    def __init__(self, buffers: Sequence[SSAValue]) -> None:
        self._places = {value: place for place, value in enumerate(buffers)}
        self._given = len(buffers)
        self._buffers = set(buffers)
        self._constants: dict[int, int] = {}
        self._first = [0] * len(buffers)

    def at_start(self, addresses: Iterable[int]) -> list[int]:
        """The values before the first step, of which constants are there, and the addresses of buffers."""
        return [*addresses, *self._first[self._given :]]

    def new_place(self, number: int = 0) -> int:
        """Where a step may write; what is there at first."""
        self._first.append(number)
        return len(self._first) - 1

    def define(self, value: SSAValue) -> int:
        """Where a step may write a value."""
        place = self._places[value] = self.new_place()
        return place

    def place(self, value: SSAValue) -> int:
        """Where a value is. Raises `CompileError` for one that no step before writes."""
        if value not in self._places:
            owner = value.owner if isinstance(value.owner, Operation) else value.owner.parent_op()
            name, where = ("", "") if owner is None else (owner.name, location_of(owner))
            raise CompileError(
                f"the host of the VTA has no value of this '{name}': it computes what operations of arith and affine "
                "give, and the index of a loop",
                where,
            )
        return self._places[value]

    def constant(self, number: int) -> int:
        """Where a number is, which no step writes."""
        if number not in self._constants:
            self._constants[number] = self.new_place(number)
        return self._constants[number]

    def set_constant(self, value: SSAValue, number: int) -> None:
        """Let a value be a number."""
        self._places[value] = self.constant(number)

    def amount(self, amount: SSAValue | int) -> int:
        """Where a value or a number is."""
        return self.constant(amount) if isinstance(amount, int) else self.place(amount)

    def address(self, buffer: SSAValue) -> int:
        """Where the address of a buffer is. Raises `CompileError` for one that has none."""
        if buffer not in self._buffers:
            owner = buffer.owner if isinstance(buffer.owner, Operation) else buffer.owner.parent_op()
            found = f"'{buffer.owner.name}'" if isinstance(buffer.owner, Operation) else f"'{buffer.name_hint or '?'}'"
            raise CompileError(
                f"{found} has no address in DRAM: transfers and calls name arguments, allocations and constants of the "
                "program, and in a kernel its arguments",
                location_of(owner),
            )
        return self._places[buffer]

    def new_address(self, view: SSAValue) -> int:
        """Where a step may write the address of a part of a buffer."""
        self._buffers.add(view)
        return self.define(view)


def row_of(places: Sequence[int]) -> Callable[[list[int]], tuple[int, ...]]:
    """The function that takes the values at some places as a tuple, however many they are."""
    if len(places) < 2:
        return lambda values: tuple([values[place] for place in places])
    return itemgetter(*places)
