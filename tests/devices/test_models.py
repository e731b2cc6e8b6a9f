"""Both hardware designs behind their drivers, as models: right results, and every way to get lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from device_agents import local_device
from device_programs import CASES, arguments_of, device_program
from device_streams import ACCUMULATE, CONFIG, accumulating_program, words

import vtac
from vtac.devices.agent.backend import Launch
from vtac.devices.agent.boards import BOARDS, Board
from vtac.devices.agent.faults import DeviceLost
from vtac.devices.device import Device
from vtac.devices.models.chisel import ChiselModel
from vtac.devices.models.core import PhysicalMemory
from vtac.devices.models.hls import HlsModel, as_hls_executes
from vtac.devices.models.opening import PHYSICAL_BASE, model_board
from vtac.devices.relocation import relocate
from vtac.errors import DeviceError

DESIGNS = ("pynq", "de10nano")
Model = HlsModel | ChiselModel


@pytest.fixture(scope="module", params=["model:pynq", "model:de10nano", "pipe:model:pynq", "pipe:model:de10nano"])
def device(request: pytest.FixtureRequest) -> Device:
    opened = vtac.devices.open(str(request.param))
    request.addfinalizer(opened.close)
    return opened


@pytest.mark.parametrize("name", (*CASES, "vta_conv2d"))
def test_programs_run_bit_exact(device: Device, name: str) -> None:
    program = device_program(name)
    loaded = program.to(device)
    for seed in (0, 1):
        arrays = arguments_of(program, seed)
        assert np.array_equal(loaded(*arrays), program(*arrays))
    if "de10nano" in device.url:
        assert loaded.counters["cycles"] == program.cycles
    loaded.close()


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_has_a_model(name: str) -> None:
    with vtac.devices.open(f"model:{name}") as opened:
        assert opened.info["kind"] == f"model of {name}"
        assert opened.config == replace(CONFIG, target=name)
        program = accumulating_program()
        loaded = program.to(opened)
        for _ in range(3):
            assert np.array_equal(loaded(), program())


def opened(name: str) -> tuple[Device, Model, Board]:
    board, model = model_board(name)
    return local_device(board), model, board


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("fault", ["hang", "bus-error"])
def test_a_lost_device_says_so_until_it_is_reset(name: str, fault: str) -> None:
    device, model, _ = opened(name)
    program = device_program("vta_vadd")
    arrays = arguments_of(program)
    loaded, other = program.to(device, timeout=20.0), program.to(device, timeout=0.02 if fault == "hang" else 20.0)
    loaded(*arrays)
    if fault == "hang":
        model.core.hangs_next = True
        message = r"(no FINISH|not all instructions are fetched) after 0.02 s; the units still hold instructions"
    else:
        model.bus_error_after = 4
        message = "the registers cannot be reached: the slave answers with an error"
    with pytest.raises(DeviceError, match=message) as refused:
        other(*arrays)
    assert refused.value.reason == {"hang": "timeout", "bus-error": "bus"}[fault]
    with pytest.raises(DeviceError, match=r"the device is lost since .*test, \d{4}-.*: reset it, or program it again"):
        loaded(*arrays)
    assert device.query()["lost"]
    model.bus_error_after = None
    device.reset()
    assert np.array_equal(loaded(*arrays), program(*arrays))
    assert device.query()["lost"] == ""


@pytest.mark.parametrize("name", DESIGNS)
def test_a_stuck_core_stays_stuck_whatever_is_launched(name: str) -> None:
    """What the agent protects from: no later program brings the hardware back."""
    _, model, board = opened(name)
    board.region.view[:16] = words("load.uop nop\n")
    count_too_small = Launch(board.region.base, 1, {}, 0.02, relaxed=False)
    if isinstance(model, ChiselModel):
        with pytest.raises(DeviceLost, match="no FINISH"):
            board.launch(count_too_small)
        with pytest.raises(DeviceLost, match="the core still works on an earlier run"):
            board.launch(count_too_small)
    else:
        with pytest.raises(DeviceLost, match="no FINISH"):
            board.launch(count_too_small)
    board.region.view[:16] = words("load.inp sram 0 <- dram 0x1, 1 x 1 stride 1\n")  # an address where nothing answers
    for _ in range(2):
        with pytest.raises(DeviceLost):
            board.launch(count_too_small)
    board.reset()
    board.region.view[:16] = words("finish\n")
    board.launch(Launch(board.region.base, 1, {}, 20.0, relaxed=False))


@pytest.mark.parametrize("name", DESIGNS)
def test_a_leftover_token_spoils_the_next_program(name: str) -> None:
    """It does not hang, and nothing says so: the reason why streams are judged before they are launched."""
    _, model, board = opened(name)
    stream = words("load.inp nop push_next\nfinish\n")
    board.region.view[: len(stream)] = stream
    board.launch(Launch(board.region.base, 2, {}, 20.0, relaxed=False))
    assert model.core.has_leftover
    device = local_device(board)
    program = device_program("vta_vadd")
    loaded = program.to(device)
    arrays = arguments_of(program)
    assert not np.array_equal(loaded(*arrays), program(*arrays))
    with pytest.raises(DeviceError, match="1 left at the end"):
        _prepare(device, stream)


def _prepare(device: Device, stream: bytes) -> None:
    block, _ = device.allocate(4096, 4096)
    device.prepare(block, device_program("vta_vadd").stream, stream)


@pytest.mark.parametrize("stale", [0, 1, 40])
def test_done_of_the_run_before_is_not_taken_for_this_ones(stale: int) -> None:
    device, model, _ = opened("pynq")
    assert isinstance(model, HlsModel)
    model.stale_reads = stale
    program = device_program("vta_matmul")
    loaded = program.to(device)
    for seed in range(3):
        arrays = arguments_of(program, seed)
        assert np.array_equal(loaded(*arrays), program(*arrays))
        assert model.done == 1


def test_the_model_of_hls_keeps_done_as_the_design_does() -> None:
    """The flag that a driver which polls at once would take for its own run's."""
    device, model, _ = opened("pynq")
    assert isinstance(model, HlsModel)
    loaded = accumulating_program().to(device)
    loaded()
    model.write("fetch", 0x00, 1)
    for window in ("load", "compute", "store"):
        model.write(window, 0x00, 0x81)
    seen = [model.read("compute", 0x18) for _ in range(6)]
    assert seen == [1, 1, 1, 0, 0, 1]
    assert model.read("fetch", 0x00) & 2
    assert not model.read("fetch", 0x00) & 2, "the flag is cleared by reading"


