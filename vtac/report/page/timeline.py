"""The section of a run over time: what each unit does and waits for, tokens, layers, and the longest waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType
from typing import NamedTuple

from vtac.report.lanes import COLOURS, LANES, kind_of
from vtac.report.page.packed import packed
from vtac.report.page.section import Section
from vtac.report.page.templating import render
from vtac.report.runs import StreamRun, layer_spans, total_cycles
from vtac.targets.vta.programs.layer_report import LayerReport
from vtac.text.short import short_name

MOST_SPANS = 200_000
"""Spans of a lane; of more, neighbours of one kind are joined, as wide as the time that they take together."""
MOST_TEXTS = 30_000
"""Instructions that are shown as text under the pointer; of longer programs the number alone."""
LISTED = 10

QUEUES = ("l2g", "g2l", "s2g", "g2s")
_WAITED_FOR: Mapping[str, str] = MappingProxyType(
    {"fetch": "fetch", "l2g": "load", "g2l": "compute", "s2g": "store", "g2s": "compute", "bus": "bus"}
)
_WAIT_COLOURS: Mapping[str, str] = MappingProxyType(
    {"fetch": "#b9a7d6", "load": "#2b8cc4", "compute": "#2f9f7c", "store": "#e07b39", "bus": "#8d99a6"}
)
"""The colours of waits, by who is waited for."""


class Span(NamedTuple):
    """Cycles [begin, end) in a lane, on the program's axis; `kind` counts the kinds of bars, then of waits."""

    kind: int
    begin: int
    end: int
    instruction: int


class LongWait(NamedTuple):
    """A unit that waits: for whom, from when on, how long, in which layer, and to start which instruction."""

    unit: str
    waited_for: str
    cause: str
    begin: int
    cycles: int
    layer: str
    instruction: str


def timeline_section(runs: Sequence[StreamRun], reports: Sequence[LayerReport]) -> Section:
    """Runs one after the other, on one axis of cycles."""
    busy = {kind: colour for kind, colour in COLOURS.items() if not kind.startswith("waits")}
    colours = busy | {f"waits for {who}": colour for who, colour in _WAIT_COLOURS.items()}
    lanes = _lanes(runs, {kind: number for number, kind in enumerate(colours)})
    layers = layer_spans(reports)
    data = {
        "cycles": total_cycles(runs),
        "lanes": [[lane, _flat(_joined(lanes.get(lane, [])))] for lane in LANES],
        "kinds": list(colours.items()),
        "layers": [[short_name(name), begin, end] for name, begin, end in layers],
        "tokens": _tokens(runs),
        "queues": [[_WAITED_FOR[queue], "compute" if queue[2] == "g" else _taker(queue)] for queue in QUEUES],
        "texts": _texts(runs),
    }
    html = render(
        "timeline.html",
        data=packed("timeline-data", data),
        waits=longest_waits(runs, layers),
        units=_units(runs),
        legend=list(colours.items()),
        tokens=sum(len(run.report.flows) for run in runs),
    )
    return Section("timeline", "Timeline", html)


def longest_waits(runs: Sequence[StreamRun], layers: Sequence[tuple[str, int, int]]) -> list[LongWait]:
    """The ten longest waits of all units, the longest first."""
    found: list[LongWait] = []
    for run in runs:
        for unit in run.report.units.values():
            starts = {span.begin: span.instruction for span in unit.spans}
            for wait in unit.waits:
                if wait.cause == "done":
                    continue
                begin, end = run.placed(wait.begin, wait.end)
                layer = next((name for name, first, last in layers if first <= begin < last), "")
                text = _text(run, starts.get(wait.end))
                waited_for = _WAITED_FOR.get(wait.cause, wait.cause)
                found.append(LongWait(unit.name, waited_for, wait.cause, begin, end - begin, short_name(layer), text))
    return sorted(found, key=lambda wait: (-wait.cycles, wait.begin))[:LISTED]


def _text(run: StreamRun, index: int | None) -> str:
    """An instruction with its number, empty for none."""
    return "" if index is None else f"{run.prefix}{index}: {' '.join(run.report.text(index).split())}"


