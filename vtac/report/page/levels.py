"""The section of levels: source, IR after each phase and instructions side by side, lines linked by their origin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vtac.files.reading import RECORD_BYTES, read_regular
from vtac.report.page.highlight import cuda_lines, mlir_highlighter, shortened, vta_highlighter
from vtac.report.page.ir_text import Lines
from vtac.report.page.lowering import WHOLE, Level, Lowering
from vtac.report.page.packed import packed
from vtac.report.page.section import Section
from vtac.report.page.templating import render
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.text.excerpts import remembered

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

MOST_LINES = 4_000
"""Lines of a level that are shown; how many there are besides is said."""

SOURCE, INSTRUCTIONS, KERNEL = "source", "instructions", "kernel"
_SHOWN_FIRST = (SOURCE, "input", "grouped", "linked", "scheduled", "vta", INSTRUCTIONS, KERNEL)
"""Levels that stand open at first, where a part has them."""


@dataclass(frozen=True)
class Shown:
    """A level as the page has it: lines of HTML, and for each the numbers of its places."""

    part: str
    name: str
    html: Sequence[str]
    places: Sequence[Sequence[int]]
    left_out: int


class _Page:
    """What the levels of a page have in common: highlighted lines, and places by number in order of occurrence."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._mlir = mlir_highlighter()
        self._special = {INSTRUCTIONS: vta_highlighter(), KERNEL: cuda_lines}

    @property
    def places(self) -> list[str]:
        return list(self._numbers)

    def shown(self, level: Level) -> Shown:
        html = self._special.get(level.name, self._mlir)(level.lines.text[:MOST_LINES])
        numbers = [
            [self._numbers.setdefault(name, len(self._numbers)) for name in found]
            for found in level.lines.places[:MOST_LINES]
        ]
        return Shown(level.part, level.name, html, numbers, max(0, len(level.lines.text) - MOST_LINES))


def levels_section(lowering: Lowering, source: ModuleOp | None, last: Sequence[Level], name: str) -> Section:
    """Levels of all parts; `last` are those below the IR, such as instructions."""
    first = [] if source is None else source_level(lowering, source)
    kept = [level for level in lowering.levels if not (first and level.name == "input")]
    page = _Page()
    shown = [page.shown(level) for level in (*first, *kept, *last)]
    parts = list(dict.fromkeys(level.part for level in shown))
    data = {
        "parts": [[part, _title(part, lowering.layers) if part != WHOLE else name] for part in parts],
        "places": page.places,
        "first": _SHOWN_FIRST,
        "levels": [
            {"part": one.part, "name": one.name, "html": one.html, "at": one.places, "more": one.left_out}
            for one in shown
        ],
    }
    html = render("levels.html", data=packed("levels-data", data), parts=len(parts), is_saved=source is None)
    return Section("levels", "Levels", html)


def instruction_levels(program: VtaProgram, lowering: Lowering) -> Iterator[Level]:
    """The instructions of streams, layer by layer where they consist of layers.

    The layer of a device function's first call stands beside its levels.
    """
    parts = {layers[0]: part for part, layers in reversed(lowering.layers.items()) if _has_levels(lowering, part)}
    several = len(program.devices) > 1
    for stream in program.devices.values():
        text = shortened(stream.disassemble().splitlines())
        places = [_line_of(origin.location) for origin in stream.origins] or [()] * len(text)
        if not stream.kernels:
            yield Level(parts.get(stream.name, stream.name if several else WHOLE), INSTRUCTIONS, Lines(text, places))
            continue
        for layer in dict.fromkeys(kernel.name for kernel in stream.kernels):
            chosen = [at for at, origin in enumerate(stream.origins) if origin.kernel == layer]
            part = parts.get(layer, layer)
            if chosen and (layer in parts or not parts):
                yield Level(part, INSTRUCTIONS, Lines([text[at] for at in chosen], [places[at] for at in chosen]))


def _has_levels(lowering: Lowering, part: str) -> bool:
    return any(level.part == part for level in lowering.levels)


def source_level(lowering: Lowering, source: ModuleOp) -> list[Level]:
    """The text that the program was read from, if it can be had."""
    seen = [place for level in lowering.levels[:1] for places in level.lines.places for place in places]
    name = seen[0].rpartition(":")[0] if seen else ""
    text = remembered(source) or _text_of(name)
    if not text or not name:
        return []
    lines = shortened(text.splitlines())
    return [Level(WHOLE, SOURCE, Lines(lines, [(f"{name}:{number}",) for number in range(1, len(lines) + 1)]))]


def _text_of(name: str) -> str:
    try:
        return read_regular(Path(name), RECORD_BYTES).decode("utf-8-sig")
    except (OSError, ValueError):
        return ""


def _line_of(location: str) -> tuple[str, ...]:
    """`file:line` of `file:line:col`."""
    return (location.rpartition(":")[0],) if location.count(":") >= 2 else ()


def _title(part: str, layers: Mapping[str, Sequence[str]]) -> str:
    """A device function and the layers that it computes: `resnet18_1 (conv1, conv2 and 3 more)`."""
    names = [layer for layer in layers.get(part, []) if layer != part]
    if not names:
        return part
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more} ({part})"
