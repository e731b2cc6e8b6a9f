"""The work of a layer that no schedule can leave out, and the cycles that it takes at least."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.cycles.timing import Timing

_DE10 = Timing.de10()


def least_store_cycles(nbytes: int, config: VTAConfig, timing: Timing = _DE10) -> int:
    """Cycles in which so many bytes of results are stored at least.

    Each burst takes its beats and four more; but tiles wider than the bus are read row by row, a cycle for each
    row but a burst's last.
    """
    beats, bursts = nbytes // timing.bus_bytes, nbytes // timing.burst_bytes
    if config.out_element_bytes <= timing.bus_bytes:
        return beats + 4 * bursts
    return beats + beats // max(1, config.block_out // timing.bus_bytes) + 3 * bursts


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

    def compute(self, timing: Timing = _DE10) -> int:
        """Cycles of the compute unit; operations on two tensors may take one cycle per tile instead of two."""
        return self.products + self.resets + (self.alu if timing.alu_tensor_interval > 1 else self.alu // 2)

    def cycles(self, config: VTAConfig, timing: Timing = _DE10) -> int:
        """The bound: the compute unit, the loads at the bus's width, or the stores, whichever takes longest.

        Units overlap, also from one layer to the next, so that this holds for the work of a network, too.
        """
        stores = least_store_cycles(self.stored, config, timing)
        return max(1, self.compute(timing), self.loaded // timing.bus_bytes, stores)

    def limit(self, config: VTAConfig) -> str:
        """What the bound comes from, on `Timing.de10()`."""
        cycles = self.cycles(config)
        if self.compute() >= cycles:
            return "compute"
        return "loads" if self.loaded // _DE10.bus_bytes >= cycles else "stores"

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
