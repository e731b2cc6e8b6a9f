"""A stream for each kind of finding and fault: a sound program with one thing wrong, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ExecutionError
from vtac.targets.vta.isa import assemble
from vtac.targets.vta.machine import execute
from vtac.targets.vta.proof import check

_IMAGE_BYTES = 0x6000

SOUND = (
    "load.uop sram 0 <- dram 0x1400, 1 x 1 stride 1",
    "load.acc sram 0 <- dram 0xc0, 1 x 4 stride 4",
    "alu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 4 (dst+1 src+1) push_next",
    "store.out sram 0 -> dram 0x400, 1 x 4 stride 4 pop_prev push_prev",
    "load.uop nop pop_next",
    "finish",
)
"""Loads four accumulator tiles, adds 1 and stores them."""


@dataclass(frozen=True)
class Example:
    """Lines of assembly, each with how often it stands there, or the bytes of what is no stream."""

    lines: tuple[tuple[str, int], ...] = ()
    data: bytes = b""
    has_image: bool = True
    """Whether the checker knows what DRAM holds."""

    @property
    def text(self) -> str:
        """The example as it is shown."""
        if not self.lines:
            return self.data.hex(" ")
        return "\n".join(line if count == 1 else f"{line}    # {count} times" for line, count in self.lines)

    @property
    def stream(self) -> bytes:
        """The example as it runs, on the default configuration."""
        if not self.lines:
            return self.data
        return assemble("\n".join(line for line, count in self.lines for _ in range(count)) + "\n", VTAConfig())


def messages(example: Example) -> dict[str, str]:
    """What the checker, then strict execution say of an example, by kind."""
    config, image = VTAConfig(), np.zeros(_IMAGE_BYTES, np.uint8)
    found: dict[str, str] = {}
    try:
        for finding in check(example.stream, config, dram=image if example.has_image else None):
            found.setdefault(finding.kind, finding.message)
        execute(example.stream, image, config, strict=True)
    except ExecutionError as error:
        found.setdefault(error.kind, error.message)
    return found


def _changed(piece: str, instead: str) -> Example:
    """The sound program with a piece of one line replaced."""
    return Example(tuple((line.replace(piece, instead), 1) for line in SOUND))


def _written(*lines: str | tuple[str, int]) -> Example:
    return Example(tuple((line, 1) if isinstance(line, str) else line for line in lines))


EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "length": Example(data=bytes(15)),
        "opcode": Example(data=bytes([7, *bytes(15)])),
        "memory": _changed("load.acc", "load.out"),
        "alu-opcode": _changed("alu.add", "alu.mul"),
        "dependence": _written("load.inp nop pop_prev", "finish"),
        "pad": _changed("4 stride 4 pop_prev", "4 stride 4, pad 0 0 0 1 pop_prev"),
        "sram-range": _changed("load.acc sram 0", "load.acc sram 2046"),
        "dram-range": _changed("dram 0x400", "dram 0x5fd"),
        "uop-range": _changed("uops 0:1", "uops 0:8193"),
        "index-range": _changed("for 4 (dst+1 src+1)", "for 4 (dst+1023 src+1023)"),
        "finish": _written("load.inp nop"),
        "deadlock": _written("load.inp nop", "finish pop_prev"),
        "fetch": _written("load.inp nop pop_next", ("load.inp nop", 512), "load.uop nop push_prev", "finish"),
        "tokens": _written("load.inp nop push_next", "finish"),
        "token-limit": _written(("load.inp nop push_next", 256), ("load.uop nop pop_prev", 256), "finish"),
        "unwritten": _written(*(line for line in SOUND if not line.startswith("load.acc"))),
        "zero-trip": _changed("for 4 (", "for 0 ("),
        "zero-rows": _changed("dram 0xc0, 1 x 4", "dram 0xc0, 0 x 4"),
        "alu-hazard": _changed("for 4 (dst+1 src+1)", "for 4 (dst+0 src+0)"),
        "immediate-source": _changed("for 4 (dst+1 src+1)", "for 4 (dst+1 src+0)"),
        "shift": _changed("alu.add imm 1", "alu.shr imm -32"),
        "store-source": _written("load.acc sram 0 <- dram 0xc0, 1 x 4 stride 4 push_next", *SOUND[3:]),
        "race": _written(
            *SOUND[:2], SOUND[2].removesuffix(" push_next"), SOUND[3].replace(" pop_prev", ""), *SOUND[4:]
        ),
        "dram-race": _written(*SOUND[:3], "load.acc sram 8 <- dram 0x100, 1 x 1 stride 1", *SOUND[3:]),
        "micro-ops-unknown": Example(tuple((line, 1) for line in SOUND), has_image=False),
    }
)
"""An example of each kind, by its name."""
