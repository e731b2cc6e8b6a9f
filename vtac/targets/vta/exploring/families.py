"""Which machines' tilings another takes: of the next larger memories, so that only what does not fit is searched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import cached_property

from vtac.dialects.hardware import VTAConfig
from vtac.store.records import canonical, digest
from vtac.targets.vta.exploring.machines import Machine

_MEMORIES = ("wgt", "acc", "inp", "uop")


@dataclass(frozen=True)
class Families:
    """What programs depend on, of all machines, the largest first; and of each the next larger ones with its tiles.

    A machine is one of the next larger where all its memories are at least as large, and no third stands between.
    `parents` has none for a machine with which none can share.
    """

    parents: dict[VTAConfig, tuple[VTAConfig, ...]] = field(default_factory=dict["VTAConfig", "tuple[VTAConfig, ...]"])

    @staticmethod
    def of(machines: Iterable[Machine], *, share: bool) -> Families:
        """Families of machines; of one each unless they share."""
        by_tiles: dict[tuple[int, int, int], dict[VTAConfig, None]] = {}
        for machine in machines:
            by_tiles.setdefault(machine.tiles, {})[machine.program_config] = None
        parents: dict[VTAConfig, tuple[VTAConfig, ...]] = {}
        for configs in by_tiles.values():
            before: list[VTAConfig] = []
            for config in sorted(configs, key=_sizes, reverse=True):
                parents[config] = _nearest([one for one in before if _holds(one, config)]) if share else ()
                before.append(config)
        return Families(parents)

    def lineage(self, config: VTAConfig) -> str:
        """What stands for all machines that a program's tilings may be from; nothing where it has all by itself."""
        return self._lineages[config]

    @cached_property
    def _lineages(self) -> dict[VTAConfig, str]:
        found: dict[VTAConfig, str] = {}
        for config, parents in self.parents.items():
            before = [[asdict(parent), found[parent]] for parent in parents]
            found[config] = digest(canonical(before)) if before else ""
        return found


def _nearest(larger: list[VTAConfig]) -> tuple[VTAConfig, ...]:
    """Those of some machines that hold none of the others, the smallest first."""
    found: list[VTAConfig] = []
    for config in reversed(larger):
        if not any(_holds(config, nearer) for nearer in found):
            found.append(config)
    return tuple(found)


def _sizes(config: VTAConfig) -> tuple[int, ...]:
    logs = _logs(config)
    return sum(1 << log for log in logs), *logs


def _logs(config: VTAConfig) -> tuple[int, ...]:
    return tuple(int(getattr(config, f"log_{name}_buff_size")) for name in _MEMORIES)


def _holds(large: VTAConfig, small: VTAConfig) -> bool:
    """Whether all memories of one are at least as large."""
    return all(a >= b for a, b in zip(_logs(large), _logs(small), strict=True))
