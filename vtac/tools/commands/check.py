"""`vtac check`: proves a stream free of deadlocks, races and hardware traps, or names what is wrong."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

import numpy as np

from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.proof import Finding, check
from vtac.tools.commands.programs import load_program
from vtac.tools.commands.streams import load_stream, read_bytes
from vtac.tools.commands.target_options import require_stream
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.listing import buffer_at, quoted
from vtac.tools.output import report

FOUND = 1
_QUEUES: Mapping[str | None, str] = MappingProxyType(
    {
        "l2g": "tokens from the load unit to the compute unit: what is loaded may be used",
        "g2l": "tokens from the compute unit to the load unit: what was used may be loaded over",
        "g2s": "tokens from the compute unit to the store unit: what is computed may be stored",
        "s2g": "tokens from the store unit to the compute unit: what was stored may be computed over",
    }
)

_EXAMPLE = """example:
  vtac check build/conv2d
  vtac check insn.bin --dram dram.bin --config vta_config.json

exit status: 0 when the stream is proven clean, 1 when there are findings.
"""


class Options(argparse.Namespace):
    """The options, typed."""

    source: str
    config: str | None = None
    dram: str | None = None
    json: bool = False


def main(arguments: Sequence[str]) -> int:
    """Prints one line per finding; returns 1 when there is one.

    Raises `UsageError` for options of raw files beside a saved program, other `VtacError`s for what holds no stream.
    """
    parser = ToolParser("vtac check", "Proves an instruction stream safe, or says what is wrong with it.", _EXAMPLE)
    parser.add_argument("source", metavar="DIR|FILE", help="a saved program, or a file of instruction words")
    parser.add_argument("--config", metavar="FILE", help="vta_config.json of a raw file")
    parser.add_argument("--json", action="store_true", help="print one object instead")
    parser.add_argument("--dram", metavar="FILE", help="memory image of a raw file, index = physical byte address")
    options = Options()
    parser.parse(arguments, options)
    findings, program = _findings(options)
    if options.json:
        report(json.dumps({"clean": not findings, "findings": [asdict(finding) for finding in findings]}) + "\n")
    else:
        report("".join(_told(finding, program) for finding in findings) or "proven clean\n")
    return FOUND if findings else 0


def _told(finding: Finding, program: Program | None) -> str:
    """A finding, what its queue is, and its instructions with buffers, layers and sources where these are known."""
    lines = [str(finding)]
    if finding.buffer in _QUEUES:
        lines.append(f"  {finding.buffer}: {_QUEUES[finding.buffer]}")
    if program is not None:
        if finding.buffer == "dram" and finding.range is not None:
            buffer = buffer_at(program.buffers, finding.range[0])
            lines += [] if buffer is None else [f"  byte {finding.range[0] - buffer.address} of buffer '{buffer.name}'"]
        positions = [at for at in (finding.first, finding.second) if at is not None]
        lines += [f"  {line}" for line in quoted(program, list(dict.fromkeys(positions)))]
    return "\n".join(lines) + "\n"


def _findings(options: Options) -> tuple[Sequence[Finding], Program | None]:
    """The findings, and the program of one stream that they are of."""
    if Path(options.source).is_dir():
        if options.config is not None or options.dram is not None:
            raise UsageError("--config and --dram are for raw files; a saved program holds its own")
        require_stream(options.source, "check")
        program = load_program(options.source)
        streams = list(program.devices.values())
        return check(program), streams[0] if len(streams) == 1 else None
    stream = load_stream(options.source, options.config)
    dram = None if options.dram is None else np.frombuffer(read_bytes(Path(options.dram)), np.uint8)
    return check(stream.instructions, stream.config, dram=dram), None
