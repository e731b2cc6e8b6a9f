"""Programs in a device's memory: results, relocation, what is sent again, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from device_programs import CASES, arguments_of, device_program
from device_streams import CONFIG, accumulating_program, words

import vtac
from vtac.devices.loading import LoadedHostProgram
from vtac.devices.relocation import overwritten_reads, relocate
from vtac.errors import DeviceError, ProgramError
from vtac.targets.vta.isa import decode
from vtac.targets.vta.isa.instructions import Load, Store


@pytest.mark.parametrize("name", CASES)
def test_results_and_counters_are_those_of_a_call(name: str) -> None:
    program = device_program(name)
    with vtac.devices.open("sim") as device:
        loaded = program.to(device)
        for seed in (0, 1):
            arrays = arguments_of(program, seed)
            assert np.array_equal(loaded(*arrays), program(*arrays))
        assert loaded.counters == program.stats


def test_programs_share_a_device() -> None:
    vadd, matmul = device_program("vta_vadd"), device_program("vta_matmul")
    with vtac.devices.open("sim") as device:
        both = [(program, program.to(device)) for program in (vadd, matmul)]
        for program, loaded in (*both, *both):
            arrays = arguments_of(program)
            assert np.array_equal(loaded(*arrays), program(*arrays))
        free = device.query()["free_bytes"]
        for _, loaded in both:
            loaded.close()
        assert device.query()["free_bytes"] == device.info["memory_bytes"] != free


def test_times_are_of_runs_alone() -> None:
    program = device_program("two-streams")
    with vtac.devices.open("sim") as device:
        loaded = program.to(device)
        assert isinstance(loaded, LoadedHostProgram)
        times = loaded.time(*arguments_of(program), number=2, repeat=3)
        assert len(times.means) == 3 and times.best <= times.mean
        assert times.exact_cycles == program.cycles
        with pytest.raises(DeviceError, match="cannot time 3 times 0 runs"):
            loaded.time(*arguments_of(program), number=0)


def test_what_a_run_stores_over_is_put_back() -> None:
    program = accumulating_program()
    assert overwritten_reads(program.instructions, CONFIG, 0x3000) == [(0x1000, 64)]
    expected = program()
    with vtac.devices.open("sim") as device:
        loaded = program.to(device)
        assert np.array_equal(loaded(), expected)
        loaded.time(number=2, repeat=1)
        assert np.array_equal(loaded(), expected)


def test_nothing_of_an_ordinary_program_is_put_back() -> None:
    for name in CASES:
        for stream in device_program(name).devices.values():
            last = stream.buffers[-1]
            assert overwritten_reads(stream.instructions, stream.config, last.address + last.nbytes) == []


def test_relocation_moves_every_address_by_its_elements() -> None:
    program = device_program("vta_matmul").stream
    shift = 5 * program.config.dram_alignment
    moved = decode(relocate(program.instructions, program.config, shift), program.config)
    for before, after in zip(decode(program.instructions, program.config), moved, strict=True):
        if isinstance(before, Load | Store) and before.x_size:
            assert isinstance(after, Load | Store)
            memory = before.memory.name.lower()
            assert (after.dram_base - before.dram_base) * program.config.element_bytes(memory) == shift  # pyright: ignore[reportArgumentType]
        else:
            assert before == after
    assert relocate(relocate(program.instructions, program.config, shift), program.config, -shift) == (
        program.instructions
    )


def test_addresses_beyond_32_bits_are_refused() -> None:
    stream = words("load.inp sram 0 <- dram 0xffffffff, 1 x 1 stride 1\nfinish\n")
    with pytest.raises(ProgramError, match="cannot move the program by 4096 bytes: its addresses have 32 bits"):
        relocate(stream, CONFIG, 4096)
    with pytest.raises(ProgramError, match="cannot move a program by 17 bytes; multiples of 4096"):
        relocate(stream, CONFIG, 17)


def test_arrays_that_do_not_fit_are_refused() -> None:
    with vtac.devices.open("sim") as device:
        loaded = device_program("vta_vadd").to(device)
        with pytest.raises(ProgramError, match="called with 0 arrays; the program takes 2"):
            loaded()
        with pytest.raises(DeviceError, match="counters are those of a run, and there was none: run a program first"):
            _ = loaded.counters


def test_a_closed_device_says_so() -> None:
    device = vtac.devices.open("sim")
    device.close()
    with pytest.raises(DeviceError, match="the device sim is closed: open it again") as refused:
        device_program("vta_vadd").to(device)
    assert (refused.value.kind, refused.value.reason) == ("device", "closed")


def test_another_configuration_is_refused(tmp_path: object) -> None:
    from vtac.devices.agent.service import Limits, Service
    from vtac.devices.channels import LocalChannel
    from vtac.devices.device import Device
    from vtac.devices.simulator import Simulator

    del tmp_path
    small = vtac.VTAConfig(log_inp_buff_size=14)
    backend = Simulator(dict(small.to_fields()), 1 << 24)
    device = Device("small", LocalChannel(backend, Service(backend, Limits()), "test"))
    assert device.config == small
    with pytest.raises(DeviceError, match="compiled for LOG_INP_BUFF_SIZE = 15, the device has 14") as refused:
        device_program("vta_vadd").to(device)
    assert refused.value.remedy.startswith("compile it for the device's configuration")
    assert device.query()["free_bytes"] == 1 << 24


def test_a_program_that_does_not_fit_is_refused() -> None:
    from vtac.devices.agent.service import Limits, Service
    from vtac.devices.channels import LocalChannel
    from vtac.devices.device import Device
    from vtac.devices.simulator import Simulator

    backend = Simulator(None, 1 << 13)
    device = Device("tiny", LocalChannel(backend, Service(backend, Limits()), "test"))
    with pytest.raises(
        DeviceError, match=r"\d+,\d+ contiguous bytes are wanted; the largest gap .* has 8,192"
    ) as refused:
        device_program("vta_vadd").to(device)
    assert refused.value.reason == "memory"
