"""`vtac asm`: assembly text to instruction words."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import AssemblyError, assemble, assemble_micro_ops
from vtac.tools.commands.streams import StreamFileError, read_bytes
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.output import write_file
from vtac.tools.output_paths import require_outputs

_EXAMPLE = """example:
  vtac disasm build/conv2d | vtac asm - -o insn.bin
"""


class Options(argparse.Namespace):
    """The options, typed."""

    source: str
    config: str | None = None
    micro_ops: bool = False
    output: str | None = None


def main(arguments: Sequence[str]) -> int:
    """Assembles a file, or stdin, into instruction words or micro-ops.

    Raises `UsageError` without an output file, and `StreamFileError` for a text that is no assembly.
    """
    parser = ToolParser("vtac asm", "Turns assembly, as 'vtac disasm' prints it, into an instruction stream.", _EXAMPLE)
    parser.add_argument("source", metavar="FILE", help="assembly text, or - for stdin")
    parser.add_argument("--config", metavar="FILE", help="vta_config.json; default: the reference's default")
    parser.add_argument("--micro-ops", action="store_true", help="the text holds micro-ops")
    parser.add_argument("-o", "--output", metavar="FILE", help="file to write the words to, whole or not at all")
    options = Options()
    parser.parse(arguments, options)
    if options.output is None:
        raise UsageError("the output file is missing: add -o FILE")
    require_outputs([("-o", options.output)], [options.source, options.config])
    write_file(_assembled(options), options.output)
    return 0


def _assembled(options: Options) -> bytes:
    data = sys.stdin.buffer.read() if options.source == "-" else read_bytes(Path(options.source))
    name = "<stdin>" if options.source == "-" else options.source
    config = VTAConfig() if options.config is None else VTAConfig.from_json(options.config)
    try:
        text = data.decode("utf-8")
        words = assemble_micro_ops(text, config) if options.micro_ops else assemble(text, config)
    except UnicodeDecodeError as error:
        raise StreamFileError(f"'{name}' is no assembly: byte {error.start} is not UTF-8 text") from None
    except AssemblyError as error:
        hint = "; micro-ops are read with --micro-ops" if "mnemonic 'uop'" in str(error) else ""
        raise StreamFileError(f"'{name}': {error}{hint}") from error
    if not words and not options.micro_ops:
        raise StreamFileError(f"'{name}' holds no instruction; a stream ends with finish")
    return words
