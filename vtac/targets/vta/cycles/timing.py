"""The constants of the cycle model, one record per board."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.memory_bus import BURST_BEATS, BUS_BYTES, OUTSTANDING_BURSTS
from vtac.errors import ConfigError
from vtac.targets.vta.isa import WORD_BYTES

MINIMA = {"board": 0, "memory_latency": 0, "gemm_overhead": 0, "alu_overhead": 0}
"""The least that a field may be, where that is not 1."""


@dataclass(frozen=True)
class Timing:
    """One board's memory system and pipelines. Times are cycles of the accelerator's clock.

    `bus_bytes`: width of the memory bus, one beat per cycle. `burst_beats`: longest burst; a burst
    never crosses a boundary of `burst_bytes`. `outstanding_bursts`: read bursts accepted and not yet
    delivered. `memory_latency`: cycles that the memory's command queue must have been waiting before
    its head may begin. `queue_depth`: instructions in a unit's queue, the executing one included.
    `token_limit`: tokens a queue can count. `nop_cycles`: a memory instruction with x_size 0, and FINISH.
    `gemm_overhead`, `alu_overhead`: cycles beside one per tile operation;
    `alu_tensor_interval`: cycles per tile operation when an ALU instruction reads two tensors.

    Raises `ConfigError` for a value that no hardware can have.
    """

    board: str = "de10"
    bus_bytes: int = BUS_BYTES
    burst_beats: int = BURST_BEATS
    outstanding_bursts: int = OUTSTANDING_BURSTS
    memory_latency: int = 16
    queue_depth: int = 512
    token_limit: int = 255
    nop_cycles: int = 2
    gemm_overhead: int = 7
    alu_overhead: int = 7
    alu_tensor_interval: int = 2

    def __post_init__(self) -> None:
        for field in fields(self):
            value, least = getattr(self, field.name), MINIMA.get(field.name, 1)
            if field.name != "board" and value < least:
                raise ConfigError(f"Timing.{field.name} is {value}; at least {least} is required")
        for name in ("bus_bytes", "burst_beats"):
            value = int(getattr(self, name))
            if value & (value - 1):
                raise ConfigError(
                    f"Timing.{name} is {value}; a power of two is required: bursts end at aligned addresses"
                )
        if self.burst_bytes < WORD_BYTES:
            raise ConfigError(
                f"Timing: a burst of {self.burst_beats} beats of {self.bus_bytes} bytes holds no instruction of "
                f"{WORD_BYTES} bytes; fetch reads whole instructions, so make one of the two larger"
            )

    @property
    def burst_bytes(self) -> int:
        """Bytes of the longest burst, and the alignment that no burst crosses."""
        return self.bus_bytes * self.burst_beats

    @property
    def fetch_instructions(self) -> int:
        """Instructions that fetch reads as one burst."""
        return self.burst_bytes // WORD_BYTES

    def beat_delay(self, element_bytes: int) -> int:
        """Cycles from a beat on the bus to its write into SRAM: elements wider than the bus take one more."""
        return 1 if element_bytes <= self.bus_bytes else 2

    def within(self, config: VTAConfig) -> Timing:
        """The board, with the queues and bursts of the configuration where that has fewer."""
        depth = min(self.queue_depth, config.queue_depth)
        bursts = min(self.outstanding_bursts, config.outstanding_bursts)
        if (depth, bursts) == (self.queue_depth, self.outstanding_bursts):
            return self
        return replace(self, queue_depth=depth, outstanding_bursts=bursts)

    @classmethod
    def de10(cls) -> Timing:
        """The DE10 configuration: 64-bit bus, bursts of 16 beats. Its figures are those of the RTL."""
        return cls()

    @classmethod
    def pynq(cls) -> Timing:
        """The Pynq configuration: as `de10`, with bursts of 256 beats."""
        return cls(board="pynq", burst_beats=256)
