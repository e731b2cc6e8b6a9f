"""Hardware records: the VTA's `vta_config.json` and everything that follows from it.

Plain Python, so that every floor of the compiler can read it without cost.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Literal, cast, get_args

from vtac.dialects.hardware_fields import field_value, parse_record, read_record, shown_size, shown_value
from vtac.dialects.instruction_bits import MICRO_OP_BITS, require_instructions
from vtac.dialects.memory_bus import BURST_BEATS, BUS_BYTES, OUTSTANDING_BURSTS
from vtac.errors import ConfigError

MemoryName = Literal["uop", "wgt", "inp", "acc", "out"]

_MEMORIES: tuple[MemoryName, ...] = ("uop", "inp", "wgt", "acc")

DRAM_PAGE_BYTES = 4096
"""Buffers share no page of DRAM."""

Encoding = Literal["derived", "chisel"]
"""How wide the fields of instructions are: as the memories' capacities ask for, or as the Chisel decoder has them."""

_CHISEL_BITS: dict[MemoryName, int] = {"uop": 13, "wgt": 10, "inp": 11, "acc": 11, "out": 11}
"""Bits of an index in the Chisel decoder, whatever its memories hold: those of the default configuration."""

_DESCRIPTION = {"fields", "possible", "facts"}
"""The keys of what `vtac config --json` prints of a record."""
_OPTIONAL: dict[str, int | str | None] = {
    "encoding": "derived",
    "log_block_in": None,
    "log_block_out": None,
    "queue_depth": 512,
    "outstanding_bursts": OUTSTANDING_BURSTS,
}
"""Fields that the reference's files lack, and that are written only where they are not these."""

_HLS_TARGETS = ("pynq", "ultra96", "zcu104")

_MOST = {"queue_depth": 1 << 16, "outstanding_bursts": 256}

_SRAM_BASE_BITS = 16


