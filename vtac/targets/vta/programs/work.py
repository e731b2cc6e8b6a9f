"""The work of a layer that no schedule can leave out, and the cycles that it takes at least."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.memory_bus import BURST_BYTES, BUS_BYTES


def least_store_cycles(nbytes: int, config: VTAConfig) -> int:
    """Cycles in which so many bytes of results are stored at least.

    Each burst takes its beats and four more; but tiles wider than the bus are read row by row, a cycle for each
    row but a burst's last.
    """
    beats, bursts = nbytes // BUS_BYTES, nbytes // BURST_BYTES
    if config.out_element_bytes <= BUS_BYTES:
        return beats + 4 * bursts
    return beats + beats // max(1, config.block_out // BUS_BYTES) + 3 * bursts


@dataclass(frozen=True, slots=True)
class Work:
    """Cycles of the compute unit by kind, and bytes that must move.

    `products` are multiplications of tiles that meet data, `resets` of accumulators, `alu` the
    cycles of ALU operations (one per tile with an immediate, two with a tensor); `loaded` and
    `stored` are bytes: inputs, weights and results once each.
    """

    products: int
    resets: int
    alu: int
    loaded: int
    stored: int

    @property
    def compute(self) -> int:
        """Cycles of the compute unit."""
        return self.products + self.resets + self.alu

    def cycles(self, config: VTAConfig) -> int:
        """The bound: the compute unit, the loads at the bus's width, or the stores, whichever takes longest."""
        return max(1, self.compute, self.loaded // BUS_BYTES, least_store_cycles(self.stored, config))

    def limit(self, config: VTAConfig) -> str:
        """What the bound comes from."""
        cycles = self.cycles(config)
        if self.compute >= cycles:
            return "compute"
        return "loads" if self.loaded // BUS_BYTES >= cycles else "stores"

    def fields(self) -> dict[str, int]:
        """As a record of a saved program, or an attribute."""
        return asdict(self)

    @staticmethod
    def from_fields(fields: Mapping[str, object]) -> Work:
        """Raises `TypeError` or `KeyError` for other than the five numbers, none below zero."""
        names = ("products", "resets", "alu", "loaded", "stored")
        values = [fields[name] for name in names]
        if len(fields) != len(names):
            raise KeyError(next(iter(set(fields) - set(names))))
        numbers = [value for value in values if type(value) is int and value >= 0]
        if len(numbers) != len(names):
            raise TypeError(f"{values} are no numbers of operations and bytes")
        return Work(*numbers)
