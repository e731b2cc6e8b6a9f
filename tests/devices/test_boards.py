"""What an agent on a board does beside launching: bitstreams, memory, one process at a time."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from device_agents import local_device
from device_programs import arguments_of, device_program
from device_streams import CONFIG

import vtac
from vtac.devices.agent.bitstreams import Folder, NoBitstreams
from vtac.devices.agent.boards import BOARDS, Board, open_board
from vtac.devices.agent.faults import Refusal
from vtac.devices.agent.locks import Lock
from vtac.devices.agent.memory import open_memory
from vtac.devices.agent.registers import MappedRegisters, Registers, map_physical
from vtac.devices.bundle import agent_bytes
from vtac.devices.device import Device
from vtac.devices.models.core import PhysicalMemory
from vtac.devices.models.opening import model_board
from vtac.errors import DeviceError
from vtac.tools.vtac import main


class Loads:
    """A loader that keeps what it was given, and may fail."""

    def __init__(self) -> None:
        self.loaded: list[bytes] = []
        self.error: OSError | None = None

    def __call__(self, path: str, data: bytes) -> None:
        del path
        if self.error is not None:
            raise self.error
        self.loaded.append(data)


def put(folder: Path, name: str, data: bytes, **changes: object) -> str:
    """A bitstream with its side file; its SHA-256."""
    digest = hashlib.sha256(data).hexdigest()
    side = {"sha256": digest, "design": "hls", "clock_hz": 100_000_000, "config": CONFIG.to_fields(), **changes}
    (folder / name).write_bytes(data)
    (folder / f"{name[:-4]}.json").write_text(json.dumps(side))
    return digest


def board_of(folder: Path, loads: Loads) -> Device:
    """A pynq whose registers are a model's, with a folder of bitstreams."""
    board, model = model_board("pynq")
    del board

    def window(base: int, nbytes: int) -> Registers:
        from vtac.devices.models.hls import NAMES, HlsModel, HlsWindow

        assert isinstance(model, HlsModel)
        return HlsWindow(model, NAMES[(base - BOARDS["pynq"].registers) // nbytes])

    memory = model.core.memory
    return local_device(Board(BOARDS["pynq"], window, memory, Folder(str(folder), loads)))


def test_a_bitstream_is_loaded_by_its_digest(tmp_path: Path) -> None:
    digest = put(tmp_path, "vta.bit", b"configuration frames")
    (tmp_path / "stray.bit").write_bytes(b"without a side file")
    loads = Loads()
    device = board_of(tmp_path, loads)
    program = device_program("vta_vadd")
    with pytest.raises(DeviceError, match="no bitstream is loaded: vtac devices program URL BITSTREAM loads one"):
        program.to(device)
    with pytest.raises(DeviceError, match="only a bitstream resets this design"):
        device.reset()
    assert [dict(found)["name"] for found in device.info["bitstreams"]] == ["vta.bit"]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType, reportUnknownArgumentType]
    device.program(digest)
    assert loads.loaded == [b"configuration frames"]
    assert device.config == CONFIG and device.info["clock_hz"] == 100_000_000
    loaded = program.to(device)
    loaded(*arguments_of(program))
    device.reset()
    assert len(loads.loaded) == 2
    loaded(*arguments_of(program))
    device.program(digest)
    with pytest.raises(DeviceError, match="the device was programmed since the program was loaded: load it again"):
        loaded(*arguments_of(program))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"design": "chisel"}, "vta.bit is of the chisel design; pynq has hls"),
        ({"design": "other"}, "the side file vta.json needs config, clock_hz and design"),
        ({"config": []}, "the side file vta.json needs config"),
        ({"config": {"LOG_BLOCK": 1 << 30}}, "LOG_BLOCK of the configuration is"),
        ({"sha256": 7}, "the side file vta.json needs the sha256 of vta.bit"),
        ({"sha256": "f" * 64}, "the agent has no bitstream with the SHA-256"),
    ],
)
def test_side_files_that_contradict(tmp_path: Path, changes: Mapping[str, object], message: str) -> None:
    board = Board(
        BOARDS["pynq"],
        lambda _base, _nbytes: model_window(),
        PhysicalMemory(0, 1 << 20),
        Folder(str(tmp_path), Loads()),
    )
    digest = put(tmp_path, "vta.bit", b"frames", **changes)
    with pytest.raises(Refusal, match=message):
        board.program(digest)
    assert board.fields == {}