def _based(board: Board, model: Model, write_bases: Callable[[int], None]) -> bytes:
    """What four tiles become where the base registers hold the block's address and the stream counts from 0."""
    program = accumulating_program()
    image = program.memory_image()
    board.region.view[: len(image)] = memoryview(image)  # pyright: ignore[reportArgumentType]
    stream = words(ACCUMULATE)
    place = len(board.region.view) - len(stream)
    board.region.view[place:] = stream
    write_bases(board.region.base)
    with suppress(OSError):
        model.core.run(
            board.region.base + place,
            len(stream) // 16,
            dict.fromkeys(("uop", "inp", "wgt", "acc", "out"), board.region.base),
        )
    return bytes(board.region.view[0x1000:0x1040])


def test_base_registers_add_in_one_design_and_or_in_the_other() -> None:
    """Why they stay 0 and instructions are moved instead."""
    expected = accumulating_program()()
    assert isinstance(expected, np.ndarray)
    found: dict[str, bool] = {}
    for name in DESIGNS:
        _, model, board = opened(name)
        board.region.base += 0x1000  # bits that the stream's own offsets have too
        model.core.memory.base += 0x1000
        found[name] = _based(board, model, lambda base: None) == expected[:64].tobytes()
    assert found == {"pynq": True, "de10nano": False}


def test_counters_are_latched_at_the_end() -> None:
    device, model, _ = opened("de10nano")
    assert isinstance(model, ChiselModel)
    loaded = device_program("vta_vadd").to(device)
    loaded(*arguments_of(device_program("vta_vadd")))
    assert device.counters() == {"cycles": 1486, "acc_writes": 64}
    model.write(0x04, 0)
    model.write(0x00, 1)
    assert [model.read(0x04), model.read(0x00), model.read(0x04)] == [0, 1, 0]
    assert [model.read(0x00), model.read(0x00), model.read(0x04), model.read(0x24)] == [1, 2, 1486, 64]
    assert model.read(0x40) == 0


def test_shifts_and_pads_as_hls_executes_them() -> None:
    text = (
        "alu.shr imm {0}, uops 0:1, for 1 (dst+0 src+0), for 4 (dst+1 src+1)\n"
        "load.wgt sram 0 <- dram 0x10, 1 x 1 stride 1{1}\nfinish\n"
    )
    for amount, meant in ((1, 1), (15, 15), (16, -16), (31, -1), (-1, -1)):
        stream = words(text.format(amount, ", pad 1 1 0 2"))
        assert as_hls_executes(stream, CONFIG) == words(text.format(meant, ""))


def test_addresses_of_de10nano_are_those_of_its_bridge() -> None:
    _, model, board = opened("de10nano")
    assert board.region.base == PHYSICAL_BASE + 0x80000000
    assert isinstance(model.core.memory, PhysicalMemory)
    moved = relocate(words(ACCUMULATE), CONFIG, board.region.base)
    assert moved != words(ACCUMULATE)


def test_a_program_for_another_configuration_is_refused(tmp_path: object) -> None:
    del tmp_path
    board, _ = model_board("pynq", vtac.VTAConfig(log_acc_buff_size=16))
    device = local_device(board)
    with pytest.raises(DeviceError, match="compiled for LOG_ACC_BUFF_SIZE = 17, the device has 16"):
        device_program("vta_vadd").to(device)


def test_a_program_that_is_not_proven_is_not_launched() -> None:
    device, _, _ = opened("pynq")
    program = accumulating_program()
    program.instructions = words(ACCUMULATE.replace("alu.add imm 3", "alu.mul imm 3"))
    with pytest.raises(DeviceError, match=r"the program is not proven safe, and was not launched: .*MUL"):
        program.to(device)
    program.simulator_only = True
    with pytest.raises(DeviceError, match=r"the program is for simulators, and was not launched: .*MUL"):
        program.to(device)


@pytest.mark.parametrize("url", ["model:nothing", "model:pynq:absent.json"])
def test_models_that_there_are_none_of(url: str) -> None:
    with pytest.raises(
        DeviceError, match=r"there is no model of 'nothing': name one of pynq|cannot read the configuration"
    ):
        vtac.devices.open(url)
