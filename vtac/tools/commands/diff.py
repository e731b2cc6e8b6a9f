"""`vtac diff`: where two instruction streams part."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.targets.vta.isa import MICRO_OP_BYTES, WORD_BYTES, DecodeError, disassemble, disassemble_micro_ops
from vtac.tools.alignment import Change, changes
from vtac.tools.commands.streams import SavedStream, load_streams
from vtac.tools.commands.target_options import require_stream
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.output import report

DIFFERENT = 1

_EXAMPLE = """example:
  vtac diff build/one-thread build/two-threads

exit status: 0 when both are the same, 1 when they differ.
"""


_LINES = 20
"""Instructions of each side that a difference shows."""


class Options(argparse.Namespace):
    """The options, typed."""

    first: str
    second: str
    config: str | None = None
    context: int = 2
    most: int = 10


def main(arguments: Sequence[str]) -> int:
    """Prints what differs, aligned; returns 1 when anything does.

    Raises `UsageError` for numbers too small, other `VtacError`s for what holds no stream.
    """
    parser = ToolParser("vtac diff", "Shows how two instruction streams differ, aligned and by layers.", _EXAMPLE)
    add = parser.add_argument
    add("first", metavar="A", help="a saved program, or a file of instruction words")
    add("second", metavar="B", help="another one")
    add("--config", metavar="FILE", help="vta_config.json of raw files")
    add("--context", type=int, metavar="N", help="equal instructions to show around differences (default 2)")
    add("--most", type=int, metavar="N", help="differences of a stream that are shown (default 10)")
    options = Options()
    parser.parse(arguments, options)
    if options.context < 0 or options.most < 1:
        raise UsageError(f"--context {options.context} --most {options.most}: at least 0 and 1 are required")
    for source in (options.first, options.second):
        require_stream(source, "diff")
    lines = _differences(options)
    report("\n".join(lines or ["no difference"]) + "\n")
    return DIFFERENT if lines else 0


def _differences(options: Options) -> list[str]:
    first, second = (load_streams(source, options.config) for source in (options.first, options.second))
    if list(first) != list(second) and min(len(first), len(second)) > 1:
        return [f"streams differ: {', '.join(first)} against {', '.join(second)}"]
    if len(first) != len(second):
        return [f"{len(first)} streams against {len(second)}"]
    lines: list[str] = []
    for name, ours, theirs in zip(first, first.values(), second.values(), strict=True):
        found = _of_stream(ours, theirs, options)
        lines += [f"{name}:", *found] if found and len(first) > 1 else found
    return [*lines, *_by_layer(options)] if lines else lines


def _of_stream(first: SavedStream, second: SavedStream, options: Options) -> list[str]:
    lines: list[str] = []
    if first.config != second.config:
        lines.append("configurations differ:")
        ours, theirs = first.config.all_fields(), second.config.all_fields()
        lines += [f"  {name}: {ours[name]} against {theirs[name]}" for name in ours if ours[name] != theirs[name]]
    lines += _of_words("instruction", first, second, options)
    if first.path.is_dir() and second.path.is_dir():
        lines += _of_words("micro-op", first, second, options)
    return lines


def _of_words(what: str, first: SavedStream, second: SavedStream, options: Options) -> list[str]:
    size = WORD_BYTES if what == "instruction" else MICRO_OP_BYTES
    show = disassemble if what == "instruction" else disassemble_micro_ops
    ours, theirs = (
        _words(side.instructions if what == "instruction" else side.micro_ops, size, show, side.config)
        for side in (first, second)
    )
    found = changes(ours, theirs)
    if not found:
        return []
    lines = [f"{what}s differ from {what} {found[0].first} on ({len(ours)} against {len(theirs)}):"]
    for change in found[: options.most]:
        lines += _hunk(ours, theirs, change, options.context)
    left = len(found) - options.most
    return [*lines, f"  and {left} more differences (--most {len(found)} shows them)"] if left > 0 else lines


def _hunk(ours: Sequence[str], theirs: Sequence[str], change: Change, context: int) -> Iterator[str]:
    """Equal lines before, those of one side, those of the other; a side that has ended says so."""
    for at in range(max(0, change.first - context), change.first):
        yield f"  = {at}: {ours[at]}"
    for mark, side, first, end in (
        ("-", ours, change.first, change.end),
        ("+", theirs, change.other_first, change.other_end),
    ):
        yield from (f"  {mark} {at}: {side[at]}" for at in range(first, min(end, first + _LINES)))
        if end - first > _LINES:
            yield f"  {mark} and {end - first - _LINES:,} more; vtac disasm shows all"
        if first == end == len(side):
            yield f"  {mark} {first}: (the stream ends)"


def _words(data: bytes, size: int, show: Callable[[bytes, VTAConfig], str], config: VTAConfig) -> list[str]:
    """Each word as text; bytes that are none as such."""
    whole = len(data) // size * size
    try:
        lines = [line.partition(":")[2].strip() for line in show(data[:whole], config).splitlines()]
    except DecodeError:
        lines = [_word(data[at : at + size], show, config) for at in range(0, whole, size)]
    return lines if whole == len(data) else [*lines, f"({len(data) - whole} stray bytes)"]


def _word(word: bytes, show: Callable[[bytes, VTAConfig], str], config: VTAConfig) -> str:
    try:
        return show(word, config).partition(":")[2].strip()
    except DecodeError as error:
        return f"0x{int.from_bytes(word, 'little'):0{2 * len(word)}x} ({error})"


def _by_layer(options: Options) -> list[str]:
    """A line for each layer that takes another number of instructions, cycles or bytes; nothing for raw files."""
    if not all(Path(source).is_dir() for source in (options.first, options.second)):
        return []
    from vtac.targets.vta.programs.layer_report import layer_reports
    from vtac.targets.vta.programs.saved_program import load_program

    try:
        ours, theirs = (layer_reports(load_program(source)) for source in (options.first, options.second))
    except VtacError:
        return []  # what does not load is shown as words
    seen: Counter[str] = Counter(layer.name for layer in (*ours, *theirs))
    if max(seen.values(), default=0) > 2 or len(seen) == 1:
        return []
    old, new = ({layer.name: layer for layer in side} for side in (ours, theirs))
    titles = {layer.name: layer.title for layer in (*ours, *theirs)}
    lines: list[str] = []
    for name, title in titles.items():
        one, other = old.get(name), new.get(name)
        if one is None or other is None:
            lines.append(f"  {title}: only in {'B' if one is None else 'A'}")
        elif (one.instructions, one.cycles, one.dram_bytes) != (other.instructions, other.cycles, other.dram_bytes):
            lines.append(
                f"  {title}: {one.instructions:,} -> {other.instructions:,} instructions, {one.cycles:,} -> "
                f"{other.cycles:,} cycles, {one.dram_bytes:,} -> {other.dram_bytes:,} bytes"
            )
    return ["layers:", *lines] if lines else []
