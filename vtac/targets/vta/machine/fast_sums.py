"""The sums of joined products, taken once.

Each product moves its tiles next to those of the products before where it stands in the stream. Numbers are widened,
multiplied and added when all have: before anything but a product touches the accumulator tiles.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.machine.fast_gemm import EXACT_TERMS, bind_gemm
from vtac.targets.vta.machine.fast_joined import Joined, Product, product_of
from vtac.targets.vta.machine.fast_joined_steps import bind_joined, can_stay, numbers_kept
from vtac.targets.vta.machine.fast_nest import Nest
from vtac.targets.vta.machine.fast_operands import Buffers
from vtac.targets.vta.machine.fast_workspace import Step, Workspace

_MAX_NUMBERS = 1 << 18
"""The most float32 numbers of one operand: those of more products would not stay in a cache."""
_MAX_OPEN = 4


@dataclass(eq=False)
class _Open:
    """Products whose sums are still to be taken, the places of their steps, and which buffers they use."""

    joined: Joined
    places: list[int]
    slot: int


@dataclass(eq=False)
class Sums:
    """Appends the steps of products to `steps`, joined where they add to the same tiles."""

    workspace: Workspace
    steps: list[Step]
    _buffers: list[Buffers] = field(init=False)
    _products: dict[Nest, Product | None] = field(default_factory=dict[Nest, "Product | None"], init=False)
    _begun: dict[Nest, Joined] = field(default_factory=dict[Nest, Joined], init=False)
    _alone: dict[Nest, list[Step]] = field(default_factory=dict[Nest, list[Step]], init=False)
    _bound: dict[tuple[Joined, int], list[Step]] = field(
        default_factory=dict[tuple[Joined, int], list[Step]], init=False
    )
    _open: list[_Open] = field(default_factory=list[_Open], init=False)
    _kept: int = field(default=0, init=False)
    """How many weights stay widened between runs."""

    def __post_init__(self) -> None:
        self._buffers = [Buffers(self.workspace, slot) for slot in range(_MAX_OPEN)]

    @property
    def is_open(self) -> bool:
        """Whether there are sums that `touch` would take."""
        return bool(self._open)

    def add(self, nest: Nest) -> None:
        """A GEMM without reset whose indices are in range."""
        if nest not in self._products:
            self._products[nest] = product_of(nest)
        product = self._products[nest]
        if product is None:
            self.steps += self._single(nest)
            return
        group = self._group(product)
        group.places.append(len(self.steps))
        self.steps.append(_nothing)

    def touch(self, first: int, last: int) -> None:
        """Something else is about to read or write accumulator tiles between these two."""
        for group in [group for group in self._open if group.joined.start <= last and group.joined.end > first]:
            self._close(group)

    def finish(self) -> None:
        """The end of the stream."""
        while self._open:
            self._close(self._open[0])

    def _group(self, product: Product) -> _Open:
        """The open sums that a product joins, or new ones."""
        for group in self._open:
            following = group.joined.following
            if product.nest not in following:
                more = group.joined.with_product(product)
                following[product.nest] = more if more is not None and _fits(self.workspace, more) else None
            joined = following[product.nest]
            if joined is not None:
                group.joined = joined
                return group
        if len(self._open) == _MAX_OPEN:
            self._close(self._open[0])
        if product.nest not in self._begun:
            self._begun[product.nest] = Joined.of(product)
        slot = min(set(range(_MAX_OPEN)) - {group.slot for group in self._open})
        self._open.append(_Open(self._begun[product.nest], [], slot))
        return self._open[-1]

    def _single(self, nest: Nest) -> list[Step]:
        if nest not in self._alone:
            self._alone[nest] = bind_gemm(self.workspace, nest)
        return self._alone[nest]

    def _close(self, group: _Open) -> None:
        self._open.remove(group)
        if len(group.places) == 1:
            (self.steps[group.places[0]],) = self._single(group.joined.first.nest)
            return
        *moves, add = self._steps_of(group)
        for place, move in zip(group.places, moves, strict=True):
            self.steps[place] = move
        self.steps.append(add)

    def _steps_of(self, group: _Open) -> list[Step]:
        joined, buffers = group.joined, self._buffers[group.slot]
        if can_stay(self.workspace, joined, self._kept):
            self._kept += numbers_kept(self.workspace, joined)
            return bind_joined(buffers, joined, stays=True)
        key = joined, group.slot
        if key not in self._bound:
            self._bound[key] = bind_joined(buffers, joined)
        return self._bound[key]


def _nothing(_: NDArray[np.uint8]) -> None:
    """Stands where a product's step will."""


def _fits(workspace: Workspace, joined: Joined) -> bool:
    """Whether sums are exact in float32, operands of modest size, and all tiles in memory."""
    machine = workspace.machine
    terms = joined.terms * machine.inp.shape[-1]
    numbers = max(joined.height * machine.acc.shape[1], joined.columns * machine.acc.shape[2]) * terms
    in_memory = joined.start >= 0 and joined.end <= len(machine.acc)
    return in_memory and terms <= EXACT_TERMS and numbers <= _MAX_NUMBERS
