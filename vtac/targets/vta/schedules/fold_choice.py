"""The fold of a convolution's windows that costs least, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import cast

from xdsl.dialects.arith import ConstantOp
from xdsl.ir import SSAValue

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing import BlockDiagonalOp
from vtac.errors import NoDefaultScheduleError
from vtac.partition.convolutions import Convolution
from vtac.partition.window_folds import WindowFold, channels_of, folds_of
from vtac.targets.vta.schedules.folds import FoldCost, HostWork, bound_of, cost_of, folded_layer, host_work
from vtac.targets.vta.schedules.layers import Layer


def useful_folds(found: Convolution, config: VTAConfig) -> list[WindowFold]:
    """The folds that save products."""
    now = _products([window.size for window in found.windows], channels_of(found), config)
    return [fold for fold in folds_of(found) if _products(fold.pieces, fold.channels, config) < now]


def _products(window: Sequence[int], channels: int, config: VTAConfig) -> int:
    """Products of tiles for each tile of results."""
    return prod(window) * -(-channels // config.block_in)


def cheapest_fold(
    found: Convolution, layer: Layer, folds: Sequence[WindowFold], config: VTAConfig, whole_saves: float = 0
) -> tuple[WindowFold, str] | None:
    """The fold that costs least, and what is said of it; None where `layer`, the convolution as it is, does.

    A fold of whole windows saves `whole_saves` cycles elsewhere.
    """
    given = not isinstance(_origin(cast(SSAValue, found.kernel)).owner, ConstantOp)
    choice = _Choice(found, layer, config, given, whole_saves)
    best, now = choice.best(folds), choice.cost(None)
    if best is None or now is None or choice.total(*best) >= now.total:
        return None
    return best[0], _text(found, *best, now)


@dataclass
class _Choice:
    """The folds of one convolution, which `layer` is as it is; `given` says that its kernel is no constant.

    With all of a window in channels the program saves `whole_saves` cycles.
    """

    found: Convolution
    layer: Layer
    config: VTAConfig
    given: bool
    whole_saves: float

    def best(self, folds: Sequence[WindowFold]) -> tuple[WindowFold, FoldCost] | None:
        """The fold that costs least, lowest bound first: the search for tilings ends where no bound is lower."""
        best: tuple[WindowFold, FoldCost] | None = None
        for fold in sorted(folds, key=self.bound):
            if best is not None and self.total(*best) <= self.bound(fold):
                break
            cost = self.cost(fold)
            if cost is not None and (best is None or self.total(fold, cost) < self.total(*best)):
                best = fold, cost
        return best

    def total(self, fold: WindowFold, cost: FoldCost) -> float:
        """What a fold costs, less what it saves elsewhere."""
        return cost.total - self._saved(fold)

    def bound(self, fold: WindowFold) -> float:
        """What `total` is at least."""
        return bound_of(self._layer(fold), self.host(fold), self.config) - self._saved(fold)

    def cost(self, fold: WindowFold | None) -> FoldCost | None:
        """What the layer takes under its best tiling; None where none fits."""
        try:
            return cost_of(self._layer(fold), self.host(fold), self.config)
        except NoDefaultScheduleError:
            return None

    def host(self, fold: WindowFold | None) -> HostWork:
        """What the host does."""
        return host_work(self.found, fold, self.config, kernel=self.given)

    def _saved(self, fold: WindowFold) -> float:
        return self.whole_saves if prod(fold.pieces) == 1 else 0

    def _layer(self, fold: WindowFold | None) -> Layer:
        return self.layer if fold is None else folded_layer(self.layer, fold, self.config)


def _origin(value: SSAValue) -> SSAValue:
    """What a kernel in groups is made of."""
    return value.owner.source if isinstance(value.owner, BlockDiagonalOp) else value


def _text(found: Convolution, fold: WindowFold, cost: FoldCost, now: FoldCost) -> str:
    rows, columns = fold.places
    height, width = (window.size for window in found.windows)
    part = f"{rows} x {columns} places of its" if (rows, columns) != (height, width) else "its"
    written = f"{cost.host.nbytes:,} bytes written by the host"
    if cost.host.nbytes != now.host.nbytes:
        written += f" instead of {now.host.nbytes:,}"
    return (
        f"{part} {height} x {width} window folded into channels by the host as it packs ({channels_of(found)} become "
        f"{fold.channels}): about {cost.found.cycles:,} cycles instead of {now.found.cycles:,}, "
        f"{cost.found.nbytes:,} bytes of traffic instead of {now.found.nbytes:,}, {written}"
    )
