"""The trace file: valid JSON of Chrome's format, tracks that do not overlap, arrows that meet their slices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict, cast

import pytest
from cycle_programs import conv2d, matmul, vadd
from cycle_streams import random_stream

from vtac.dialects.hardware import VTAConfig
from vtac.report.trace import TRACKS, write_trace
from vtac.targets.vta.cycles import CycleReport, simulate_cycles
from vtac.targets.vta.isa import Instruction, encode, format_instruction

CONFIG = VTAConfig()


class Event(TypedDict, total=False):
    ph: str
    name: str
    cat: str
    pid: int
    tid: int
    ts: int
    dur: int
    id: int
    bp: str
    args: dict[str, object]


def report_of(instructions: list[Instruction]) -> CycleReport:
    return simulate_cycles(encode(instructions, CONFIG), CONFIG)


def written(report: CycleReport, path: Path, sources: dict[int, str] | None = None) -> list[Event]:
    write_trace(report, path, sources)
    document = cast(dict[str, object], json.loads(path.read_text(encoding="utf-8")))
    assert document["otherData"] == {"board": "de10", "cycles": report.cycles}
    return cast(list[Event], document["traceEvents"])


def slices_by_track(events: list[Event]) -> dict[int, list[Event]]:
    tracks: dict[int, list[Event]] = {}
    for event in events:
        if event.get("ph") == "X":
            tracks.setdefault(event.get("tid", 0), []).append(event)
    return tracks


PROGRAMS = [vadd(), matmul(), conv2d(), random_stream(5, 80)]


@pytest.mark.parametrize("program", PROGRAMS, ids=["vadd", "matmul", "conv2d", "random"])
def test_tracks_carry_every_instruction_without_overlap(program: list[Instruction], tmp_path: Path) -> None:
    report = report_of(program)
    events = written(report, tmp_path / "trace.json")
    names = {
        event.get("args", {}).get("name"): event.get("tid") for event in events if event.get("name") == "thread_name"
    }
    assert list(names) == list(TRACKS)
    for track in slices_by_track(events).values():
        ends = [0, *(event.get("ts", 0) + event.get("dur", 0) for event in track)]
        assert all(end <= event.get("ts", 0) for end, event in zip(ends, track, strict=False))
        assert ends[-1] <= report.cycles
    shown = [event.get("args", {}) for event in events if event.get("cat") == "instruction"]
    assert sorted(cast(int, arguments["instruction"]) for arguments in shown) == list(range(len(program)))
    for arguments in shown:
        text = format_instruction(program[cast(int, arguments["instruction"])])
        assert arguments["text"] == " ".join(text.split())


@pytest.mark.parametrize("program", PROGRAMS, ids=["vadd", "matmul", "conv2d", "random"])
def test_arrows_join_producer_and_consumer(program: list[Instruction], tmp_path: Path) -> None:
    report = report_of(program)
    events = written(report, tmp_path / "trace.json")
    slices = {event.get("args", {}).get("instruction"): event for event in events if event.get("cat") == "instruction"}
    starts = {event.get("id"): event for event in events if event.get("ph") == "s"}
    ends = {event.get("id"): event for event in events if event.get("ph") == "f"}
    assert set(starts) == set(ends) and len(starts) == len(report.flows)
    for number, start in starts.items():
        for event, role in ((start, "producer"), (ends[number], "consumer")):
            owner = slices[event.get("args", {})[role]]
            assert owner.get("tid") == event.get("tid")
            assert owner.get("ts", 0) <= event.get("ts", 0) < owner.get("ts", 0) + owner.get("dur", 0)
        assert start.get("ts", 0) < ends[number].get("ts", 0)
        assert ends[number].get("bp") == "e"


def test_same_report_same_bytes(tmp_path: Path) -> None:
    write_trace(report_of(vadd()), tmp_path / "a.json")
    write_trace(report_of(vadd()), tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_sources_and_waits(tmp_path: Path) -> None:
    events = written(report_of(vadd()), tmp_path / "trace.json", {3: "vadd.mlir:7:5"})
    sources = {event.get("args", {}).get("instruction"): event.get("args", {}).get("source") for event in events}
    assert sources[3] == "vadd.mlir:7:5" and sources[4] is None
    waits = {event.get("name") for event in events if event.get("cat") == "wait"}
    assert waits == {"wait fetch", "wait g2s", "wait s2g"}


def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file or directory"):
        write_trace(report_of(vadd()), tmp_path / "missing" / "trace.json")
