"""A run as a trace that Perfetto and chrome://tracing draw: one track per unit, tokens as arrows.

One cycle is shown as one microsecond, the format's unit. Runs of several streams follow each other, on a
track that names them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from vtac.files.whole import write_output
from vtac.report.runs import StreamRun, runs_of, total_cycles
from vtac.targets.vta.cycles import CycleReport
from vtac.targets.vta.isa import Unit
from vtac.targets.vta.programs.vta_program import VtaProgram

Event = dict[str, object]
Placed = tuple[int, int, Event]
"""An event with its cycle and its track, by which events are sorted."""

_PROCESS = 1
TRACKS = ("fetch", "bus", "load", "compute", "store")
STREAMS = "streams"
"""The track that names the streams, where there are several."""
_TRACK_IDS = {name: number for number, name in enumerate((*TRACKS, STREAMS), 1)}
_ENDS = {
    "l2g": (Unit.LOAD, Unit.COMPUTE),
    "g2l": (Unit.COMPUTE, Unit.LOAD),
    "s2g": (Unit.STORE, Unit.COMPUTE),
    "g2s": (Unit.COMPUTE, Unit.STORE),
}


def _metadata(name: str, track: int, arguments: Mapping[str, object]) -> Event:
    return {"ph": "M", "pid": _PROCESS, "tid": track, "name": name, "args": dict(arguments)}


def _tracks(runs: Sequence[StreamRun]) -> Iterator[Event]:
    yield _metadata("process_name", 0, {"name": f"VTA ({runs[0].report.timing.board}), 1 us = 1 cycle"})
    for name, track in _TRACK_IDS.items():
        if name == STREAMS and len(runs) == 1:
            continue
        yield _metadata("thread_name", track, {"name": name})
        yield _metadata("thread_sort_index", track, {"sort_index": 0 if name == STREAMS else track})


def _slice(track: str, category: str, name: str, span: tuple[int, int], arguments: Mapping[str, object]) -> Placed:
    begin, end = span
    number = _TRACK_IDS[track]
    head: Event = {"ph": "X", "pid": _PROCESS, "tid": number, "cat": category, "name": name}
    return begin, number, {**head, "ts": begin, "dur": end - begin, "args": dict(arguments)}


def _stream_slices(runs: Sequence[StreamRun]) -> Iterator[Placed]:
    for run in runs if len(runs) > 1 else ():
        yield _slice(STREAMS, "stream", run.name, (run.begin, run.end), {"cycles": run.report.cycles})


def _unit_slices(run: StreamRun) -> Iterator[Placed]:
    for unit in run.report.units.values():
        for index, begin, end in unit.spans:
            text = run.report.text(index)
            arguments: dict[str, object] = {"instruction": index, "text": " ".join(text.split()), "cycles": end - begin}
            if index in run.sources:
                arguments["source"] = run.sources[index]
            yield _slice(unit.name, "instruction", text.split(maxsplit=1)[0], run.placed(begin, end), arguments)
        for cause, begin, end in unit.waits:
            if cause != "done":
                arguments = {"cause": cause, "cycles": end - begin}
                yield _slice(unit.name, "wait", f"wait {cause}", run.placed(begin, end), arguments)


def _memory_slices(run: StreamRun) -> Iterator[Placed]:
    report = run.report
    for index, begin, end in report.fetch:
        last = min(index + report.timing.fetch_instructions, len(report.decoded)) - 1
        yield _slice("fetch", "fetch", f"fetch {index}-{last}", run.placed(begin, end), {"first": index, "last": last})
    for client, index, begin, end in report.bus:
        nbytes = (end - begin) * report.timing.bus_bytes
        yield _slice("bus", "bus", client, run.placed(begin, end), {"instruction": index, "bytes": nbytes})


def _flow_events(run: StreamRun, first: int) -> Iterator[Placed]:
    """Each token as an arrow from its producer's last cycle to its consumer's first, numbered from `first`."""
    for number, (queue, producer, begin, consumer, end) in enumerate(run.report.flows, first):
        posted, taken = run.placed(begin, end)
        source, target = (_TRACK_IDS[unit.value] for unit in _ENDS[queue])
        common: Event = {"pid": _PROCESS, "cat": "token", "name": queue, "id": number}
        arguments = {"producer": producer, "consumer": consumer}
        yield posted - 1, source, {**common, "ph": "s", "tid": source, "ts": posted - 1, "args": arguments}
        yield taken, target, {**common, "ph": "f", "bp": "e", "tid": target, "ts": taken, "args": arguments}


def trace_events(runs: Sequence[StreamRun]) -> list[Event]:
    """The events of the trace, track names first, then by time and track."""
    rest = list(_stream_slices(runs))
    tokens = 0
    for run in runs:
        rest += [*_memory_slices(run), *_unit_slices(run), *_flow_events(run, tokens)]
        tokens += len(run.report.flows)
    return [*_tracks(runs), *(event for _, _, event in sorted(rest, key=lambda placed: placed[:2]))]


def write_trace(report: CycleReport, path: str | Path, sources: Mapping[int, str] | None = None) -> None:
    """Write a run as a Chrome trace (JSON, an event per line), which Perfetto reads too.

    Tracks: `fetch`, `bus`, `load`, `compute`, `store`; waits are slices of category `wait`, tokens are
    flows. `sources` maps instruction positions to where they came from; the texts become the slices'
    `source`. The same report gives the same bytes. Raises `OSError` when the file cannot be written.
    """
    _write([StreamRun(report, sources=sources or {})], path)


def write_program_trace(program: VtaProgram, path: str | Path) -> None:
    """Write a run of a program like `write_trace`: its streams follow each other in the order of their calls.

    Where there are several, the track `streams` names them. Raises `VtacError` for a program of no stream.
    """
    _write(runs_of(program), path)


def _write(runs: Sequence[StreamRun], path: str | Path) -> None:
    lines = ",\n".join(json.dumps(event, separators=(",", ":")) for event in trace_events(runs))
    about = {"board": runs[0].report.timing.board, "cycles": total_cycles(runs)}
    text = f'{{"displayTimeUnit":"ns","otherData":{json.dumps(about)},"traceEvents":[\n{lines}\n]}}\n'
    write_output(Path(path), text.encode())
