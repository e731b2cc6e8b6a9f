"""Tilings on devices: the fastest is taken, what is known is not run again, and devices may end, get lost or differ."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from device_agents import local_device
from device_programs import device_program
from tuned_programs import CONV, SHIFTED, SMALL, Here

import vtac
from vtac.devices.agent.backend import Counters, Launch
from vtac.devices.agent.faults import DeviceLost, Refusal
from vtac.devices.agent.frames import PipeStream, Reader, Writer
from vtac.devices.channels import FrameChannel
from vtac.devices.device import Device
from vtac.devices.measuring import DeviceBench, open_bench
from vtac.devices.simulator import Simulator
from vtac.errors import DeviceError, VtacError
from vtac.store.records import Outcome
from vtac.store.store import Store
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.targets.vta.tuning.measuring import MEASURED, Task, machine_of
from vtac.tools.vtac import main

MACHINE = machine_of("test", vtac.VTAConfig(), 0, "seconds")
TASKS = [Task(name, lambda name=name: device_program(name)) for name in ("vta_vadd", "vta_matmul")]


@pytest.fixture
def small(tmp_path: Path) -> str:
    path = tmp_path / "small.json"
    path.write_text(json.dumps(SMALL.to_fields()))
    return str(path)


class Losing(Simulator):
    """A simulator that is lost with its first run."""

    exact_time = False

    def __init__(self) -> None:
        super().__init__(None, 1 << 22)
        self.is_lost = threading.Event()

    def launch(self, launch: Launch) -> Counters:
        self.is_lost.set()
        raise DeviceLost("timeout", f"no FINISH after {launch.timeout:g} s", "reset it")


class Later(Simulator):
    """A simulator that runs nothing before another one is lost."""

    def __init__(self, other: Losing) -> None:
        super().__init__(None, 1 << 22)
        self.other = other

    def launch(self, launch: Launch) -> Counters:
        self.other.is_lost.wait()
        return super().launch(launch)


class Wrong(Simulator):
    """A simulator that forgets a number of each result, or refuses."""

    def __init__(self, refusal: Refusal | None = None) -> None:
        super().__init__(None, 1 << 22)
        self.refusal = refusal

    def launch(self, launch: Launch) -> Counters:
        if self.refusal is not None:
            raise self.refusal
        counters = super().launch(launch)
        self.region.view[:] = bytes(1 << 22)
        return counters


def outcomes(devices: Sequence[Device], tasks: Sequence[Task] = TASKS) -> tuple[dict[int, Outcome], Sequence[str]]:
    bench = DeviceBench(devices, MACHINE, ())
    found: dict[int, Outcome] = {}
    try:
        bench.measure(tasks, found.__setitem__)
    finally:
        bench.close()
    return found, bench.notes()


def test_the_fastest_is_taken_and_kept(small: str, tmp_path: Path) -> None:
    path = tmp_path / "tune.db"
    url = f"model:de10nano:{small}"
    first = vtac.tune(CONV, SMALL, executor=Here(), store=path, budget=3, measure=[url, url])
    whole, layer = first.measured, first.layers[0].measured
    assert whole is not None and layer is not None
    assert (whole.machine, whole.unit, whole.urls) == ("model of de10nano at 100 MHz", "cycles", (url, url))
    assert (whole.tuned, layer.tuned) == (first.cycles, first.layers[0].cycles), "the model counts as the cycle model"
    assert "measured on model of de10nano at 100 MHz, cycles that it counts: " in str(first)
    assert first.to_json()["measured"] == {**vars_of(whole)}
    with Store(path) as store:
        rows = [row for row in json.loads(store.to_json())["outcomes"] if row["model"] == MEASURED]
        machine = json.loads(store.text(rows[0]["machine"]) or "")
    assert [row["status"] for row in rows] == ["ok"] * layer.runs
    assert (machine["device"], machine["clock_hz"]) == ("model of de10nano", 100_000_000)
    assert machine["config"]["LOG_INP_BUFF_SIZE"] == 12
    again = vtac.tune(CONV, SMALL, executor=Here(), store=path, budget=3, measure=url)
    assert again.layers == first.layers, "as the store has it"


@pytest.mark.parametrize("url", ["sim", "model:pynq"])
def test_layers_that_are_shifted_by_amounts_in_memory(url: str) -> None:
    found = vtac.tune(SHIFTED, executor=Here(), budget=3, measure=url)
    measured = found.layers[0].measured
    assert measured is not None and measured.default is not None
    assert (measured.runs, found.refused, found.notes) == (3, 0, found.notes[:1])


def vars_of(whole: object) -> dict[str, object]:
    return {name: getattr(whole, name) for name in ("machine", "unit", "urls", "default", "tuned")}


def test_times_of_a_pipe_and_exact_cycles_are_told_apart(small: str) -> None:
    exact = vtac.tune(CONV, SMALL, executor=Here(), budget=2, measure="pipe:sim")
    assert exact.measured is not None and exact.measured.unit == "exact cycles"
    assert exact.measured.tuned == exact.cycles
    timed = vtac.tune(CONV, SMALL, executor=Here(), budget=2, measure=f"model:pynq:{small}")
    assert timed.measured is not None and timed.measured.unit == "seconds"
    assert 0.0 < timed.measured.tuned <= timed.measured.default
    assert " ms by the default schedule, " in str(timed)


def test_what_cannot_measure_is_passed_over_and_named(small: str) -> None:
    bench = open_bench(f"nowhere, sim:{small}, model:pynq, model:de10nano", vtac.VTAConfig())
    assert bench.urls == ["model:pynq"]
    unknown, other, differs = bench.notes()
    assert unknown.startswith("nowhere: no device is called 'nowhere'")
    assert other.startswith(f"sim:{small}: it is VTA")
    assert differs.endswith("was left out: model of de10nano at 100 MHz, where the first is model of pynq at 100 MHz")
    bench.close()
    with pytest.raises(DeviceError, match=r"no device of 1 can be used: sim:.*small.json: it is VTA.*the program for"):
        vtac.tune(CONV, vtac.VTAConfig(), executor=Here(), budget=1, measure=f"sim:{small}")


def test_a_lost_device_is_left_out_and_its_program_runs_on_another() -> None:
    losing = Losing()
    found, notes = outcomes([local_device(losing), local_device(Later(losing))])
    assert [found[place].status for place in range(2)] == ["ok", "ok"]
    assert [note.split(":")[0] for note in notes] == ["local was left out"]
    with pytest.raises(DeviceError, match="no device is left to measure on: local was left out: no FINISH after 120 s"):
        outcomes([local_device(Losing())])


def test_what_loses_two_devices_is_passed_over() -> None:
    devices = [local_device(Losing()) for _ in range(2)]
    found, notes = outcomes(devices, TASKS[:1])
    assert len(notes) == 2
    assert (found[0].status, len(found)) == ("crashed", 1)
    assert found[0].message == "2 devices were lost with it, the last one: no FINISH after 120 s: reset it"


def test_an_agent_that_ends_in_the_middle() -> None:
    command = [sys.executable, "-m", "vtac", "agent", "--stdio", "--device", "sim"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    ends = PipeStream(cast("Reader", process.stdout), cast("Writer", process.stdin))
    dying = Device("pipe:sim", FrameChannel(ends, "test", None, process))

    def last() -> VtaProgram:
        process.kill()
        process.wait()
        return device_program("vta_matmul")

    with pytest.raises(DeviceError, match=r"pipe:sim was left out: the agent is gone.*; 1 of 2 programs were measured"):
        outcomes([dying], [TASKS[0], Task("last", last)])


def test_wrong_results_and_refusals_are_outcomes() -> None:
    found, notes = outcomes([local_device(Wrong())])
    assert not notes
    assert {one.status for one in found.values()} == {"failed"}
    assert found[0].message.endswith(" numbers are not those of the interpreter")
    found, notes = outcomes([local_device(Wrong(Refusal("opcode", "there is no such thing", "")))])
    assert [(one.status, one.message) for one in found.values()] == [("refused", "there is no such thing")] * 2
    assert np.count_nonzero([one.cycles for one in found.values()]) == 0


def test_a_layer_that_runs_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_wrong(_name: str, _credentials: object) -> Device:
        return local_device(Wrong())

    monkeypatch.setattr("vtac.devices.opening._open", open_wrong)
    message = r"no tiling of conv2d runs on sim: 2 were tried; the first: conv2d with .* numbers are not those of"
    with pytest.raises(DeviceError, match=message):
        vtac.tune(CONV, SMALL, executor=Here(), budget=2, measure="sim")


def test_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(VtacError, match="devices tell cycles or seconds, no bytes: leave out what measures"):
        vtac.tune(CONV, objective="bytes", measure="sim")
    with pytest.raises(DeviceError, match="no device is named: give a URL, several with commas between, or pool:FILE"):
        vtac.tune(CONV, executor=Here(), measure=[])
    source = tmp_path / "conv.mlir"
    source.write_text(CONV)
    assert main(["tune", str(source), "--executor", "local:1", "--budget", "1", "--measure", "pool:none"]) == 1
    assert "cannot read the devices of 'none': No such file" in capsys.readouterr().err
