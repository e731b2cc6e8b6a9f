"""Devices by URL, the commands that use them, and the agent as a process."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from device_programs import CASES, EXAMPLES, arguments_of, device_program

import vtac
from vtac.devices.agent.faults import Refusal
from vtac.devices.agent.frames import MAX_PAYLOAD
from vtac.devices.bundle import agent_bytes
from vtac.devices.device import Device
from vtac.devices.local import open_backend
from vtac.errors import DeviceError
from vtac.tools.vtac import main

VADD = str(EXAMPLES / "vta_vadd.mlir")


@pytest.fixture(scope="module")
def piped() -> Iterator[Device]:
    """A simulator in another process."""
    with vtac.devices.open("pipe:sim") as device:
        yield device


@pytest.mark.parametrize("name", CASES)
def test_an_agent_gives_the_same_results(piped: Device, name: str) -> None:
    program = device_program(name)
    loaded = program.to(piped)
    arrays = arguments_of(program, 3)
    assert np.array_equal(loaded(*arrays), program(*arrays))
    assert loaded.counters == program.stats
    loaded.close()


def test_large_data_goes_in_pieces(piped: Device) -> None:
    data = np.arange(MAX_PAYLOAD // 4 + 4097, dtype=np.uint8)
    block, _ = piped.allocate(data.nbytes, 4096)
    for write in (piped.write, piped.place, piped.place):
        write(block, 0, data)
        assert np.array_equal(piped.read(block, 0, data.nbytes), data)
    piped.free(block)


def test_refusals_cross_the_pipe(piped: Device) -> None:
    with pytest.raises(DeviceError, match="there is no block 99 of this client: load the program again") as refused:
        piped.free(99)
    assert refused.value.reason == "block"
    with pytest.raises(DeviceError, match="a simulator has no bitstream"):
        piped.program("0" * 64)
    piped.reset()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sin", "no device is called 'sin'; did you mean 'sim'\\?; devices are sim, model:BOARD"),
        ("model:", "'model:' is incomplete: model:BOARD or model:BOARD:FILE is required"),
        ("model:pynq:", "'model:pynq:' is incomplete: model:BOARD or model:BOARD:FILE is required"),
        ("model::a.json", "'model::a.json' is incomplete"),
        ("rtl", "'rtl' is incomplete: rtl:DIR or rtl:DIR\\?OPTIONS is required"),
        ("rtl:x?", "'rtl:x\\?' is incomplete"),
        ("sim:", "'sim:' is incomplete: sim or sim:FILE is required"),
        ("board:", "'board:' is incomplete: board:BOARD is required"),
        ("pipe:", "'pipe:' is incomplete: pipe:DEVICE is required"),
        ("pipe:model:pynq:", "'model:pynq:' is incomplete"),
        ("pipe:nothing", "no device is called 'nothing'"),
        ("pipe:pipe:sim", "a pipe leads to one of sim, model, rtl, board: name 'pipe:sim' without it"),
        ("pool:", "'pool:' is incomplete: pool:FILE is required"),
        ("sim,,sim", "'sim,,sim' is incomplete: URL,URL is required"),
        ("ssh://", "'ssh://' is incomplete: ssh://\\[USER@\\]HOST is required"),
        ("ssh://u@", "'ssh://u@' is incomplete"),
        ("ssh://@host", "'ssh://@host' is incomplete"),
        ("ssh://-oProxyCommand=x", "names no host: ssh://\\[USER@\\]HOST is required"),
        ("ssh://a b", "names no host"),
        ("ssh://a@b@c", "names no host"),
        ("tls://host", "'tls://host' is incomplete: tls://HOST:PORT is required"),
        ("tls://:9091", "'tls://:9091' is incomplete"),
        ("tls://host:x", "'tls://host:x' names no port: tls://HOST:PORT is required, with a PORT up to 65535"),
        ("tls://host:1", "its certificate is missing: name its file in VTAC_DEVICE_CERTIFICATE"),
        ("pipe:rtl:nowhere", "no agent answers: its process ended with 1: see what it said above"),
    ],
)
def test_names_of_no_device(url: str, message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        vtac.devices.open(url)


def test_an_agent_refuses_them_too() -> None:
    with pytest.raises(Refusal, match="'model:pynq:' is incomplete: model:BOARD or model:BOARD:FILE is required"):
        open_backend("model:pynq:", None)


def test_the_environment_names_the_device(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("VTAC_DEVICE", "sim")
    assert vtac.devices.open().url == "sim"
    stats = tmp_path / "stats.json"
    assert main(["run", VADD, "--check", "--stats", str(stats)]) == 0
    assert "on sim: " in capsys.readouterr().out
    assert json.loads(stats.read_text())["cycles"] == 1486


def test_run_on_a_device(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", VADD, "--device", "sim", "--json"]) == 0
    on_device = json.loads(capsys.readouterr().out)
    assert main(["run", VADD, "--json"]) == 0
    here = json.loads(capsys.readouterr().out)
    assert on_device.pop("device") == "sim" and on_device.pop("seconds") > 0
    assert on_device == here


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["devices", "reset", "sim", "x.bit"], "vtac devices reset takes no bitstream"),
        (["devices", "program", "sim"], "vtac devices program needs URL and BITSTREAM"),
        (["devices", "program", "sim", "no.bit"], "cannot read the bitstream 'no.bit': No such file"),
        (["devices", "program", "sim", "a" * 64], "a simulator has no bitstream"),
        (["devices", "install", "sim"], "needs ssh://USER@HOST"),
        (["devices", "list", "sim"], "vtac devices list takes no device"),
        (["agent"], "an agent serves either --stdio or --tls HOST:PORT"),
        (["agent", "--tls", "localhost:0"], "--tls needs --certificate and --key"),
        (["run", VADD, "--target", "cuda", "--device", "sim"], "--device sim is for VTA programs"),
        (["run", VADD, "--device", "nowhere"], "no device is called 'nowhere'"),
    ],
)
def test_mistakes_on_the_command_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    assert message in capsys.readouterr().err


def test_devices_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "list"]) == 0
    assert "ssh://[USER@]HOST   an agent that ssh starts on a board\n" in capsys.readouterr().out
    assert main(["devices", "info", "sim", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["design"] == "simulator"
    assert main(["devices", "info", "sim"]) == 0
    shown = capsys.readouterr().out
    assert "configuration  any: that of the program; sim:FILE is of one\n" in shown
    assert "time           cycles are exact; seconds are this simulator's own\n" in shown
    assert main(["devices", "info", "model:pynq"]) == 0
    shown = capsys.readouterr().out
    assert "fields         TARGET pynq, HW_VER 0.0.2, " in shown
    assert "time           seconds of runs, on a clock of 100 MHz\n" in shown
    assert "counters       none: the design has none\nmemory         67,104,768 bytes, " in shown
    assert "state          free; 0 runs since the agent began\n" in shown
    assert main(["devices", "reset", "sim"]) == 0


@pytest.fixture
def board_by_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that a stand-in for ssh takes for a board's home: the remote command runs there."""
    home = tmp_path / "home"
    home.mkdir()
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "ssh").write_text(
        f'#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift 2\ncd {home} && exec sh -c "$*"\n'
    )
    (tools / "ssh").chmod(stat.S_IRWXU)
    (tools / "python3").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return home


def test_an_agent_is_installed_by_ssh(board_by_ssh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "install", "ssh://me@board"]) == 0
    assert "me@board has the agent in .vtac/agent.pyz" in capsys.readouterr().out
    assert (board_by_ssh / ".vtac/agent.pyz").read_bytes() == agent_bytes()
    with pytest.raises(
        DeviceError, match="no agent answers: its process ended with 1: see what it said above; vtac devices install"
    ):
        vtac.devices.open("ssh://me@board")