@dataclass(frozen=True)
class VTAConfig:
    """One VTA hardware configuration, as `vta_config.json` states it.

    Sizes are log2: `log_*_width` of bits, `log_*_buff_size` of bytes, `log_batch` and
    `log_block` of scalars. The default is the reference's default. Raises `ConfigError`
    when a field is out of range or when instructions or micro-ops would not fit.

    `log_block` sets both sides of a weight tile; `log_block_in` and `log_block_out` set one, None where it is
    `log_block`. `encoding` says how wide the fields of instructions are, `queue_depth` how many instructions a unit's
    queue holds, `outstanding_bursts` how many bursts memory accepts before it delivers the first.
    """

    target: str = "sim"
    hw_ver: str = "0.0.2"
    log_inp_width: int = 3
    log_wgt_width: int = 3
    log_acc_width: int = 5
    log_batch: int = 0
    log_block: int = 4
    log_uop_buff_size: int = 15
    log_inp_buff_size: int = 15
    log_wgt_buff_size: int = 18
    log_acc_buff_size: int = 17
    encoding: Encoding = "derived"
    log_block_in: int | None = None
    log_block_out: int | None = None
    queue_depth: int = 512
    outstanding_bursts: int = 16

    def __post_init__(self) -> None:
        self._check_fields()
        self._settle_blocks()
        self._check_capacities()
        self._check_encodings()

    def __hash__(self) -> int:
        """Of what differs between most records: it is asked for at each instruction."""
        return hash((self.log_batch, self.log_block, self.log_inp_buff_size, self.log_wgt_buff_size))

    @property
    def batch(self) -> int:
        """Rows of an input or accumulator tile."""
        return 1 << self.log_batch

    @property
    def block_in(self) -> int:
        """Input channels of a tile."""
        return 1 << (self.log_block if self.log_block_in is None else self.log_block_in)

    @property
    def block_out(self) -> int:
        """Output channels of a tile."""
        return 1 << (self.log_block if self.log_block_out is None else self.log_block_out)

    @property
    def tiles(self) -> str:
        """The tiles in words: `VTA 1x16x16`, rows, input and output channels."""
        return f"VTA {self.batch}x{self.block_in}x{self.block_out}"

    def __str__(self) -> str:
        sizes = ((memory, 1 << int(getattr(self, f"log_{memory}_buff_size"))) for memory in _MEMORIES)
        shown = ", ".join(f"{memory} {shown_size(nbytes)}" for memory, nbytes in sizes)
        return f"{self.tiles} ({shown})"

    @property
    def uop_element_bytes(self) -> int:
        return MICRO_OP_BITS // 8

    @property
    def wgt_element_bytes(self) -> int:
        return self.block_out * self.block_in * (1 << self.log_wgt_width) // 8

    @property
    def inp_element_bytes(self) -> int:
        return self.batch * self.block_in * (1 << self.log_inp_width) // 8

    @property
    def acc_element_bytes(self) -> int:
        return self.batch * self.block_out * (1 << self.log_acc_width) // 8

    @property
    def out_element_bytes(self) -> int:
        return self.batch * self.block_out * (1 << self.log_inp_width) // 8

    def element_bytes(self, memory: MemoryName) -> int:
        """Bytes of one element (tile or micro-op) of a memory."""
        return int(getattr(self, f"{memory}_element_bytes"))

    @property
    def dram_alignment(self) -> int:
        """Bytes on whose multiples buffers lie: a page, or the largest element, in whose units DRAM is addressed."""
        return max(DRAM_PAGE_BYTES, self.wgt_element_bytes, self.inp_element_bytes, self.acc_element_bytes)

    def capacity(self, memory: MemoryName) -> int:
        """Elements (tiles or micro-ops) that a memory holds."""
        return self._capacities[memory]

    @cached_property
    def _capacities(self) -> dict[MemoryName, int]:
        acc = (1 << self.log_acc_buff_size) // self.acc_element_bytes
        return {
            "uop": (1 << self.log_uop_buff_size) // self.uop_element_bytes,
            "wgt": (1 << self.log_wgt_buff_size) // self.wgt_element_bytes,
            "inp": (1 << self.log_inp_buff_size) // self.inp_element_bytes,
            "acc": acc,
            "out": acc,
        }

    def index_bits(self, memory: MemoryName) -> int:
        """Bits of an index into a memory: log2 of its capacity in elements."""
        return self.capacity(memory).bit_length() - 1

    @property
    def is_hls(self) -> bool:
        """Whether TARGET names a board of the HLS design, which executes a few instructions in its own way."""
        return self.target in _HLS_TARGETS

    def longest_load(self, memory: MemoryName) -> int:
        """Elements that one LOAD may fill.

        The Chisel design counts beats in flight, and its count of a whole memory wraps to 0 where all bursts that may
        be outstanding hold that many: such a LOAD ends early.
        """
        return self._longest_loads[memory]

    @cached_property
    def _longest_loads(self) -> dict[MemoryName, int]:
        return {memory: self._longest_load(memory) for memory in self._capacities}

    def _longest_load(self, memory: MemoryName) -> int:
        capacity = self.capacity(memory)
        beats = -(-capacity * self.element_bytes(memory) // BUS_BYTES)
        wraps = self.encoding == "chisel" and beats <= self.outstanding_bursts * BURST_BEATS
        return max(1, capacity - 1) if wraps and memory in ("inp", "wgt", "acc") else capacity

    def field_bits(self, memory: MemoryName) -> int:
        """Bits that instructions and micro-ops have for an index into a memory."""
        return _CHISEL_BITS[memory] if self.encoding == "chisel" else self.index_bits(memory)

    @cached_property
    def src_field_bits(self) -> int:
        """Bits of a micro-op's `src`: an INP index for GEMM, an ACC index for ALU."""
        return max(self.field_bits("acc"), self.field_bits("inp"))

    @classmethod
    def from_json(cls, path: str | Path) -> VTAConfig:
        """Read the reference's `vta_config.json`, or what `vtac config --json` prints.

        Keys that the file omits keep their default. Of what `vtac config` prints the `fields` count: the rest follows.
        Raises `ConfigError` for a key that no record has.
        """
        source = Path(path)
        data = parse_record(read_record(source), source)
        if not isinstance(data, dict):
            raise ConfigError(f"{source}: expected a JSON object with the fields of vta_config.json")
        values = cast("dict[str, object]", data)
        if set(values) == _DESCRIPTION and isinstance(values["fields"], dict):
            values = cast("dict[str, object]", values["fields"])
        return cls.from_fields(values, str(source))

    @classmethod
    def from_fields(cls, values: dict[str, object], source: str = "configuration") -> VTAConfig:
        """A record from keys of a `vta_config.json` (`TARGET`, ...). Raises `ConfigError` for other keys and types."""
        known = {field.name.upper(): field.name for field in fields(cls)}
        unknown = sorted(set(values) - set(known))
        if unknown:
            close = get_close_matches(unknown[0], known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ConfigError(f"{source}: unknown field {unknown[0]}; the fields are {', '.join(known)}{hint}")
        arguments: dict[str, int | str] = {}
        for key, value in values.items():
            arguments[known[key]] = field_value(f"{source}: {key}", known[key], value)
        try:
            return cls(**arguments)  # pyright: ignore[reportArgumentType]
        except ConfigError as error:
            raise ConfigError(f"{source}: {error}") from None

    def to_fields(self) -> dict[str, int | str]:
        """The record as `vta_config.json` keys and values, in the file's order; optional ones where they are set."""
        return {
            name.upper(): value
            for name, value in asdict(self).items()
            if name not in _OPTIONAL or value != _OPTIONAL[name]
        }

    def all_fields(self) -> dict[str, int | str]:
        """The values of all keys that a `vta_config.json` may have, in the file's order."""
        values = {name.upper(): value for name, value in asdict(self).items()}
        blocks = {"LOG_BLOCK_IN": self.block_in, "LOG_BLOCK_OUT": self.block_out}
        return values | {name: block.bit_length() - 1 for name, block in blocks.items()}

    def _settle_blocks(self) -> None:
        """Say what is one block as one, so that equal hardware is an equal record."""
        sides = {name: getattr(self, name) for name in ("log_block_in", "log_block_out")}
        given = [self.log_block if value is None else int(value) for value in sides.values()]
        if self.log_block not in given or given[0] == given[1]:
            object.__setattr__(self, "log_block", given[1])
        for name, value in sides.items():
            if value == self.log_block:
                object.__setattr__(self, name, None)

    def _check_fields(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None or _OPTIONAL.get(field.name, 0) is not None:
                field_value(field.name.upper(), field.name, value)
        if self.encoding not in get_args(Encoding):
            raise ConfigError(f"ENCODING is {shown_value(self.encoding)}; derived or chisel is required")
        for name, most in _MOST.items():
            if not 1 <= int(getattr(self, name)) <= most:
                raise ConfigError(f"{name.upper()} is {shown_value(getattr(self, name))}; 1 to {most} is required")
        for name, width in (("log_inp_width", 3), ("log_wgt_width", 3), ("log_acc_width", 5)):
            if getattr(self, name) != width:
                raise ConfigError(
                    f"{name.upper()} is {shown_value(getattr(self, name))}; "
                    f"only {width} ({1 << width}-bit elements) is supported: "
                    "inputs and weights are i8, accumulators i32"
                )
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.startswith("log_") and value is not None and not 0 <= value <= 32:
                raise ConfigError(f"{field.name.upper()} is {shown_value(value)}; a log2 between 0 and 32 is required")

    def _check_capacities(self) -> None:
        for memory in ("uop", "wgt", "inp", "acc"):
            log_bytes = int(getattr(self, f"log_{memory}_buff_size"))
            if 1 << log_bytes < self.element_bytes(memory):
                raise ConfigError(
                    f"LOG_{memory.upper()}_BUFF_SIZE is {log_bytes}: {1 << log_bytes} bytes hold no element of "
                    f"{self.element_bytes(memory)} bytes; at least one must fit"
                )
            if memory != "uop" and self.index_bits(memory) > _SRAM_BASE_BITS:
                raise ConfigError(
                    f"LOG_{memory.upper()}_BUFF_SIZE is {log_bytes}: {self.capacity(memory)} elements; "
                    f"the {_SRAM_BASE_BITS}-bit sram_base field reaches {1 << _SRAM_BASE_BITS}"
                )

    def _check_encodings(self) -> None:
        for memory in _MEMORIES:
            if self.index_bits(memory) > self.field_bits(memory):
                raise ConfigError(
                    f"LOG_{memory.upper()}_BUFF_SIZE: {self.capacity(memory):,} elements need indices of "
                    f"{self.index_bits(memory)} bits; the Chisel decoder has {self.field_bits(memory)}: make the "
                    "memory smaller, or its tiles larger"
                )
        uop, inp, wgt, acc = (self.field_bits(name) for name in ("uop", "inp", "wgt", "acc"))
        require_instructions(uop, inp, wgt, acc, src=self.src_field_bits)
