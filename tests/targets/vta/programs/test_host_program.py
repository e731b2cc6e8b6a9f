"""Programs of several streams: what belongs to all of them, what to one, and how they are saved and drawn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import vtac
from vtac.report.runs import runs_of
from vtac.report.timeline import write_program_timeline
from vtac.report.trace import STREAMS, write_program_trace
from vtac.targets.vta.programs.host_program import HostProgram

KIND = "tensor<1x16x4x4xi32>"
TWICE = f"""
#id = affine_map<(n, c, h, w) -> (n, c, h, w)>
func.func @"../../esc/x"(%a_0: {KIND}, %a_1: {KIND}) -> {KIND} {{
  %e = tensor.empty() : {KIND}
  %first = linalg.add ins(%a_0, %a_1 : {KIND}, {KIND}) outs(%e : {KIND}) -> {KIND}
  %half = linalg.mul ins(%first, %a_1 : {KIND}, {KIND}) outs(%e : {KIND}) -> {KIND}
  %second = linalg.add ins(%half, %a_0 : {KIND}, {KIND}) outs(%e : {KIND}) -> {KIND}
  func.return %second : {KIND}
}}
"""
ARRAYS = tuple(np.random.default_rng(3).integers(1, 90, (1, 16, 4, 4)).astype(np.int32) for _ in range(2))


@pytest.fixture(scope="module")
def program() -> HostProgram:
    found = vtac.compile(TWICE)
    assert isinstance(found, HostProgram)
    return found


def test_cycles_are_those_of_all_streams(program: HostProgram) -> None:
    program(*ARRAYS)
    assert len(program.devices) == 2
    assert program.cycles == program.stats["cycles"] == sum(device.cycles for device in program.devices.values())


def test_what_one_stream_has_is_not_said_of_several(program: HostProgram) -> None:
    with pytest.raises(vtac.ProgramError, match=r"the program has 2 streams \(.*\); .* choose it from program.devices"):
        _ = program.stream
    assert not hasattr(program, "instructions")
    assert not isinstance(program, vtac.Program)
    assert vtac.check(program) == []
    assert program.disassemble().count("finish") == 2


def test_one_stream_is_its_own_device() -> None:
    alone = vtac.compile(
        f"func.func @f(%a: {KIND}, %b: {KIND}) -> {KIND} {{\n"
        + TWICE.partition("{\n")[2].replace("%a_0", "%a").replace("%a_1", "%b").partition("  %half")[0]
        + f"  func.return %first : {KIND}\n}}\n"
    )
    assert [alone.stream] == list(alone.devices.values())
    assert alone.stream.devices == {alone.stream.name: alone.stream}
    assert alone.stream.choices == ()
    assert alone.cycles == alone.stream.cycles


def test_names_never_become_paths(program: HostProgram, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "c"
    program.save(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["device_0", "device_1", "host.mlir", "program.json"]
    assert {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")} == {"a"}
    loaded = vtac.load_program(folder)
    np.testing.assert_array_equal(np.asarray(loaded(*ARRAYS)), np.asarray(program(*ARRAYS)))


def test_every_file_of_every_stream_has_a_digest(program: HostProgram, tmp_path: Path) -> None:
    program.save(tmp_path / "p")
    for path in sorted(path for path in (tmp_path / "p").rglob("*") if path.name != "program.json" and path.is_file()):
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(vtac.VtacError):
            vtac.load_program(tmp_path / "p")
        path.write_bytes(data)
    vtac.load_program(tmp_path / "p")


def test_all_streams_are_drawn_one_after_the_other(program: HostProgram, tmp_path: Path) -> None:
    runs = runs_of(program)
    assert [run.begin for run in runs] == [0, runs[0].end]
    write_program_trace(program, tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    named = [event for event in events if event.get("cat") == "stream"]
    assert [(event["ts"], event["dur"]) for event in named] == [(run.begin, run.report.cycles) for run in runs]
    assert max(event["ts"] + event.get("dur", 0) for event in events if "ts" in event) == program.cycles
    starts = [event["id"] for event in events if event["ph"] == "s"]
    assert len(starts) == len(set(starts))
    assert any(event["args"].get("name") == STREAMS for event in events)
    write_program_timeline(program, tmp_path / "run.svg")
    drawing = (tmp_path / "run.svg").read_text()
    assert f"{program.cycles:,} cycles" in drawing
    assert all(run.name in drawing for run in runs)


def test_unsigned_arrays_stand_for_signless_ones() -> None:
    kind = "tensor<1x16x4x4xi8>"
    text = f"""func.func @f(%a: {kind}, %b: {kind}) -> {kind} {{
  %e = tensor.empty() : {kind}
  %r = linalg.max ins(%a, %b : {kind}, {kind}) outs(%e : {kind}) -> {kind}
  func.return %r : {kind}
}}
"""
    program = vtac.compile(text)
    signed = [array.astype(np.int8) for array in ARRAYS]
    unsigned = [array.view(np.uint8) for array in signed]
    np.testing.assert_array_equal(np.asarray(program(*unsigned)), np.maximum(*signed))  # pyright: ignore[reportArgumentType]
    with pytest.raises(vtac.ProgramError, match="argument 'a' is 1x16x4x4 uint16; the program takes 1x16x4x4 int8"):
        program(*[array.astype(np.uint16) for array in signed])  # pyright: ignore[reportArgumentType]
