"""`vtac disasm`: an instruction stream as assembly that `vtac asm` reads back."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from vtac.targets.vta.isa import DecodeError, disassemble, disassemble_micro_ops
from vtac.targets.vta.programs.program import Program
from vtac.tools.commands.compile_program import add_cache_argument
from vtac.tools.commands.programs import compile_file, load_program
from vtac.tools.commands.streams import SavedStream, StreamFileError, load_streams
from vtac.tools.commands.target_options import require_stream
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.listing import Extract, RangeError, listing, plain
from vtac.tools.output import write_text
from vtac.tools.output_paths import require_outputs

_EXAMPLE = """example:
  vtac disasm build/conv2d --sources > conv2d.s
  vtac disasm net.mlir --sources --layer conv1
  vtac disasm stream.bin --config vta_config.json
"""


class Options(argparse.Namespace):
    """The options, typed."""

    source: str
    config: str | None = None
    micro_ops: bool = False
    sources: bool = False
    first: int | None = None
    end: int | None = None
    layer: str | None = None
    output: str | None = None
    no_cache: bool = False


def main(arguments: Sequence[str]) -> int:
    """Prints the instructions or the micro-ops.

    Raises `UsageError` for options that are not for what the file is, `StreamFileError` for words that are no stream.
    """
    parser = ToolParser("vtac disasm", "Prints an instruction stream as assembly.", _EXAMPLE)
    add = parser.add_argument
    add("source", metavar="DIR|FILE", help="a saved program, a program as .mlir, or a file of instruction words")
    add("--config", metavar="FILE", help="vta_config.json of a file")
    add("--micro-ops", action="store_true", help="print the micro-ops (a raw file is taken as such)")
    add("--sources", action="store_true", help="say which buffer, layer and source line each instruction is about")
    add("--from", dest="first", type=int, metavar="N", help="begin with instruction N")
    add("--to", dest="end", type=int, metavar="N", help="end before instruction N")
    add("--layer", metavar="NAME", help="only the instructions of a layer")
    add("-o", "--output", metavar="FILE", help="output file; default stdout")
    add_cache_argument(parser)
    options = Options()
    parser.parse(arguments, options)
    require_outputs([("-o", options.output)], [options.source, options.config])
    write_text(_output(options), options.output)
    return 0


def _output(options: Options) -> str:
    require_stream(options.source, "disasm")
    extract = Extract(options.first, options.end, options.layer)
    is_text = Path(options.source).suffix == ".mlir"
    if options.micro_ops and (options.sources or extract != Extract()):
        raise UsageError("--micro-ops prints all of them: leave out --sources, --from, --to and --layer")
    if options.sources or is_text or extract != Extract():
        texts = _of_programs(_programs(options, is_text=is_text), options, extract)
    else:
        streams = load_streams(options.source, options.config)
        texts = {name: _text(stream, micro_ops=options.micro_ops) for name, stream in streams.items()}
    if len(texts) == 1:
        return next(iter(texts.values()))
    return "\n".join(f"// {name}\n{text}" for name, text in texts.items())


def _programs(options: Options, *, is_text: bool) -> Mapping[str, Program]:
    if is_text:
        return compile_file(options.source, options.config, None, cache=not options.no_cache).devices
    if not Path(options.source).is_dir():
        load_streams(options.source, options.config)
        raise UsageError(f"'{options.source}' holds words alone: --sources, --from, --to and --layer are for programs")
    if options.config is not None:
        raise UsageError(f"'{options.source}' is a saved program: leave out --config")
    return load_program(options.source).devices


def _of_programs(programs: Mapping[str, Program], options: Options, extract: Extract) -> dict[str, str]:
    """The text of each stream; a layer is looked for in all of them."""
    texts: dict[str, str] = {}
    refused: list[RangeError] = []
    for name, program in programs.items():
        try:
            if options.micro_ops:
                texts[name] = disassemble_micro_ops(program.micro_ops, program.config)
            else:
                texts[name] = listing(program, extract) if options.sources else plain(program, extract)
        except RangeError as error:
            refused.append(error)
    if not texts and refused:
        raise refused[0]
    return texts


def _text(stream: SavedStream, *, micro_ops: bool) -> str:
    try:
        if micro_ops:
            return disassemble_micro_ops(stream.micro_ops or stream.instructions, stream.config)
        return disassemble(stream.instructions, stream.config)
    except DecodeError as error:
        raise StreamFileError(f"'{stream.path}': {error}") from error
