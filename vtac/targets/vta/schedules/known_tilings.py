"""Tilings that were found before: by the same search, or by a longer one that counts more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from vtac.targets.vta.schedules.tiling import Tiling

if TYPE_CHECKING:
    from vtac.dialects.hardware import VTAConfig
    from vtac.targets.vta.schedules.layers import Layer


UNTUNED = "no tiling of it is in the store of schedules"
"""What is said of a layer that has its default schedule, as those that were tuned do not know it."""


class KnownTilings(Protocol):
    """What compilation asks before it searches; `decides` where an answer counts more than what was found here."""

    @property
    def decides(self) -> bool: ...
    def find(self, layer: Layer, config: VTAConfig) -> Tiling | None:
        """The tiling of a layer; None for one that is not known."""
        ...

    def keep(self, layer: Layer, config: VTAConfig, tiling: Tiling) -> None:
        """What a search has found for a layer that was not known."""
        ...


@dataclass(frozen=True)
class TunedTilings:
    """Tilings that were tuned: they count more than others, and nothing is added to them."""

    lookup: Callable[[Layer, VTAConfig], Tiling | None]
    decides: bool = True

    def find(self, layer: Layer, config: VTAConfig) -> Tiling | None:
        return self.lookup(layer, config)

    def keep(self, layer: Layer, config: VTAConfig, tiling: Tiling) -> None:
        del layer, config, tiling


def is_untuned(layers: Sequence[Layer], config: VTAConfig, tilings: TunedTilings) -> bool:
    """Whether that of the one layer of a function is not among tilings that were tuned."""
    return len(layers) == 1 and tilings.find(layers[0], config) is None
