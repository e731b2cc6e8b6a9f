"""What the Chisel design's shells call their ports: by that a top is known, and the bench's `ports.h` is made."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

_FIELDS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "AR": ("ADDR", "LEN", "ID", "SIZE", "BURST"),
        "R": ("DATA", "RESP", "USER", "ID", "LAST"),
        "AW": ("ADDR", "LEN", "ID", "SIZE", "BURST"),
        "W": ("DATA", "STRB", "LAST"),
        "B": ("RESP", "USER", "ID"),
    }
)
"""The channels of AXI, and what the bench reads or sets of each beside VALID and READY."""


@dataclass(frozen=True, slots=True)
class Shell:
    """A shell of the design: its clock and reset, and what stands before the ports of its master and its slave.

    `is_bundled` ports are those of a Chisel module without names of its own: `io_mem_ar_bits_addr`.
    """

    name: str
    clock: str
    reset: str
    reset_level: int
    memory: str
    host: str
    is_bundled: bool

    def port(self, side: str, channel: str, field: str) -> str:
        """A port: `side` is that of the memory or of the host."""
        if not self.is_bundled:
            return f"{side}{channel}{field}"
        bits = "" if field in ("VALID", "READY") else "bits_"
        return f"{side}{channel.lower()}_{bits}{field.lower()}"

    @property
    def known_by(self) -> Sequence[str]:
        """Ports without which a module is no such shell."""
        sides = [(side, channel) for side in (self.memory, self.host) for channel in ("AR", "AW")]
        return (self.clock, self.reset, *(self.port(side, channel, "VALID") for side, channel in sides))

    def header(self) -> str:
        """`ports.h`: MEM_ARVALID and the others."""
        lines = [f"#define CLOCK {self.clock}", f"#define RESET {self.reset}"]
        lines.append(f"#define RESET_LEVEL {self.reset_level}")
        for name, side in (("MEM", self.memory), ("HOST", self.host)):
            for channel, fields in _FIELDS.items():
                ports = [(field, self.port(side, channel, field)) for field in ("VALID", "READY", *fields)]
                lines += [f"#define {name}_{channel}{field} {port}" for field, port in ports]
        return "\n".join(lines) + "\n"


SHELLS = (
    Shell("XilinxShell", "ap_clk", "ap_rst_n", 0, "m_axi_gmem_", "s_axi_control_", is_bundled=False),
    Shell("IntelShell", "clock", "reset", 1, "io_mem_", "io_host_", is_bundled=True),
)
"""VTAShell has the ports of IntelShell."""


@dataclass(frozen=True, slots=True)
class Top:
    """A module with the ports of a shell; `lacking` are those that it does not have.

    `bus_bits` is how wide its memory's data are, 0 where its text does not say.
    """

    module: str
    shell: Shell
    lacking: tuple[str, ...]
    bus_bits: int


_MODULE = re.compile(r"^\s*module\s+(\w+)(.*?)^\s*endmodule", re.MULTILINE | re.DOTALL)


def nearest_top(sources: Sequence[bytes]) -> Top | None:
    """The module that lacks the fewest ports of a shell; None where there is no module.

    Of equals it is the one that no other mentions: one shell may stand within another.
    """
    bodies = {name: body for data in sources for name, body in _MODULE.findall(data.decode("utf-8", "replace"))}
    found = [_top(name, body, shell) for name, body in bodies.items() for shell in SHELLS]
    least = min((len(top.lacking) for top in found), default=0)
    nearest = [top for top in found if len(top.lacking) == least]
    return next((top for top in nearest if not _is_within(top.module, bodies)), nearest[0] if nearest else None)


def _top(name: str, body: str, shell: Shell) -> Top:
    lacking = tuple(port for port in shell.known_by if re.search(rf"(?<![.\w]){port}\b", body) is None)
    width = re.search(rf"\[\s*(\d+)\s*:\s*0\s*\]\s*{shell.port(shell.memory, 'R', 'DATA')}\b", body)
    return Top(name, shell, lacking, int(width[1]) + 1 if width else 0)


def _is_within(module: str, bodies: Mapping[str, str]) -> bool:
    return any(re.search(rf"\b{module}\b", body) for name, body in bodies.items() if name != module)
