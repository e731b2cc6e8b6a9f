"""Several devices under one name, and the first programs for a board."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from device_agents import Agent, HeldSimulator, local_device
from device_programs import arguments_of, device_program

import vtac
from vtac.devices.agent.backend import Counters, Launch
from vtac.devices.device import Device
from vtac.devices.opening import pool
from vtac.devices.simulator import Simulator
from vtac.devices.smoke import smoke
from vtac.errors import DeviceError
from vtac.tools.vtac import main

SMALL = vtac.VTAConfig(log_inp_buff_size=14)


@pytest.fixture
def small(tmp_path: Path) -> str:
    """A simulator of another configuration."""
    path = tmp_path / "small.json"
    path.write_text(json.dumps(SMALL.to_fields()))
    return f"sim:{path}"


def test_the_first_that_fits_is_taken(small: str, tmp_path: Path) -> None:
    program = device_program("vta_vadd")
    for names, found in ((f"{small},sim", "sim"), (f"{small}, model:pynq, sim", "model:pynq"), ("nowhere,sim", "sim")):
        with vtac.devices.open(names, fitting=program) as device:
            assert device.url == found
    with vtac.devices.open(f"{small},sim") as device:
        assert device.url == small
    listed = tmp_path / "devices"
    listed.write_text(f"# the lab\n{small}\n\nmodel:de10nano  # the one with the fan\n")
    with vtac.devices.open(f"pool:{listed}", fitting=program) as device:
        assert device.url == "model:de10nano"
        assert np.array_equal(program.to(device)(*arguments_of(program)), program(*arguments_of(program)))


def test_pools_of_nothing(small: str, tmp_path: Path) -> None:
    program = device_program("vta_vadd")
    with pytest.raises(
        DeviceError, match=r"no device of 2 can be used: nowhere: no device is called .*; sim:.*it is VTA"
    ) as refused:
        vtac.devices.open(f"nowhere,{small}", fitting=program)
    assert refused.value.reason == "pool"
    with pytest.raises(DeviceError, match="cannot read the devices of 'absent': No such file"):
        pool("pool:absent")
    (tmp_path / "empty").write_text("# nothing yet\n")
    with pytest.raises(DeviceError, match="names no device: write a URL on each line"):
        pool(f"pool:{tmp_path / 'empty'}")


def test_lost_and_busy_devices_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    lost, busy = Agent(HeldSimulator()), Agent(HeldSimulator())
    lost.service.lost = "it hangs"
    with lost.client() as first, busy.client() as second, busy.service.turns.turn("somebody", 1.0):
        second.query()
        known = {"lost": first, "busy": second}
        opened: list[str] = []

        def open_known(name: str, _credentials: object) -> Device:
            opened.append(name)
            return known[name]

        monkeypatch.setattr("vtac.devices.opening._open", open_known)
        first.query()
        assert vtac.devices.open("lost,busy") is second
        assert opened == ["lost", "busy"]


@pytest.mark.parametrize("url", ["sim", "model:pynq", "model:de10nano"])
def test_the_first_programs_are_right(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "smoke", url]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "add", "last", "bursts", "right", "left", "product", "edges", "turns",
    ]  # fmt: skip
    assert all(" right " in line for line in lines)


@pytest.mark.parametrize(
    "config",
    [
        vtac.VTAConfig(log_batch=1, log_block_in=3, log_inp_buff_size=14, log_wgt_buff_size=15),
        vtac.VTAConfig(log_block=5, encoding="chisel", log_uop_buff_size=9, log_inp_buff_size=12, log_acc_buff_size=14),
    ],
)
def test_they_are_made_for_the_device(config: vtac.VTAConfig) -> None:
    device = local_device(Simulator(config.to_fields(), 1 << 22))
    assert [tried.problem for tried in smoke(device)] == [""] * 8


class Broken(Simulator):
    """A simulator that forgets its last accumulator's first number."""

    def launch(self, launch: Launch) -> Counters:
        counters = super().launch(launch)
        self.region.view[0x1000] ^= 1
        return counters


def test_wrong_results_are_said() -> None:
    found = {tried.name: tried.problem for tried in smoke(local_device(Broken(None, 1 << 22)))}
    assert found["add"] == "1 of 16 bytes differ, first byte 0"
    assert found["product"] == found["edges"] == ""
    assert found["turns"] == "3 of 20 runs are wrong"


def test_wrong_results_end_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    broken = local_device(Broken(None, 1 << 22))

    def open_broken(_name: str, _credentials: object) -> Device:
        return broken

    monkeypatch.setattr("vtac.devices.opening._open", open_broken)
    assert main(["devices", "smoke", "sim"]) == 1
    assert "2 of the first programs are wrong on sim: see docs/devices.md" in capsys.readouterr().err
