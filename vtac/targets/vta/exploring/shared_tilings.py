"""Tilings of layers that were found for other machines, and which of them another machine takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.store.records import digest
from vtac.targets.vta.schedules.cost import estimates
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.ranking import score
from vtac.targets.vta.schedules.roof import roof
from vtac.targets.vta.schedules.room import fits
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.schedules.tilings import tilings_of
from vtac.targets.vta.tuning.identity import layer_text, tiling_of, tiling_text


@dataclass
class SharedTilings:
    """Tilings of machines with the same tiles, where they fit; what is searched for is noted beside them.

    `given` and `used` name a layer by the digest of its text. A machine with larger memories has found a tiling among
    more, so that of several that fit the one with the best estimate is taken, and of equals the first.
    """

    given: Mapping[str, Sequence[str]]
    used: dict[str, str] = field(default_factory=dict[str, str])
    decides: bool = True

    def find(self, layer: Layer, config: VTAConfig) -> Tiling | None:
        """The tiling that a layer has on this machine already, or gets from others; None where none fits."""
        name = digest(layer_text(layer))
        texts = [self.used[name]] if name in self.used else self.given.get(name, ())
        tiling = _best([tiling_of(text) for text in texts], layer, config)
        if tiling is not None:
            self.keep(layer, config, tiling)
        return tiling

    def keep(self, layer: Layer, config: VTAConfig, tiling: Tiling) -> None:
        """Note the tiling of a layer."""
        del config
        self.used[digest(layer_text(layer))] = tiling_text(tiling)


def merged_tilings(found: Sequence[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    """What several machines have, layer by layer: each tiling once, in the order of the machines."""
    layers = dict.fromkeys(name for tilings in found for name in tilings)
    return {name: tuple(dict.fromkeys(one[name] for one in found if name in one)) for name in layers}


def _best(tilings: Sequence[Tiling], layer: Layer, config: VTAConfig) -> Tiling | None:
    """The tiling with the best estimate of those that fit."""
    rank = len(layer.extents)
    fitting = [one for one in tilings if bool(np.all(fits(layer, tilings_of([one], rank), config)))]
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    limit = roof(layer, config)
    scores = [score(one, limit) for one in estimates(layer, tilings_of(fitting, rank), config).listed()]
    return fitting[scores.index(min(scores))]