def _taker(queue: str) -> str:
    return {"l": "load", "s": "store", "g": "compute"}[queue[2]]


def _bases(runs: Sequence[StreamRun]) -> list[int]:
    """The number of each run's first instruction, all counted."""
    return [0, *accumulate(len(run.report.decoded) for run in runs)][:-1]


def _lanes(runs: Sequence[StreamRun], number: Mapping[str, int]) -> dict[str, list[Span]]:
    lanes: dict[str, list[Span]] = {}
    for run, base in zip(runs, _bases(runs), strict=True):
        for lane, kind, index, span in _spans(run):
            lanes.setdefault(lane, []).append(Span(number[kind], *run.placed(*span), base + index))
    return {lane: sorted(spans, key=lambda span: span.begin) for lane, spans in lanes.items()}


def _spans(run: StreamRun) -> Iterator[tuple[str, str, int, tuple[int, int]]]:
    """Lane, kind, instruction and cycles of all that happens in a run."""
    report = run.report
    for index, begin, end in report.fetch:
        yield "fetch", "fetch", index, (begin, end)
    for client, index, begin, end in report.bus:
        yield "bus", "fetch" if client == "fetch" else f"load {client}", index, (begin, end)
    for unit in report.units.values():
        for index, begin, end in unit.spans:
            yield unit.name, kind_of(report.decoded[index]), index, (begin, end)
        starts = {span.begin: span.instruction for span in unit.spans}
        for cause, begin, end in unit.waits:
            if cause != "done":
                yield unit.name, f"waits for {_WAITED_FOR.get(cause, cause)}", starts.get(end, -1), (begin, end)


def _joined(spans: list[Span]) -> list[Span]:
    """At most `MOST_SPANS`; neighbours that are joined stand from the first's begin on, for as long as they take."""
    step = -(-len(spans) // MOST_SPANS)
    if step <= 1:
        return spans
    found: list[Span] = []
    for first in range(0, len(spans), step):
        group = spans[first : first + step]
        begin = group[0].begin
        for kind in dict.fromkeys(span.kind for span in group):
            end = begin + sum(span.end - span.begin for span in group if span.kind == kind)
            found.append(Span(kind, begin, end, -1))
            begin = end
    return found


def _flat(spans: Sequence[Span]) -> list[int]:
    """Kind, cycles since the end before, cycles taken, and instruction of each span."""
    flat: list[int] = []
    before = 0
    for kind, begin, end, instruction in spans:
        flat += (kind, begin - before, end - begin, instruction)
        before = end
    return flat


def _tokens(runs: Sequence[StreamRun]) -> list[int]:
    """Queue, cycle posted and cycles until taken of each token, in the order of posting."""
    tokens = sorted(
        (run.begin + flow.posted, flow.taken - flow.posted, QUEUES.index(flow.queue))
        for run in runs
        for flow in run.report.flows
    )
    return [number for posted, cycles, queue in tokens[:MOST_SPANS] for number in (queue, posted, cycles)]


def _texts(runs: Sequence[StreamRun]) -> list[str]:
    if sum(len(run.report.decoded) for run in runs) > MOST_TEXTS:
        return []
    return [" ".join(run.report.text(index).split()) for run in runs for index in range(len(run.report.decoded))]


def _units(runs: Sequence[StreamRun]) -> list[tuple[str, int, float, list[tuple[str, float, str]]]]:
    """Each unit with its busy cycles, their share, and the shares of its waits with their colours."""
    cycles = max(1, total_cycles(runs))
    rows: list[tuple[str, int, float, list[tuple[str, float, str]]]] = []
    for name in runs[0].report.units:
        units = [run.report.units[name] for run in runs]
        busy = sum(unit.busy for unit in units)
        waits = dict.fromkeys(_WAIT_COLOURS, 0) | {"done": 0}
        for unit in units:
            for cause, waited in unit.waiting.items():
                waits[_WAITED_FOR.get(cause, cause)] += waited
        parts = [(who, waited / cycles, _WAIT_COLOURS.get(who, "")) for who, waited in waits.items()]
        rows.append((name, busy, busy / cycles, parts))
    return rows
