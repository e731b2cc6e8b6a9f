"""The least that a layer takes is known with its calls, and no run goes below it."""

from __future__ import annotations

from pathlib import Path

import pytest

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.layer_report import layer_reports, layer_table, total_bound
from vtac.targets.vta.programs.work import Work, least_store_cycles
from vtac.workloads.networks.network import Network


def _program() -> HostProgram:
    network = Network("pair", (1, 16, 6, 6), seed=1)
    value = network.convolution(network.input, "first", 32, 3)
    network.convolution(value, "second", 16, 1)
    program = vtac.compile(network.module())
    assert isinstance(program, HostProgram)
    return program


def test_work_counts_products_that_meet_data() -> None:
    first, second = layer_reports(_program())
    assert first.work is not None
    assert second.work is not None
    # 6 rows and columns of 3 taps each meet 16 pairs of an output and a tap, of 18; a bias is one product more.
    assert first.work.products == (16 * 16 + 36) * 2
    assert second.work.products == 36 * (2 + 1)
    assert (first.work.resets, second.work.resets) == (72, 36)
    # shift, maximum, minimum
    assert (first.work.alu, second.work.alu) == (72 * 3, 36 * 3)
    assert first.work.stored == 36 * 32


def test_no_layer_takes_fewer_cycles_than_its_bound() -> None:
    reports = layer_reports(_program())
    bound = total_bound(reports)
    assert bound is not None
    assert bound <= sum(report.cycles for report in reports)
    for report in reports:
        assert report.work is not None
        assert report.work.products <= report.counters["gemm_counter"]
    assert "bound" in layer_table(reports).splitlines()[0]


@pytest.mark.parametrize(
    ("work", "cycles", "limit"),
    [
        (Work(100, 10, 5, 8, 16), 115, "compute"),
        (Work(1, 1, 1, 8000, 16), 1000, "loads"),
        (Work(1, 1, 1, 8, 16_000), 3375, "stores"),
    ],
)
def test_the_bound_is_what_takes_longest(work: Work, cycles: int, limit: str) -> None:
    config = vtac.VTAConfig()
    assert (work.cycles(config), work.limit(config)) == (cycles, limit)


@pytest.mark.parametrize(
    ("timing", "cycles"),
    [
        (Timing.de10(), 2000 + 1000 + 125 * 3),  # beats, reads of rows of two beats, and 3 for each burst
        (Timing(bus_bytes=16), 1000 + 62 * 4),  # a tile is no wider than the bus
        (Timing.pynq(), 2000 + 1000 + 7 * 3),
    ],
)
def test_the_bound_of_stores_is_that_of_the_board(timing: Timing, cycles: int) -> None:
    work = Work(1, 1, 4000, 8, 16_000)
    stores = least_store_cycles(16_000, vtac.VTAConfig(), timing)
    assert work.cycles(vtac.VTAConfig(), timing) == max(stores, 4002)
    assert stores == cycles


def test_an_alu_that_reads_two_tensors_at_once_may_take_half() -> None:
    work = Work(10, 10, 4000, 8, 16)
    assert work.cycles(vtac.VTAConfig(), Timing(alu_tensor_interval=1)) == 2020
    assert work.cycles(vtac.VTAConfig()) == 4020


@pytest.mark.parametrize(
    ("log_block", "cycles"), [(3, 20 * 10), (4, 27 * 10), (5, 23 * 10), (6, 21 * 10), (7, 20 * 10)]
)
def test_wide_rows_are_stored_faster(log_block: int, cycles: int) -> None:
    buffers = {"LOG_INP_BUFF_SIZE": 13, "LOG_WGT_BUFF_SIZE": 15, "LOG_ACC_BUFF_SIZE": 15}
    config = VTAConfig.from_fields({**VTAConfig().to_fields(), **buffers, "LOG_BLOCK": log_block}, "tests")
    assert least_store_cycles(1280, config) == cycles


def test_work_is_saved_and_wrong_numbers_are_refused(tmp_path: Path) -> None:
    program = _program()
    program.save(tmp_path / "pair")
    loaded = vtac.load_program(tmp_path / "pair")
    assert isinstance(loaded, HostProgram)
    assert layer_reports(loaded) == layer_reports(program)
    with pytest.raises(TypeError, match="no numbers of operations and bytes"):
        Work.from_fields({"products": -1, "resets": 0, "alu": 0, "loaded": 0, "stored": 0})
    with pytest.raises(KeyError):
        Work.from_fields({"products": 1})
