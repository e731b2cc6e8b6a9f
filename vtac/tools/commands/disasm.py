"""`vtac disasm`: an instruction stream as assembly that `vtac asm` reads back."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from vtac.targets.vta.isa import DecodeError, disassemble, disassemble_micro_ops
from vtac.tools.commands.programs import load_program
from vtac.tools.commands.streams import SavedStream, StreamFileError, load_streams
from vtac.tools.commands.target_options import require_stream
from vtac.tools.entry import ToolParser
from vtac.tools.listing import listing
from vtac.tools.output import write_text

_EXAMPLE = """example:
  vtac disasm build/conv2d --sources > conv2d.s
  vtac disasm stream.bin --config vta_config.json
"""


class Options(argparse.Namespace):
    """The options, typed."""

    source: str
    config: str | None = None
    micro_ops: bool = False
    sources: bool = False
    output: str | None = None


def main(arguments: Sequence[str]) -> int:
    """Prints the instructions or the micro-ops."""
    parser = ToolParser("vtac disasm", "Prints an instruction stream as assembly.", _EXAMPLE)
    parser.add_argument("source", metavar="DIR|FILE", help="a saved program, or a file of instruction words")
    parser.add_argument("--config", metavar="FILE", help="vta_config.json of a raw file")
    parser.add_argument("--micro-ops", action="store_true", help="print the micro-ops (a raw file is taken as such)")
    parser.add_argument("--sources", action="store_true", help="say where a saved program's instructions came from")
    parser.add_argument("-o", "--output", metavar="FILE", help="output file; default stdout")
    options = Options()
    parser.parse(arguments, options)
    write_text(_output(options), options.output)
    return 0


def _output(options: Options) -> str:
    require_stream(options.source, "disasm")
    if options.sources:
        devices = load_program(options.source).devices
        texts = {name: listing(device.disassemble(), device.origins) for name, device in devices.items()}
    else:
        streams = load_streams(options.source, options.config)
        texts = {name: _text(stream, micro_ops=options.micro_ops) for name, stream in streams.items()}
    if len(texts) == 1:
        return next(iter(texts.values()))
    return "\n".join(f"// {name}\n{text}" for name, text in texts.items())


def _text(stream: SavedStream, *, micro_ops: bool) -> str:
    try:
        if micro_ops:
            return disassemble_micro_ops(stream.micro_ops or stream.instructions, stream.config)
        return disassemble(stream.instructions, stream.config)
    except DecodeError as error:
        raise StreamFileError(f"'{stream.path}': {error}") from error
