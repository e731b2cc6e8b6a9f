"""The matrices of joined products, and the buffers that they lie in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.machine.fast_workspace import Step, Workspace, strided, whole_runs


class Operand:
    """Tiles of all products side by side, as one float32 matrix (lines, terms)."""

    def __init__(
        self, workspace: Workspace, sram: NDArray[np.int8], lines: tuple[int, ...], purpose: str, numbers: str = ""
    ) -> None:
        """`lines` are the extents of its axes, then tiles that are added up.

        Tiles are moved into the array for `purpose`, and widened into that for `numbers`, or else one for `purpose`.
        """
        run = sram.shape[-1]
        self._source, self._tile = whole_runs(sram, run), sram.strides[0]
        self.bytes = workspace.scratch(f"{purpose} i8", (prod(lines) * run,), np.int8)
        self._runs = whole_runs(self.bytes, run).reshape(lines)
        self._numbers = workspace.scratch(f"{numbers or purpose} f32", (self.bytes.size,), np.float32)
        self.matrix = self._numbers.reshape(-1, lines[-1] * run)

    def widen(self) -> None:
        """The matrix of what was moved."""
        np.copyto(self._numbers, self.bytes)

    def move(
        self, start: int, lines: Sequence[tuple[int, int]], reduction: Sequence[tuple[int, int]], place: Sequence[int]
    ) -> tuple[NDArray[np.void], NDArray[np.void]]:
        """Where a product's tiles go to, from `place` on, and whence. Axes are extents and steps, in tiles.

        The last axis of `lines` is that of a tile, whose step is a run.
        """
        tile, run, strides = self._tile, self._runs.itemsize, self._runs.strides
        source = [(extent, step * tile) for extent, step in lines]
        source[-1] = lines[-1][0], run
        to = [(extent, stride) for (extent, _), stride in zip(lines, strides, strict=False)]
        inner, within = run, list[tuple[int, int]]()
        for extent, _ in reversed(reduction):
            within.append((extent, inner))
            inner *= extent
        source += [(extent, step * tile) for extent, step in reduction]
        at = sum([index * stride for index, stride in zip(place, strides, strict=True)])
        return strided(self._runs, at, to + within[::-1]), strided(self._source, start * tile, source)


class KeptWeights(Operand):
    """Weights that are widened when they change."""

    is_stale = False

    def widen(self) -> None:
        """The matrix of what was moved, where that has changed."""
        if self.is_stale:
            super().widen()
            self.is_stale = False


@dataclass(eq=False)
class Buffers:
    """The operands and sums of products that are open at a time; `slot` tells them from others."""

    workspace: Workspace
    slot: int
    _operands: dict[tuple[str, tuple[int, ...]], Operand] = field(
        default_factory=dict[tuple[str, tuple[int, ...]], Operand], init=False
    )
    moves: dict[tuple[object, ...], Step] = field(default_factory=dict[tuple[object, ...], Step], init=False)
    """Steps that move a product's tiles, by all that they depend on."""
    _kept: int = field(default=0, init=False)

    def operand(self, purpose: str, sram: NDArray[np.int8], lines: tuple[int, ...]) -> Operand:
        """The operand of these extents."""
        key = purpose, lines
        if key not in self._operands:
            self._operands[key] = Operand(self.workspace, sram, lines, f"{purpose} {self.slot}", purpose)
        return self._operands[key]

    def kept(self, sram: NDArray[np.int8], lines: tuple[int, ...]) -> KeptWeights:
        """Weights in an operand of their own."""
        self._kept += 1
        return KeptWeights(self.workspace, sram, lines, f"weights {self._kept} that stay in {self.slot}")
