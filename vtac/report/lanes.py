"""What a timeline shows of a run: bars of one kind, small neighbours merged into one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vtac.report.runs import StreamRun
from vtac.targets.vta.isa import Alu, Finish, Gemm, Instruction, Load, Store, is_nop

LANES = ("fetch", "bus", "load", "compute", "store")

COLOURS = {
    "fetch": "#b9a7d6",
    "load inp": "#56b4e9",
    "load wgt": "#0072b2",
    "load uop": "#8c6d46",
    "load acc": "#cc79a7",
    "gemm": "#009e73",
    "gemm reset": "#8fd1bd",
    "alu": "#e69f00",
    "store": "#d55e00",
    "nop, finish": "#444444",
    "waits for a token": "#f3d3bf",
    "waits for fetch": "#dcdcdc",
}
"""The kinds of bars, in the legend's order."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Cycles [begin, end) of one kind in a lane; `label` is written on it, `hint` shown under the pointer."""

    lane: str
    kind: str
    begin: int
    end: int
    label: str
    hint: str


def kind_of(instruction: Instruction) -> str:
    """The kind of bar that shows an instruction."""
    match instruction:
        case _ if is_nop(instruction) or isinstance(instruction, Finish):
            return "nop, finish"
        case Load():
            return f"load {instruction.memory.name[:3].lower()}"
        case Gemm():
            return "gemm reset" if instruction.reset else "gemm"
        case Alu():
            return "alu"
        case Store():
            return "store"
        case _:
            return "nop, finish"


def _unit_bars(run: StreamRun) -> Iterator[Bar]:
    report = run.report
    for unit in report.units.values():
        for cause, *span in unit.waits:
            if cause != "done":
                begin, end = run.placed(*span)
                kind = "waits for fetch" if cause == "fetch" else "waits for a token"
                hint = f"waits for {cause}: {end - begin:,} cycles from {begin:,}"
                yield Bar(unit.name, kind, begin, end, "", hint)
        for index, *span in unit.spans:
            begin, end = run.placed(*span)
            text = " ".join(report.text(index).split())
            hint = f"{run.prefix}{index}: {text}: {end - begin:,} cycles from {begin:,}"
            yield Bar(unit.name, kind_of(report.decoded[index]), begin, end, text.split(maxsplit=1)[0], hint)


def _memory_bars(run: StreamRun) -> Iterator[Bar]:
    for index, *span in run.report.fetch:
        begin, end = run.placed(*span)
        hint = f"fetch from instruction {run.prefix}{index}: {end - begin:,} cycles from {begin:,}"
        yield Bar("fetch", "fetch", begin, end, "", hint)
    for client, index, *span in run.report.bus:
        begin, end = run.placed(*span)
        kind = "fetch" if client == "fetch" else f"load {client}"
        hint = f"{client} for instruction {run.prefix}{index}: {end - begin:,} beats from {begin:,}"
        yield Bar("bus", kind, begin, end, client, hint)


def bars_of(runs: Sequence[StreamRun], window: tuple[int, int], grain: float) -> list[Bar]:
    """The bars that a window of cycles shows, cut at its ends, by lane, waits first.

    Neighbours of one kind that are shorter than `grain` cycles, and nearer than that, become one bar.
    """
    first, last = window
    lanes: dict[tuple[str, bool], list[Bar]] = {}
    for bar in (bar for run in runs for bar in (*_memory_bars(run), *_unit_bars(run))):
        if bar.begin < last and bar.end > first:
            lanes.setdefault((bar.lane, not bar.kind.startswith("waits")), []).append(bar)
    return [
        merged
        for lane in LANES
        for shown in (False, True)
        for merged in _merge(sorted(lanes.get((lane, shown), []), key=lambda bar: bar.begin), window, grain)
    ]


def _merge(bars: Iterable[Bar], window: tuple[int, int], grain: float) -> Iterator[Bar]:
    group: list[Bar] = []
    for bar in bars:
        small = bar.end - bar.begin < grain
        fits = group and group[-1].kind == bar.kind and bar.begin - group[-1].end < grain
        if group and not (small and fits):
            yield _join(group, window)
            group = []
        group.append(bar)
        if not small:
            yield _join(group, window)
            group = []
    if group:
        yield _join(group, window)


def _join(group: list[Bar], window: tuple[int, int]) -> Bar:
    first = group[0]
    begin, end = max(first.begin, window[0]), min(group[-1].end, window[1])
    if len(group) == 1:
        return Bar(first.lane, first.kind, begin, end, first.label, first.hint)
    hint = f"{len(group):,} x {first.kind}, cycles {first.begin:,} to {group[-1].end:,}"
    return Bar(first.lane, first.kind, begin, end, first.label, hint)
