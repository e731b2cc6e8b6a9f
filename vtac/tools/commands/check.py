"""`vtac check`: proves a stream free of deadlocks, races and hardware traps, or names what is wrong."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vtac.targets.vta.proof import Finding, check
from vtac.tools.commands.programs import load_program
from vtac.tools.commands.streams import load_stream, read_bytes
from vtac.tools.commands.target_options import require_stream
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.output import report

FOUND = 1

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


def main(arguments: Sequence[str]) -> int:
    """Prints one line per finding; returns 1 when there is one."""
    parser = ToolParser("vtac check", "Proves an instruction stream safe, or says what is wrong with it.", _EXAMPLE)
    parser.add_argument("source", metavar="DIR|FILE", help="a saved program, or a file of instruction words")
    parser.add_argument("--config", metavar="FILE", help="vta_config.json of a raw file")
    parser.add_argument("--dram", metavar="FILE", help="memory image of a raw file, index = physical byte address")
    options = Options()
    parser.parse(arguments, options)
    findings = _findings(options)
    report("".join(f"{finding}\n" for finding in findings) or "proven clean\n")
    return FOUND if findings else 0


def _findings(options: Options) -> Sequence[Finding]:
    if Path(options.source).is_dir():
        if options.config is not None or options.dram is not None:
            raise UsageError("--config and --dram are for raw files; a saved program holds its own")
        require_stream(options.source, "check")
        return check(load_program(options.source))
    stream = load_stream(options.source, options.config)
    dram = None if options.dram is None else np.frombuffer(read_bytes(Path(options.dram)), np.uint8)
    return check(stream.instructions, stream.config, dram=dram)
