"""Sweeps: points are what compilation gives, timings share programs, and a sweep goes on where it was."""

from __future__ import annotations

import csv
import json
import re
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from plain_programs import PlainConv
from tuned_programs import CONV, Here, Interrupted
from xdsl.dialects.builtin import UNKNOWN_LOC

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.report.page.exploration import exploration_page
from vtac.targets.vta.cycles import Timing, simulate_cycles
from vtac.targets.vta.exploring.machines import Machine
from vtac.targets.vta.exploring.points import queue_stop
from vtac.targets.vta.exploring.sensitivity import sensitivity
from vtac.targets.vta.isa import assemble
from vtac.workers.processes import Processes

NET = {"net": PlainConv().text()}
WHERE = "BLOCK in (16, 32) and inp_kib in (1, 32) and latency in (16, 64)"


@pytest.fixture(scope="module")
def sweep() -> vtac.Sweep:
    return vtac.explore(NET, where=WHERE, executor=Here(), share=False)


def test_points_are_what_compilation_gives(sweep: vtac.Sweep) -> None:
    assert (len(sweep), sweep.compiled, sweep.counted) == (8, 4, 8)
    for point in sweep:
        program = vtac.compile(NET["net"], config=point.config)
        assert simulate_cycles(program.stream.instructions, point.config, point.machine.timing).cycles == point.cycles
        assert point.is_proven
        assert 0 < point.utilisation < 1
    assert {point.limit for point in sweep} <= {"compute", "ALU", "loads", "stores", "tokens"}


def test_the_same_on_processes_and_from_the_store(sweep: vtac.Sweep, tmp_path: Path) -> None:
    path = tmp_path / "sweep.db"
    with Processes(2) as executor:
        other = vtac.explore(NET, where=WHERE, executor=executor, store=path, share=False)
    assert json.dumps(other.to_json()) == json.dumps(sweep.to_json())
    again = vtac.explore(NET, where=WHERE, executor=Here(), store=path, share=False)
    assert (again.compiled, json.dumps(again.to_json())) == (0, json.dumps(sweep.to_json()))
    more = vtac.explore(NET, where=WHERE.replace("64", "32, 64"), executor=Here(), store=path, share=False)
    assert (len(more), more.compiled, more.counted) == (12, 4, 4)


def test_tilings_are_shared_where_they_fit(sweep: vtac.Sweep) -> None:
    shared = vtac.explore(NET, where=WHERE, executor=Here())
    assert [point.machine for point in shared] == [point.machine for point in sweep]
    largest = [point for point in shared if point.machine.values["inp_kib"] == 32]
    assert {point.cycles for point in largest} <= {point.cycles for point in sweep}


