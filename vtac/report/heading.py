"""The head of a timeline: what ran on what, for how long, its layers; and the same in words, as alternative text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vtac.errors import VtacError
from vtac.report.drawing import BLACK, GREY, Rectangle, Shape, Text
from vtac.report.plot import BAND, BAND_TOP, CHARACTER, LEFT, Plot
from vtac.report.runs import StreamRun, layer_spans, total_cycles
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.layer_report import LayerReport
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.text.short import counted, short_name

_SHADES = ("#dfe7ef", "#c9d5e2")
Window = tuple[int | None, int | None]
"""Cycles [begin, end) of a run; None is an end of it."""
_TOLD = 12
"""Layers that the alternative text names; of more, the longest."""


@dataclass(frozen=True)
class Subject:
    """What is drawn: the program's name, its configuration, and its layers with their cycles [begin, end)."""

    name: str = ""
    configuration: str = ""
    layers: Sequence[tuple[str, int, int]] = ()


def subject_of(program: VtaProgram, reports: Sequence[LayerReport]) -> Subject:
    """What a timeline of a program says of it; `reports` are those of its layers."""
    name = program.host_function.sym_name.data if isinstance(program, HostProgram) else program.stream.name
    return Subject(short_name(name), str(program.config), layer_spans(reports))


def title(runs: Sequence[StreamRun], window: tuple[int, int], subject: Subject) -> str:
    """`conv2d: 483,467 cycles on de10`, and which of them are shown where not all are."""
    cycles = total_cycles(runs)
    shown = f", cycles {window[0]:,} to {window[1]:,}" if window != (0, cycles) else ""
    name = f"{subject.name}: " if subject.name else ""
    return f"{name}{counted(cycles, 'cycle')} on {runs[0].report.timing.board}{shown}"


def heading(runs: Sequence[StreamRun], window: tuple[int, int], subject: Subject) -> Iterator[Shape]:
    """Title and subtitle."""
    yield Text(LEFT, 20, title(runs, window, subject), 14)
    parts = [subject.configuration] if subject.configuration else []
    if len(runs) > 1:
        parts.append(f"{len(runs)} streams, one after the other")
    else:
        roofs = ", ".join(f"{name} {roof.utilisation:.1%}" for name, roof in runs[0].report.roofs.items())
        parts.append(f"share of the roofs: {roofs}")
    yield Text(LEFT, 38, ", ".join(parts), 10, colour=GREY)


def layer_band(subject: Subject, plot: Plot) -> Iterator[Shape]:
    """The layers over the cycles that they add, those that are wide enough with their names."""
    first, last = plot.window
    if subject.layers:
        yield Text(LEFT - 8, BAND_TOP + 11, "layers", 10, "end", GREY)
    for number, (name, begin, end) in enumerate(subject.layers):
        left, right = plot.x(max(begin, first)), plot.x(min(end, last))
        if right <= left:
            continue
        shown = short_name(name)
        hint = f"{shown}: {counted(end - begin, 'cycle')} from {begin:,}"
        yield Rectangle(left, BAND_TOP, right - left, BAND, _SHADES[number % len(_SHADES)], hint)
        if right - left > CHARACTER * 3:
            yield Text(left + 3, BAND_TOP + 11, _fitting(shown, int((right - left - 4) / CHARACTER)), 10, colour=BLACK)


def description(runs: Sequence[StreamRun], window: tuple[int, int], subject: Subject) -> str:
    """The picture in words."""
    cycles = max(1, total_cycles(runs))
    units = (
        f"{name} is busy for {sum(run.report.units[name].busy for run in runs) / cycles:.1%}"
        for name in runs[0].report.units
    )
    first, last = window
    layers = [(name, end - begin) for name, begin, end in subject.layers if begin < last and end > first]
    told = sorted(layers, key=lambda layer: -layer[1])[:_TOLD] if len(layers) > _TOLD else layers
    parts = [
        f"Timeline of {title(runs, window, subject)}",
        subject.configuration,
        f"Of all cycles {', '.join(units)}",
        f"{counted(len(layers), 'layer')}{', the longest' if told is not layers else ''}: "
        + ", ".join(f"{short_name(name)} {counted(taken, 'cycle')}" for name, taken in told)
        if layers
        else "",
    ]
    return f"{'. '.join(filter(None, parts))}."


def checked_window(runs: Sequence[StreamRun], window: Window) -> tuple[int, int]:
    """The cycles [begin, end) of a window, whose open ends are those of the run. Raises `VtacError`."""
    cycles = total_cycles(runs)
    first, last = window[0] or 0, cycles if window[1] is None else window[1]
    if 0 <= first < last <= cycles:
        return first, last
    raise VtacError(
        f"cannot draw the cycles {first} to {last}: the run has the cycles 0 to {cycles}; "
        "the window must lie within, its end behind its begin"
    )


def _fitting(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[: max(1, characters - 1)]}."
