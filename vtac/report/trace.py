"""A run as a trace that Perfetto and chrome://tracing draw: one track per unit, tokens as arrows.

One cycle is shown as one microsecond, the format's unit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from vtac.targets.vta.cycles import CycleReport, TokenFlow
from vtac.targets.vta.isa import Unit

Event = dict[str, object]
Placed = tuple[int, int, Event]
"""An event with its cycle and its track, by which events are sorted."""

_PROCESS = 1
TRACKS = ("fetch", "bus", "load", "compute", "store")
_TRACK_IDS = {name: number for number, name in enumerate(TRACKS, 1)}
_ENDS = {
    "l2g": (Unit.LOAD, Unit.COMPUTE),
    "g2l": (Unit.COMPUTE, Unit.LOAD),
    "s2g": (Unit.STORE, Unit.COMPUTE),
    "g2s": (Unit.COMPUTE, Unit.STORE),
}


def _metadata(name: str, track: int, arguments: Mapping[str, object]) -> Event:
    return {"ph": "M", "pid": _PROCESS, "tid": track, "name": name, "args": dict(arguments)}


def _tracks(report: CycleReport) -> Iterator[Event]:
    yield _metadata("process_name", 0, {"name": f"VTA ({report.timing.board}), 1 us = 1 cycle"})
    for name, track in _TRACK_IDS.items():
        yield _metadata("thread_name", track, {"name": name})
        yield _metadata("thread_sort_index", track, {"sort_index": track})


def _slice(track: str, category: str, name: str, span: tuple[int, int], arguments: Mapping[str, object]) -> Placed:
    begin, end = span
    number = _TRACK_IDS[track]
    head: Event = {"ph": "X", "pid": _PROCESS, "tid": number, "cat": category, "name": name}
    return begin, number, {**head, "ts": begin, "dur": end - begin, "args": dict(arguments)}


def _unit_slices(report: CycleReport, sources: Mapping[int, str]) -> Iterator[Placed]:
    for unit in report.units.values():
        for index, begin, end in unit.spans:
            text = report.text(index)
            arguments: dict[str, object] = {"instruction": index, "text": " ".join(text.split()), "cycles": end - begin}
            if index in sources:
                arguments["source"] = sources[index]
            yield _slice(unit.name, "instruction", text.split(maxsplit=1)[0], (begin, end), arguments)
        for cause, begin, end in unit.waits:
            if cause != "done":
                yield _slice(unit.name, "wait", f"wait {cause}", (begin, end), {"cause": cause, "cycles": end - begin})


def _memory_slices(report: CycleReport) -> Iterator[Placed]:
    for index, begin, end in report.fetch:
        last = min(index + report.timing.fetch_instructions, len(report.decoded)) - 1
        yield _slice("fetch", "fetch", f"fetch {index}-{last}", (begin, end), {"first": index, "last": last})
    for client, index, begin, end in report.bus:
        nbytes = (end - begin) * report.timing.bus_bytes
        yield _slice("bus", "bus", client, (begin, end), {"instruction": index, "bytes": nbytes})


def _flow_events(flows: Iterable[TokenFlow]) -> Iterator[Placed]:
    """Each token as an arrow from its producer's last cycle to its consumer's first."""
    for number, (queue, producer, posted, consumer, taken) in enumerate(flows):
        source, target = (_TRACK_IDS[unit.value] for unit in _ENDS[queue])
        common: Event = {"pid": _PROCESS, "cat": "token", "name": queue, "id": number}
        arguments = {"producer": producer, "consumer": consumer}
        yield posted - 1, source, {**common, "ph": "s", "tid": source, "ts": posted - 1, "args": arguments}
        yield taken, target, {**common, "ph": "f", "bp": "e", "tid": target, "ts": taken, "args": arguments}


def trace_events(report: CycleReport, sources: Mapping[int, str] | None = None) -> list[Event]:
    """The events of the trace, track names first, then by time and track.

    `sources` maps instruction positions to where they came from; the texts become the slices' `source`.
    """
    tracks = list(_tracks(report))
    rest = [*_memory_slices(report), *_unit_slices(report, sources or {}), *_flow_events(report.flows)]
    return tracks + [event for _, _, event in sorted(rest, key=lambda placed: placed[:2])]


def write_trace(report: CycleReport, path: str | Path, sources: Mapping[int, str] | None = None) -> None:
    """Write a run as a Chrome trace (JSON, an event per line), which Perfetto reads too.

    Tracks: `fetch`, `bus`, `load`, `compute`, `store`; waits are slices of category `wait`, tokens are
    flows. `sources` as in `trace_events`. The same report gives the same bytes. Raises `OSError` when
    the file cannot be written.
    """
    lines = ",\n".join(json.dumps(event, separators=(",", ":")) for event in trace_events(report, sources))
    about = {"board": report.timing.board, "cycles": report.cycles}
    text = f'{{"displayTimeUnit":"ns","otherData":{json.dumps(about)},"traceEvents":[\n{lines}\n]}}\n'
    Path(path).write_text(text, encoding="utf-8")
