"""Configurations of the hardware with their memory system, and what of them is called how."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import nan

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.memory_bus import BUS_BYTES, OUTSTANDING_BURSTS
from vtac.targets.vta.cycles import Timing

DIMENSIONS: dict[str, tuple[int, ...]] = {
    "BATCH": (1, 2, 4, 8),
    "BLOCK": (8, 16, 32, 64, 128),
    "BLOCK_IN": (8, 16, 32, 64, 128),
    "BLOCK_OUT": (8, 16, 32, 64, 128),
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
"""What may be swept, and the values that are tried: rows and channels of a tile, KiB of each memory, the memory bus.

`BLOCK` is both sides of a tile of weights; where it is swept, neither `BLOCK_IN` nor `BLOCK_OUT` is.
"""
DERIVED: dict[str, tuple[str, ...]] = {
    "sram_kib": ("uop_kib", "inp_kib", "wgt_kib", "acc_kib"),
    "multipliers": ("BATCH", "BLOCK"),
}
"""Names that follow from others: a condition on one sweeps those."""
NAMES = (*DIMENSIONS, *DERIVED)
_PROVEN_LATENCY = 200
_PROVEN: dict[tuple[int, int], tuple[tuple[int, ...], tuple[int, ...]]] = {
    (16, 16): ((16, 256), (32, 64, 512)),
    (32, 32): ((16, 256), (32, 512)),
    (16, 32): ((16,), (32,)),
    (16, 64): ((16,), (32,)),
    (32, 16): ((16,), (32,)),
    (64, 16): ((16,), (32,)),
}
"""BLOCK_IN and BLOCK_OUT of designs whose RTL was compared: with bursts of so many beats, and queues of such depths."""


@dataclass(frozen=True)
class Machine:
    """A configuration and its timing, which say the same of queues and bursts: the smaller of both."""

    config: VTAConfig
    timing: Timing

    def __post_init__(self) -> None:
        depth = min(self.config.queue_depth, self.timing.queue_depth)
        bursts = min(self.config.outstanding_bursts, self.timing.outstanding_bursts)
        object.__setattr__(self, "config", replace(self.config, queue_depth=depth, outstanding_bursts=bursts))
        object.__setattr__(self, "timing", replace(self.timing, queue_depth=depth, outstanding_bursts=bursts))

    @property
    def program_config(self) -> VTAConfig:
        """What its programs depend on: machines for which it is equal run the same ones.

        Queues and bursts are those of the default, unless the encoding makes programs depend on them.
        """
        if self.config.encoding == "chisel":
            return self.config
        usual = VTAConfig()
        return replace(self.config, queue_depth=usual.queue_depth, outstanding_bursts=usual.outstanding_bursts)

    @property
    def tiles(self) -> tuple[int, int, int]:
        """Rows, input and output channels of its tiles: machines for which they are equal may share tilings."""
        return self.config.batch, self.config.block_in, self.config.block_out

    @property
    def values(self) -> dict[str, float]:
        """What conditions and tables call its parts; `BLOCK` is no number where the sides of a tile differ."""
        config, timing = self.config, self.timing
        kib = {
            f"{name}_kib": 2.0 ** (getattr(config, f"log_{name}_buff_size") - 10)
            for name in ("uop", "inp", "wgt", "acc")
        }
        return {
            "BATCH": config.batch,
            "BLOCK": config.block_in if config.block_in == config.block_out else nan,
            "BLOCK_IN": config.block_in,
            "BLOCK_OUT": config.block_out,
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
        """Whether cycles on such a machine were compared with its RTL, and not only follow from the same formulas.

        Memories of other sizes change no formula, and are none of it.
        """
        timing = self.timing
        rows, *sides = self.tiles
        beats, depths = _PROVEN.get((sides[0], sides[1]), ((), ()))
        return (
            rows == 1
            and (timing.bus_bytes, timing.outstanding_bursts) == (BUS_BYTES, OUTSTANDING_BURSTS)
            and timing.burst_beats in beats
            and timing.queue_depth in depths
            and timing.memory_latency <= _PROVEN_LATENCY
        )