def model_window() -> Registers:
    return model_board("de10nano")[1]  # pyright: ignore[reportReturnType]


def test_a_file_that_is_not_what_its_side_file_says(tmp_path: Path) -> None:
    digest = put(tmp_path, "vta.bit", b"frames")
    (tmp_path / "vta.bit").write_bytes(b"other frames")
    loads = Loads()
    device = board_of(tmp_path, loads)
    with pytest.raises(DeviceError, match=r"vta.bit has another SHA-256 than its side file says: copy both"):
        device.program(digest)
    assert loads.loaded == [] and device.query()["fields"] == {}
    put(tmp_path, "vta.bit", b"frames")
    loads.error = OSError(5, "Input/output error")
    with pytest.raises(DeviceError, match=r"cannot load vta.bit: .*Input/output error: see the board's kernel log"):
        device.program(digest)


def test_bitstreams_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "vta.bit"
    file.write_bytes(b"frames")
    assert main(["devices", "program", "model:pynq", str(file)]) == 1
    digest = hashlib.sha256(b"frames").hexdigest()
    assert f"no bitstream with the SHA-256 {digest[:16]}...: copy the file and its side" in capsys.readouterr().err
    known = model_board("pynq")[0].bitstreams()[0]["sha256"]
    assert main(["devices", "program", "model:pynq", str(known)]) == 0
    assert f"has the bitstream {str(known)[:16]}: VTA 1x16x16" in capsys.readouterr().out


PLACES = {"fetch_0": 0x43C20000, "load_0": 0x43C00000, "compute_0": 0x43C50000, "store_0": 0x43C10000}


def handoff(places: Mapping[str, int] = PLACES, more: str = "") -> str:
    """What Vivado writes, as far as it counts: a memory map with the blocks' windows and others."""
    ranges = [
        f'<MEMRANGE ADDRESSBLOCK="Reg" BASEVALUE="0x{base:08X}" HIGHVALUE="0x{base + 0xFFFF:08X}" INSTANCE="{block}"/>'
        for block, base in {"axi_timer_0": 0x42800000, **places}.items()
    ]
    memory_map = "".join([*ranges, more])
    return f"<EDKSYSTEM><MODULES><MODULE><MEMORYMAP>{memory_map}</MEMORYMAP></MODULE></MODULES></EDKSYSTEM>"


def test_a_handoff_says_where_the_registers_are(tmp_path: Path) -> None:
    first = put(tmp_path, "first.bit", b"frames")
    second = put(tmp_path, "second.bit", b"other frames")
    (tmp_path / "second.hwh").write_text(
        handoff(more='<MEMRANGE INSTANCE="fetch_0" BASEVALUE="0x43C20000" HIGHVALUE="0x43C2FFFF"/>')
    )
    opened: list[int] = []

    def window(base: int, _nbytes: int) -> Registers:
        opened.append(base)
        return model_window()

    board = Board(BOARDS["pynq"], window, PhysicalMemory(0, 1 << 20), Folder(str(tmp_path), Loads()))
    usual = [0x43C00000, 0x43C01000, 0x43C02000, 0x43C03000]
    assert opened == usual
    board.program(second)
    assert opened[4:] == [0x43C20000, 0x43C00000, 0x43C50000, 0x43C10000], "fetch, load, compute, store"
    assert board.bitstreams()[1]["registers"] == [hex(base) for base in opened[4:]]
    board.program(second)
    board.program(first)
    assert opened[8:] == usual


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("frames", "it is no XML: syntax error"),
        ("<EDKSYSTEM/>", "it has no MEMRANGE, so no memory map of a processor"),
        (handoff({"vta_0": 0x43C00000}), "it has no block fetch_0, only axi_timer_0, vta_0"),
        (handoff({**PLACES, "store_0": 0x43C50000}), "compute_0 and another block are both at 0x43c50000"),
        (
            handoff({**PLACES, "store_0": 0x43C50010}),
            "store_0 is at 0x43c50010 to 0x43c6000f; a window begins at a mult",
        ),
        (
            handoff(more='<MEMRANGE INSTANCE="load_0" BASEVALUE="0x50000000" HIGHVALUE="0x5000FFFF"/>'),
            "at several addresses",
        ),
        (handoff().replace("0x43C20000", "here"), "'here' is no address of fetch_0"),
        ('<!DOCTYPE a [<!ENTITY b "c">]>' + handoff(), "it defines entities, which no handoff does"),
    ],
)
def test_handoffs_of_something_else(tmp_path: Path, text: str, message: str) -> None:
    put(tmp_path, "vta.bit", b"frames")
    (tmp_path / "vta.hwh").write_text(text)
    folder = Folder(str(tmp_path), Loads())
    with pytest.raises(Refusal, match=r"vta.hwh is no hardware handoff of the HLS design: ") as refused:
        folder.known()
    assert message in refused.value.message
    assert refused.value.remedy == "copy the one that Vivado wrote"