@pytest.mark.parametrize("place", ["", "none"])
def test_processes_share_what_they_lower_and_leave_nothing(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a temporary folder; where there is no place for one, each for itself."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / place))
    alone = vtac.explore(NET, where=WHERE, executor=Here())
    with Processes(2) as executor:
        shared = vtac.explore(NET, where=WHERE, executor=executor)
    assert json.dumps(shared.to_json()) == json.dumps(alone.to_json())
    assert not list(tmp_path.iterdir())


def test_an_interrupted_sweep_goes_on_with_the_tilings_that_it_had(tmp_path: Path) -> None:
    where = "wgt_kib in (64, 128, 256) and acc_kib in (32, 64, 128)"
    whole = vtac.explore(NET, where=where, executor=Here())
    path = tmp_path / "sweep.db"
    with pytest.raises(KeyboardInterrupt):
        vtac.explore(NET, where=where, executor=Interrupted(4), store=path)
    rest = vtac.explore(NET, where=where, executor=Here(), store=path)
    assert 0 < rest.compiled < whole.compiled == 9
    assert json.dumps(rest.to_json()) == json.dumps(whole.to_json())


def test_the_front_and_its_files(sweep: vtac.Sweep, tmp_path: Path) -> None:
    front = sweep.pareto("cycles", "sram_bytes")
    assert front == sorted(front, key=lambda point: point.cycles)
    assert all(a.sram_bytes > b.sram_bytes for a, b in pairwise(front))
    sweep.to_csv(tmp_path / "points.csv")
    rows = list(csv.DictReader((tmp_path / "points.csv").read_text().splitlines()))
    assert [int(row["cycles"]) for row in rows] == [point.cycles for point in sweep]
    assert {row["cycles_by"] for row in rows} == {"rtl"}
    page = sweep.to_html()
    assert page.count('<section id="sweep-') == 3
    assert 'aria-label="SRAM in KiB over cycles: 8 points, ' in page
    assert "Energies and areas are by a table" in page and "All of them run net." in page
    with pytest.raises(VtacError, match="'speed' is no measure of a point; the measures are cycles, bytes"):
        sweep.pareto("speed")


def test_a_machine_that_cannot_hold_the_network_is_a_point_with_an_error() -> None:
    wrong = VTAConfig(log_block=5)
    (point,) = vtac.explore({"tiled": CONV}, [wrong], executor=Here())
    assert re.match(r"tiled: <string>:\d+:\d+: function .conv\w*. is packed into tiles of 1x16", point.error)
    lines = str(vtac.explore({"tiled": CONV}, [wrong], executor=Here())).splitlines()
    assert lines[0] == "the one point cannot run tiled"
    assert lines[1].startswith(f"  {point.name}: tiled: <string>:") and lines[2].startswith("energy and area: ")
    text = str(vtac.explore({"tiled": CONV}, [wrong, VTAConfig()], executor=Here()))
    assert "1 cannot run tiled" in text
    page = vtac.explore({"tiled": CONV}, [wrong, VTAConfig()], executor=Here()).to_html()
    assert "1 of the machines cannot run tiled:" in page and point.name in page


def test_errors_name_places_of_the_file_as_it_is_now(tmp_path: Path) -> None:
    """What a store refused is refused anew for an edited file, and what ran is not run again."""
    path, store, configs = tmp_path / "net.mlir", tmp_path / "sweep.db", [VTAConfig(log_block=5), VTAConfig()]
    path.write_text(CONV)
    first = vtac.explore(path, configs, executor=Here(), store=store)
    assert (found := re.match(rf"net: {path}:(\d+):\d+: function", first.points[0].error))
    again = vtac.explore(path, configs, executor=Here(), store=store)
    assert (again.compiled, again.points) == (0, first.points)
    path.write_text(f"// one line more\n{CONV}")
    edited = vtac.explore(path, configs, executor=Here(), store=store)
    assert f"{path}:{int(found[1]) + 1}:" in edited.points[0].error
    assert (edited.compiled, edited.points[1]) == (1, first.points[1])


def test_a_module_without_places_has_errors_without() -> None:
    module = vtac.parse(CONV)
    for op in module.walk():
        op.location = UNKNOWN_LOC
    (point,) = vtac.explore({"tiled": module}, [VTAConfig(log_block=5)], executor=Here())
    assert point.error.startswith("tiled: function ")


def test_where_no_machine_can_run_it_there_is_a_reason() -> None:
    wrong = [VTAConfig(log_block=5), VTAConfig(log_block=6)]
    same = vtac.explore({"tiled": CONV, "net": NET["net"]}, wrong[:1], executor=Here()).failure
    assert str(same).startswith("the one point cannot run tiled and net: tiled: <string>:")
    several = str(vtac.explore({"tiled": CONV}, wrong, executor=Here()).failure)
    assert several.startswith("none of 2 points can run tiled: <string>:")
    assert several.endswith("1x32 uop 32 inp 32 wgt 256 acc 128 KiB is the first; --csv and --json have all")
    assert vtac.explore({"tiled": CONV}, [*wrong, VTAConfig()], executor=Here()).failure is None


def test_where_one_of_several_networks_cannot_run_it_is_named_and_no_sum_is_shown(tmp_path: Path) -> None:
    sweep = vtac.explore({"tiled": CONV, **NET}, [VTAConfig(log_block=5), VTAConfig()], executor=Here())
    failed, good = sweep.points
    assert [one.network for one in failed.failed] == ["tiled"]
    assert (failed.cycles, failed.bytes, failed.energy, failed.utilisation, failed.limit) == (0, 0, 0, 0, "")
    assert "1 cannot run tiled and net (tiled fails on 1)\n" in str(sweep)
    sweep.to_csv(tmp_path / "points.csv")
    first, second = csv.DictReader((tmp_path / "points.csv").read_text().splitlines())
    empty = {"cycles", "bytes", "energy_uj", "utilisation", "limit", "cycles_by"}
    assert {name for name, value in first.items() if not value} == empty
    assert int(second["cycles"]) == good.cycles == sum(one.cycles for one in good.networks)
    (point, _) = json.loads(json.dumps(sweep.to_json()))["points"]
    assert {name for name, value in point.items() if value is None} == empty
    assert [one["network"] for one in point["networks"] if one["error"]] == ["tiled"]
    assert point["networks"][1]["cycles"] > 0
    assert '<td dir="auto">tiled</td>' in sweep.to_html()


def test_combinations_that_cannot_be_built_are_counted_everywhere(tmp_path: Path) -> None:
    reasons = "1 for instructions that do not encode, 1 for tiles that cross a burst"
    said = f"2 combinations of values cannot be built: {reasons}"
    where = "(BATCH == 1 and BLOCK in (8, 16)) or (BATCH == 8 and BLOCK == 64)"
    sweep = vtac.explore(NET, where=where, executor=Here())
    assert len(sweep) == 1
    assert dict(sweep.illegal) == {"instructions that do not encode": 1, "tiles that cross a burst": 1}
    assert f"{said}\n" in str(sweep)
    assert f"<p>{said}.</p>" in sweep.to_html()
    assert json.loads(json.dumps(sweep.to_json()))["illegal"] == sweep.illegal
    sweep.to_csv(tmp_path / "points.csv")
    *_, last = csv.DictReader((tmp_path / "points.csv").read_text().splitlines())
    assert {name: value for name, value in last.items() if value} == {"error": said}


def test_each_network_that_cannot_run_has_its_reason() -> None:
    (point,) = vtac.explore({"a": CONV, "b": CONV}, [VTAConfig(log_block=5)], executor=Here())
    assert re.match(r"a: <string>:\d.* is packed into .*; b: <string>:\d.* is packed into ", point.error)


def test_a_network_of_the_host_alone_is_no_point_of_no_cycles() -> None:
    text = """func.func @f(%x: tensor<4x3xf64>) -> tensor<4x3xf64> {
  %e = tensor.empty() : tensor<4x3xf64>
  %y = linalg.exp ins(%x : tensor<4x3xf64>) outs(%e : tensor<4x3xf64>) -> tensor<4x3xf64>
  func.return %y : tensor<4x3xf64>
}
"""
    sweep = vtac.explore({"f": text}, [VTAConfig()], executor=Here())
    assert sweep.points[0].error == "f: nothing of it runs on the VTA; vtac run FILE says why"
    assert sweep.pareto() == []


def test_other_machines_say_that_they_are_not_proven() -> None:
    machine = Machine(VTAConfig(), Timing(bus_bytes=16))
    (point,) = vtac.explore(NET, [machine], executor=Here())
    assert (point.is_proven, point.row()["cycles_by"], "bus_bits 128" in point.name) == (False, "formula", True)


def test_queues_that_are_too_short_stop_a_program_and_deeper_ones_may_help() -> None:
    found = vtac.explore(NET, where="queue_depth in (32, 512, 1024) and bursts in (4, 32)", executor=Here())
    assert (len(found), found.compiled, found.counted) == (6, 1, 6)
    assert all(point.cycles > 0 for point in found.good)
    assert {point.config.queue_depth for point in found} == {32, 512, 1024}
    filled = "load.uop nop pop_prev\n" + "load.uop nop\n" * 32
    waiting = assemble(f"{filled}load.inp nop push_next\nfinish\n", VTAConfig())
    assert "its unit is full, at 32 instructions" in queue_stop([(waiting, VTAConfig())], 32)
    assert queue_stop([(waiting, VTAConfig())], 33) == ""


def test_sides_of_a_tile_may_differ() -> None:
    found = vtac.explore(NET, where="BLOCK_IN == 16 and BLOCK_OUT == 32 and queue_depth in (32, 512)", executor=Here())
    assert [(point.is_proven, point.error) for point in found] == [(True, ""), (False, "")]
    assert found.points[1].name == "1x16x32 uop 32 inp 32 wgt 256 acc 128 KiB"
    row = found.points[0].row()
    assert (row["BLOCK_IN"], row["BLOCK_OUT"], row["cycles_by"]) == (16, 32, "rtl")


def test_sensitivity_says_what_one_change_gives(sweep: vtac.Sweep) -> None:
    changes = sensitivity(NET, sweep.points[:1], executor=Here())
    found = {one.change: one for one in changes}
    page = exploration_page(sweep, changes)
    assert all(f"<td>{one.change}</td>" in page for one in changes)
    assert "bus twice as wide" not in exploration_page(sweep)
    assert found["bus twice as wide"].after <= found["bus twice as wide"].before
    assert found["half of INP"].error or found["half of INP"].after > 0
    assert str(found["half the latency"]).endswith("%")


def test_refusals() -> None:
    with pytest.raises(VtacError, match=r"legal where BLOCK == 8: 1 combination of values cannot be built: 1 for inst"):
        vtac.explore(NET, where="BLOCK == 8", executor=Here())
    with pytest.raises(VtacError, match=r"there are 8 configurations, and at most 3 may be swept: narrow --where, or"):
        vtac.explore(NET, where=WHERE, most=3, executor=Here())
    with pytest.raises(VtacError, match=r"there are more than 20,000 configurations, and at most 2,000 may be swept"):
        vtac.explore(NET, vary=["sram_kib", "latency", "bursts"], executor=Here())
    with pytest.raises(
        VtacError, match=r"no combination of what is tried meets it; BLOCK is tried at 8, 16, .* and 128;"
    ):
        vtac.explore(NET, where="BLOCK > 500", executor=Here())
    with pytest.raises(VtacError, match=r"no configuration is legal where BLOCK > 16: none of those given meets it"):
        vtac.explore(NET, [VTAConfig()], where="BLOCK > 16", executor=Here())
    with pytest.raises(VtacError, match="there is no network to explore: give at least one"):
        vtac.explore([], executor=Here())
    with pytest.raises(VtacError, match="two networks are called net"):
        vtac.explore(["a/net.mlir", "b/net.mlir"], executor=Here())
