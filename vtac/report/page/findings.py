"""The section of findings: what the checker proves of the streams, or says is wrong, with the place drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from vtac.dialects.hardware import MemoryName, VTAConfig
from vtac.errors import VtacError
from vtac.report.page.section import Section
from vtac.report.page.templating import render
from vtac.targets.vta.isa import WORD_BYTES, disassemble
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.targets.vta.proof import Finding, check

MOST_FINDINGS = 200
_ENDS = MappingProxyType(
    {
        "l2g": ("load", "compute"),
        "g2l": ("compute", "load"),
        "s2g": ("store", "compute"),
        "g2s": ("compute", "store"),
    }
)
_MEMORIES: tuple[MemoryName, ...] = ("inp", "wgt", "acc", "uop", "out")


@dataclass(frozen=True)
class Drawn:
    """A finding, its instructions as text, and where on a bar of the whole memory, or of the stream, it lies."""

    finding: Finding
    instructions: Sequence[str]
    memory: str
    memory_span: tuple[float, float] | None
    stream_marks: Sequence[float]
    ends: tuple[str, str] | None


def findings_section(program: VtaProgram) -> Section:
    """What the checker says of all streams."""
    try:
        found = [(stream, finding) for stream in program.devices.values() for finding in check(stream)]
    except VtacError as error:
        return Section("findings", "Findings", render("nothing.html", reason=f"the streams cannot be checked: {error}"))
    drawn = [_drawn(stream, finding, len(program.devices) > 1) for stream, finding in found[:MOST_FINDINGS]]
    streams = len(program.devices)
    return Section("findings", "Findings", render("findings.html", drawn=drawn, total=len(found), streams=streams))


def _drawn(stream: Program, finding: Finding, several: bool) -> Drawn:
    count = max(1, len(stream.instructions) // WORD_BYTES)
    positions = list(dict.fromkeys(at for at in (finding.first, finding.second) if at is not None))
    shown = positions if finding.kind not in ("opcode", "length") else []
    texts = [f"{_instruction(stream, at)}   {_origin(stream, at)}".rstrip() for at in shown if at < count]
    prefix = [f"stream {stream.name}"] if several else []
    capacity = _capacity(stream, finding.buffer)
    span = None
    if capacity and finding.range is not None:
        first, last = finding.range
        span = max(0.0, first / capacity), min(1.0, last / capacity)
    ends = _ENDS.get(finding.buffer or "")
    return Drawn(finding, [*prefix, *texts], finding.buffer or "", span, [at / count for at in positions], ends)


def _instruction(stream: Program, at: int) -> str:
    word = stream.instructions[at * WORD_BYTES : (at + 1) * WORD_BYTES]
    return disassemble(word, stream.config, at).strip() if word else ""


def _origin(stream: Program, at: int) -> str:
    return f"# {stream.origins[at]}" if at < len(stream.origins) else ""


def _capacity(stream: Program, buffer: str | None) -> int:
    """Elements of an on-chip memory, bytes of DRAM; 0 for a queue."""
    config: VTAConfig = stream.config
    if buffer == "dram":
        return stream.buffers[-1].address + stream.buffers[-1].nbytes if stream.buffers else 0
    return next((config.capacity(name) for name in _MEMORIES if name == buffer), 0)