def test_a_handoff_beside_the_other_design(tmp_path: Path) -> None:
    put(tmp_path, "vta.rbf", b"frames", design="chisel")
    (tmp_path / "vta.hwh").write_text(handoff())
    with pytest.raises(
        Refusal, match=r"vta.hwh lies beside a bitstream of the chisel design, whose registers are fixed"
    ):
        Folder(str(tmp_path), Loads()).known()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("u-dma-buf:../../../etc", "u-dma-buf has no buffer '../../../etc'"),
        ("u-dma-buf:udmabuf999", "cannot read /sys/class/u-dma-buf/udmabuf999"),
        ("physical:0x20000000:none", "'none' is no address and no size"),
        ("pynq:4096", "the package pynq is not here"),
        ("flash", "there is no memory 'flash'"),
    ],
)
def test_memory_that_is_not_there(source: str, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        open_memory(source, 0)


def test_registers_are_words_of_a_mapping(tmp_path: Path) -> None:
    """Of a file here, of physical addresses on a board."""
    file = tmp_path / "mem"
    file.write_bytes(bytes(8192))
    registers = MappedRegisters(4096, 4096, str(file))
    registers.write(0x18, 0xDEADBEEF)
    assert registers.read(0x18) == 0xDEADBEEF and registers.read(0x1C) == 0
    assert file.read_bytes()[4096 + 0x18 : 4096 + 0x1C] == bytes.fromhex("efbeadde")
    with pytest.raises(Refusal, match="cannot map 0x1 of"):
        map_physical(str(file), 1, 4096)
    with pytest.raises(Refusal, match="cannot map 0x0 of /no/mem: No such file"):
        map_physical("/no/mem", 0, 4096)


def test_memory_beyond_32_bits_is_refused() -> None:
    with pytest.raises(
        Refusal, match="memory at 0xfffff000 of 1048576 bytes; the accelerator's addresses have 32 bits"
    ):
        local_device(
            Board(
                BOARDS["de10nano"],
                lambda _base, _nbytes: model_window(),
                PhysicalMemory(0xFFFFF000, (1 << 20) + 4096),
                NoBitstreams(),
            )
        )


def test_a_board_is_one_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    lock = Lock("pynq")
    with pytest.raises(Refusal, match=r"pynq is held by process \d+, "):
        Lock("pynq")
    with pytest.raises(DeviceError, match="pynq is held by process"):
        vtac.devices.open("board:pynq")
    lock.close()
    with pytest.raises(Refusal, match="the package pynq is not here"):
        open_board("board:pynq", None)
    Lock("pynq").close()


def test_the_agent_in_one_file_knows_the_boards(tmp_path: Path) -> None:
    agent = tmp_path / "agent.pyz"
    agent.write_bytes(agent_bytes())
    command = [sys.executable, "-I", "-S", str(agent), "--stdio", "--device", "board:none"]
    outcome = subprocess.run(command, capture_output=True, check=False, text=True)
    assert "there is no board 'board:none'; name board: and pynq, ultra96, zcu104, de10nano" in outcome.stderr
