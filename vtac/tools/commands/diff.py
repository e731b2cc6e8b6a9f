"""`vtac diff`: where two instruction streams part."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import MICRO_OP_BYTES, WORD_BYTES, DecodeError, disassemble, disassemble_micro_ops
from vtac.tools.commands.streams import SavedStream, load_stream
from vtac.tools.commands.target_options import require_stream
from vtac.tools.entry import ToolParser
from vtac.tools.output import report

DIFFERENT = 1

_EXAMPLE = """example:
  vtac diff build/one-thread build/two-threads

exit status: 0 when both are the same, 1 when they differ.
"""


class Options(argparse.Namespace):
    """The options, typed."""

    first: str
    second: str
    config: str | None = None
    context: int = 2


def main(arguments: Sequence[str]) -> int:
    """Prints the first differing instruction and micro-op; returns 1 when there is one."""
    parser = ToolParser("vtac diff", "Shows the first difference between two instruction streams.", _EXAMPLE)
    parser.add_argument("first", metavar="A", help="a saved program, or a file of instruction words")
    parser.add_argument("second", metavar="B", help="another one")
    parser.add_argument("--config", metavar="FILE", help="vta_config.json of raw files")
    parser.add_argument("--context", type=int, metavar="N", help="equal instructions to show before it (default 2)")
    options = Options()
    parser.parse(arguments, options)
    for source in (options.first, options.second):
        require_stream(source, "diff")
    first = load_stream(options.first, options.config)
    second = load_stream(options.second, options.config)
    lines = _differences(first, second, options.context)
    report("\n".join(lines or ["no difference"]) + "\n")
    return DIFFERENT if lines else 0


def _differences(first: SavedStream, second: SavedStream, context: int) -> list[str]:
    lines: list[str] = []
    if first.config != second.config:
        lines.append("configurations differ:")
        ours, theirs = first.config.to_fields(), second.config.to_fields()
        lines += [f"  {name}: {ours[name]} against {theirs[name]}" for name in ours if ours[name] != theirs[name]]
    lines += _first_difference("instruction", first, second, context)
    if first.path.is_dir() and second.path.is_dir():
        lines += _first_difference("micro-op", first, second, context)
    return lines


def _first_difference(what: str, first: SavedStream, second: SavedStream, context: int) -> list[str]:
    size = WORD_BYTES if what == "instruction" else MICRO_OP_BYTES
    show = disassemble if what == "instruction" else disassemble_micro_ops
    ours, theirs = ((side.instructions if what == "instruction" else side.micro_ops) for side in (first, second))
    if ours == theirs:
        return []
    total = min(len(ours), len(theirs)) // size
    index = next(
        (at for at in range(total) if ours[at * size : at * size + size] != theirs[at * size : at * size + size]), total
    )
    lines = [f"{what}s differ from {what} {index} on ({len(ours) // size} against {len(theirs) // size}):"]
    for at in range(max(0, index - context), index):
        lines.append(f"  = {at}: {_word(ours, at, size, show, first.config)}")
    lines.append(f"  - {index}: {_word(ours, index, size, show, first.config)}")
    lines.append(f"  + {index}: {_word(theirs, index, size, show, second.config)}")
    return lines


def _word(data: bytes, index: int, size: int, show: Callable[[bytes, VTAConfig], str], config: VTAConfig) -> str:
    word = data[index * size : index * size + size]
    if len(word) < size:
        return f"(the stream ends{f' with {len(word)} stray bytes' if word else ''})"
    try:
        return show(word, config).partition(":")[2].strip()
    except DecodeError as error:
        return f"0x{int.from_bytes(word, 'little'):0{2 * size}x} ({error})"
