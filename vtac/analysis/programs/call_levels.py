"""Which calls of device functions need nothing of the host between them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.tensor import ExtractSliceOp, InsertSliceOp
from xdsl.ir import Operation

from vtac.dialects.packing import ReshapeOp, TransposeTilesOp

View: TypeAlias = ReshapeOp | TransposeTilesOp | ExtractSliceOp | InsertSliceOp
VIEWS = (ReshapeOp, TransposeTilesOp, ExtractSliceOp, InsertSliceOp)
"""What of device results lies in their buffers, or lets them lie in one."""


@dataclass
class Level:
    """Host operations, then the device calls that need no other; and the views of what those return."""

    host: list[Operation] = field(default_factory=list[Operation])
    inside: list[Operation] = field(default_factory=list[Operation])

    @property
    def calls(self) -> list[CallOp]:
        return [op for op in self.inside if isinstance(op, CallOp)]

    @property
    def views(self) -> list[View]:
        return [op for op in self.inside if isinstance(op, VIEWS)]


def call_levels(function: FuncOp, devices: Collection[str]) -> list[Level]:
    """The levels of a host function of one block, whose device functions have these names; all its ops but the return.

    Each operation stands in the first level at which it can run: calls of device functions with
    those whose results they take, host operations one level behind the calls whose results they
    take, and a view of what a call returns, or what it is put into, with that call. In a level the host comes first.
    """
    found = _Levels(devices)
    body = function.body.block
    for op in body.ops:
        if op is not body.last_op:
            found.assign(op)
    return found.levels


@dataclass
class _Levels:
    devices: Collection[str]
    levels: list[Level] = field(default_factory=list[Level])
    level_of: dict[Operation, int] = field(default_factory=dict[Operation, int])
    on_device: set[Operation] = field(default_factory=set[Operation])
    """Device calls, and views of what they return."""

    def assign(self, op: Operation) -> None:
        """Put an operation where those that it needs have been put before."""
        inputs = [v.owner for inner in op.walk() for v in inner.operands if isinstance(v.owner, Operation)]
        known = [(self.level_of[owner], owner) for owner in inputs if owner in self.level_of]
        if isinstance(op, CallOp) and op.callee.string_value() in self.devices:
            number = max((level for level, _ in known), default=0)
            self._at(number).inside.append(op)
            self.on_device.add(op)
        elif isinstance(op, VIEWS) and self._is_made_last(known):
            number = max(level for level, _ in known)
            self._at(number).inside.append(op)
            self.on_device.add(op)
            self._assemble_before(op, number)
        else:
            number = max((level + (owner in self.on_device) for level, owner in known), default=0)
            self._at(number).host.append(op)
        self.level_of[op] = number

    def _is_made_last(self, known: Sequence[tuple[int, Operation]]) -> bool:
        """Whether device calls, or views of what they return, are among the operands that come last."""
        last = max((level for level, _ in known), default=0)
        return any(level == last and owner in self.on_device for level, owner in known)

    def _assemble_before(self, op: View, number: int) -> None:
        """What was put into the same tensor at earlier levels is put there by the host, for this level to go on."""
        moved: list[Operation] = []
        while isinstance(op, InsertSliceOp) and isinstance(op.dest.owner, InsertSliceOp):
            op = op.dest.owner
            level = self.level_of[op]
            if op in self.on_device and level < number and op.result.uses.get_length() == 1:
                self.levels[level].inside.remove(op)
                self.on_device.remove(op)
                self.level_of[op] = number
                moved.insert(0, op)
        self._at(number).host.extend(moved)

    def _at(self, number: int) -> Level:
        while len(self.levels) <= number:
            self.levels.append(Level())
        return self.levels[number]
