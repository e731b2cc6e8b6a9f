"""Configurations of the hardware with their memory system, and which of them a sweep enumerates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import nan, prod

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.memory_bus import BUS_BYTES, OUTSTANDING_BURSTS
from vtac.errors import ConfigError, VtacError
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.exploring.where import Where
from vtac.text.reports import suggestion

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
_SIDES = ("BLOCK_IN", "BLOCK_OUT")
DERIVED: dict[str, tuple[str, ...]] = {
    "sram_kib": ("uop_kib", "inp_kib", "wgt_kib", "acc_kib"),
    "multipliers": ("BATCH", "BLOCK"),
}
"""Names that follow from others: a condition on one sweeps those."""
NAMES = (*DIMENSIONS, *DERIVED)
DEFAULT = ("BLOCK", "inp_kib", "wgt_kib", "acc_kib")
"""What is swept when nothing is said: these, with the memories of one size against another as they are by default."""
_MOST_COMBINATIONS = 2_000_000
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


def machine_of(values: dict[str, int], base: Machine) -> Machine | None:
    """A machine with these dimensions, the others those of `base`; None where the hardware does not exist.

    Instructions and micro-ops must encode. A tile must not cross a burst, and with BATCH above 1 a row must not be
    narrower than the bus: such hardware cannot be built, or stores wrongly.
    """
    fields: dict[str, int | None] = {}
    if "BATCH" in values:
        fields["log_batch"] = values["BATCH"].bit_length() - 1
    if "BLOCK" in values:
        fields |= {"log_block": values["BLOCK"].bit_length() - 1, "log_block_in": None, "log_block_out": None}
    for side in _SIDES:
        if side in values:
            other = _SIDES[1 - _SIDES.index(side)]
            kept = base.config.block_in if other == "BLOCK_IN" else base.config.block_out
            fields[f"log_{side.lower()}"] = values[side].bit_length() - 1
            fields.setdefault(f"log_{other.lower()}", kept.bit_length() - 1)
    for name in ("uop", "inp", "wgt", "acc"):
        if f"{name}_kib" in values:
            fields[f"log_{name}_buff_size"] = values[f"{name}_kib"].bit_length() + 9
    for name, field in _QUEUES.items():
        if name in values:
            fields[field] = values[name]
    timed = {
        field: values[name] // (8 if name == "bus_bits" else 1)
        for name, field in (_TIMED | _QUEUES).items()
        if name in values
    }
    try:
        found = Machine(replace(base.config, **fields), replace(base.timing, **timed))
    except ConfigError:
        return None
    config, timing = found.config, found.timing
    if config.out_element_bytes > timing.burst_bytes or (config.batch > 1 and config.block_out < timing.bus_bytes):
        return None
    return found


_TIMED = {
    "bus_bits": "bus_bytes",
    "burst_beats": "burst_beats",
    "latency": "memory_latency",
}
_QUEUES = {"bursts": "outstanding_bursts", "queue_depth": "queue_depth"}
"""What both a configuration and a timing say."""


def swept(where: Where | None, vary: Sequence[str]) -> list[str]:
    """The dimensions that a condition names or that are given, in their order.

    Raises `VtacError` for other names, and for `BLOCK` beside one of its sides.
    """
    for name in vary:
        if name not in NAMES:
            hint = suggestion(name, NAMES) or f"; the names are {', '.join(NAMES)}"
            raise VtacError(f"nothing is called '{name}' that could be varied{hint}")
    named = {*vary, *(where.names if where is not None else ())}
    sides = [side for side in _SIDES if side in named]
    if sides and "BLOCK" in named:
        raise VtacError(
            f"BLOCK is both sides of a tile, and {sides[0]} is one of them: name BLOCK, or BLOCK_IN and BLOCK_OUT"
        )
    chosen = {part for name in named for part in DERIVED.get(name, (name,))} or set(DEFAULT)
    if sides and "BLOCK" in chosen:
        chosen = chosen - {"BLOCK"} | set(_SIDES)
    return [name for name in DIMENSIONS if name in chosen]


def untried(where: Where) -> str:
    """Which numbers a condition asks for that a dimension is never tried at, in words; empty where there are none."""
    for name, value in where.asked():
        values = DIMENSIONS.get(name)
        if values is not None and value not in values:
            *most, last = (f"{one:,}" for one in values)
            return f"{name} is tried at {', '.join(most)} and {last}, not at {value:,}"
    return ""


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
