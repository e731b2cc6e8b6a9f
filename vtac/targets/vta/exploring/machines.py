"""Configurations of the hardware with their memory system, and which of them a sweep enumerates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ConfigError, VtacError
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.exploring.where import Where
from vtac.text.reports import suggestion

DIMENSIONS: dict[str, tuple[int, ...]] = {
    "BATCH": (1, 2, 4, 8),
    "BLOCK": (8, 16, 32, 64, 128),
    "uop_kib": (1, 2, 4, 8, 16, 32, 64, 128),
    "inp_kib": (1, 2, 4, 8, 16, 32, 64, 128),
    "wgt_kib": (8, 16, 32, 64, 128, 256, 512, 1024),
    "acc_kib": (4, 8, 16, 32, 64, 128, 256, 512),
    "bus_bits": (64, 128, 256, 512),
    "burst_beats": (8, 16, 32, 64, 128, 256),
    "bursts": (4, 8, 16, 32),
    "latency": (0, 4, 8, 16, 32, 64, 128, 200),
    "queue_depth": (32, 64, 128, 256, 512, 1024),
}
"""What may be swept, and the values that are tried: rows and channels of a tile, KiB of each memory, the memory bus."""
DERIVED: dict[str, tuple[str, ...]] = {
    "sram_kib": ("uop_kib", "inp_kib", "wgt_kib", "acc_kib"),
    "multipliers": ("BATCH", "BLOCK"),
}
"""Names that follow from others: a condition on one sweeps those."""
NAMES = (*DIMENSIONS, *DERIVED)
DEFAULT = ("BLOCK", "inp_kib", "wgt_kib", "acc_kib")
"""What is swept when nothing is said: these, with the memories of one size against another as they are by default."""
_MOST_COMBINATIONS = 2_000_000
_PROVEN_BLOCKS, _PROVEN_BEATS, _PROVEN_LATENCY = (16, 32), (16, 256), 200


@dataclass(frozen=True)
class Machine:
    """A configuration and its timing."""

    config: VTAConfig
    timing: Timing

    @property
    def values(self) -> dict[str, float]:
        """What conditions and tables call its parts."""
        config, timing = self.config, self.timing
        kib = {
            f"{name}_kib": 2.0 ** (getattr(config, f"log_{name}_buff_size") - 10)
            for name in ("uop", "inp", "wgt", "acc")
        }
        return {
            "BATCH": config.batch,
            "BLOCK": config.block_in,
            **kib,
            "bus_bits": timing.bus_bytes * 8,
            "burst_beats": timing.burst_beats,
            "bursts": timing.outstanding_bursts,
            "latency": timing.memory_latency,
            "queue_depth": timing.queue_depth,
            "sram_kib": sum(kib.values()),
            "multipliers": self.multipliers,
        }

    @property
    def multipliers(self) -> int:
        """Multiplications of 8 bits in a cycle."""
        return self.config.batch * self.config.block_in * self.config.block_out

    @property
    def sram_bytes(self) -> int:
        """Bytes of all memories on chip."""
        return sum(1 << int(getattr(self.config, f"log_{name}_buff_size")) for name in ("uop", "inp", "wgt", "acc"))

    @property
    def is_proven(self) -> bool:
        """Whether cycles on such a machine were compared with its RTL, and not only follow from the same formulas."""
        timing = self.timing
        return (
            self.config.batch == 1
            and self.config.block_in in _PROVEN_BLOCKS
            and (timing.bus_bytes, timing.outstanding_bursts) == (8, 16)
            and timing.burst_beats in _PROVEN_BEATS
            and timing.memory_latency <= _PROVEN_LATENCY
        )


def machine_of(values: dict[str, int], base: Machine) -> Machine | None:
    """A machine with these dimensions, the others those of `base`; None where the hardware does not exist.

    Instructions and micro-ops must encode. A tile must not cross a burst, and with BATCH above 1 a row must not be
    narrower than the bus: such hardware cannot be built, or stores wrongly.
    """
    logs = {
        f"log_{name}": values[name.upper()].bit_length() - 1 for name in ("batch", "block") if name.upper() in values
    }
    for name in ("uop", "inp", "wgt", "acc"):
        if f"{name}_kib" in values:
            logs[f"log_{name}_buff_size"] = values[f"{name}_kib"].bit_length() + 9
    timed = {
        field: values[name] // (8 if name == "bus_bits" else 1) for name, field in _TIMED.items() if name in values
    }
    try:
        found = Machine(replace(base.config, **logs), replace(base.timing, **timed))
    except ConfigError:
        return None
    config, timing = found.config, found.timing
    if config.out_element_bytes > timing.burst_bytes or (config.batch > 1 and config.block_out < timing.bus_bytes):
        return None
    return found


_TIMED = {
    "bus_bits": "bus_bytes",
    "burst_beats": "burst_beats",
    "bursts": "outstanding_bursts",
    "latency": "memory_latency",
    "queue_depth": "queue_depth",
}


def swept(where: Where | None, vary: Sequence[str]) -> list[str]:
    """The dimensions that a condition names or that are given, in their order. Raises `VtacError` for other names."""
    for name in vary:
        if name not in NAMES:
            hint = suggestion(name, NAMES) or f"; the names are {', '.join(NAMES)}"
            raise VtacError(f"nothing is called '{name}' that could be varied{hint}")
    named = {*vary, *(where.names if where is not None else ())}
    chosen = {part for name in named for part in DERIVED.get(name, (name,))} or set(DEFAULT)
    return [name for name in DIMENSIONS if name in chosen]


def machines(where: Where | None, vary: Sequence[str], base: Machine) -> Iterator[Machine]:
    """The machines of a sweep, in order. Raises `VtacError` for more combinations than can be looked at."""
    names = swept(where, vary)
    total = prod(len(DIMENSIONS[name]) for name in names)
    if total > _MOST_COMBINATIONS:
        raise VtacError(
            f"{', '.join(names)} have {total:,} combinations; at most {_MOST_COMBINATIONS:,} are looked at: "
            "name fewer of them"
        )
    for choice in product(*(DIMENSIONS[name] for name in names)):
        found = machine_of(dict(zip(names, choice, strict=True)), base)
        if found is None or (where is not None and not where.holds(found.values)):
            continue
        if where is None and not vary and not _is_balanced(found.config):
            continue
        yield found


def _is_balanced(config: VTAConfig) -> bool:
    """INP, WGT and ACC stand as in the default configuration: 1 to 8 to 4."""
    return (
        config.log_wgt_buff_size - config.log_inp_buff_size,
        config.log_acc_buff_size - config.log_inp_buff_size,
    ) == (3, 2)
