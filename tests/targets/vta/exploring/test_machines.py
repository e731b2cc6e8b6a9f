"""Which machines a sweep enumerates, and what they cost by a table."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.exploring.energy import HOROWITZ_45NM, area_of, energy_of, read_table
from vtac.targets.vta.exploring.enumeration import combinations, machine_of, machines
from vtac.targets.vta.exploring.machines import NAMES, Machine
from vtac.targets.vta.exploring.where import parse_where
from vtac.targets.vta.machine.counters import COUNTER_NAMES

BASE = Machine(VTAConfig(), Timing.de10())


def found(where: str | None, *vary: str) -> list[Machine]:
    return list(machines(None if where is None else parse_where(where, NAMES), vary, BASE))


def test_what_is_named_is_swept_and_the_rest_stays() -> None:
    chosen = found("BLOCK in (16, 32) and latency <= 8")
    assert {one.config.block_in for one in chosen} == {16, 32}
    assert {one.timing.memory_latency for one in chosen} == {0, 4, 8}
    assert {replace(one.config, log_block=4) for one in chosen} == {VTAConfig()}
    assert len(chosen) == len(set(chosen)) == 6


def test_derived_names_sweep_what_they_follow_from() -> None:
    chosen = found("sram_kib == 448")
    assert BASE in chosen
    assert all(one.sram_bytes == 448 * 1024 for one in chosen)
    assert len({one.config.log_acc_buff_size for one in chosen}) > 1


def test_only_what_encodes_and_can_be_built_is_enumerated() -> None:
    assert {one.config.block_in for one in found(None, "BLOCK")} == {16, 32, 64, 128}
    assert isinstance(machine_of({"BATCH": 4, "BLOCK": 8}, BASE), Machine)
    assert machine_of({"BATCH": 4, "BLOCK": 8, "bus_bits": 128}, BASE) == "rows narrower than the bus"
    assert machine_of({"BATCH": 8, "BLOCK": 64}, BASE) == "tiles that cross a burst"
    assert isinstance(machine_of({"BATCH": 8, "BLOCK": 64, "burst_beats": 64}, BASE), Machine)
    assert machine_of({"inp_kib": 128}, BASE) == "instructions that do not encode"


def test_combinations_that_are_no_machines_are_told_where_they_were_asked_for() -> None:
    def reasons(where: str | None, *vary: str) -> list[str]:
        condition = None if where is None else parse_where(where, NAMES)
        return [one for one in combinations(condition, vary, BASE) if not isinstance(one, Machine)]

    assert reasons("BLOCK in (8, 16)") == ["instructions that do not encode"]
    assert reasons("BLOCK_IN == 8 and BLOCK_OUT == 8") == ["instructions that do not encode"]
    assert reasons("BLOCK == 16") == reasons("BLOCK == 8 and sram_kib > 9999") == []
    assert reasons("multipliers == 64") == ["instructions that do not encode"]
    assert reasons("1 / (BLOCK - 8) > 0") == []
    assert all(why == "instructions that do not encode" for why in reasons(None))


def test_by_default_the_memories_grow_together() -> None:
    chosen = found(None)
    assert BASE in chosen
    assert 5 <= len(chosen) <= 40


def test_whose_cycles_are_proven() -> None:
    for values in (
        {},
        {"queue_depth": 64},
        {"BLOCK": 32, "burst_beats": 256},
        {"BLOCK_IN": 64, "queue_depth": 32},
        {"BLOCK_OUT": 64, "queue_depth": 32, "latency": 200},
        {"acc_kib": 16},
    ):
        machine = machine_of(values, BASE)
        assert isinstance(machine, Machine) and machine.is_proven, values
    for values in (
        {"BATCH": 2},
        {"BLOCK": 64},
        {"BLOCK_IN": 64},
        {"BLOCK_IN": 64, "queue_depth": 32, "burst_beats": 256},
        {"bus_bits": 128},
        {"bursts": 8},
        {"queue_depth": 128},
    ):
        machine = machine_of(values, BASE)
        assert isinstance(machine, Machine) and not machine.is_proven, values
    assert not replace(BASE, timing=Timing(memory_latency=201)).is_proven


def test_too_much_is_refused() -> None:
    with pytest.raises(VtacError, match="combinations; at most 2,000,000 are looked at: name fewer of them"):
        found(None, *(name for name in NAMES if name != "BLOCK"))
    with pytest.raises(VtacError, match="nothing is called 'BLOK' that could be varied; did you mean 'BLOCK'"):
        found(None, "BLOK")
    with pytest.raises(VtacError, match="BLOCK is both sides of a tile, and BLOCK_IN is one of them: name BLOCK, or"):
        found("BLOCK == 16 and BLOCK_IN == 16")


def test_the_sides_of_a_tile_are_swept_apart() -> None:
    chosen = found("BLOCK_IN in (16, 32) and BLOCK_OUT in (16, 64)")
    assert {one.tiles for one in chosen} == {(1, 16, 16), (1, 16, 64), (1, 32, 16), (1, 32, 64)}
    assert {one.tiles for one in found("BLOCK_OUT == 32")} == {(1, 16, 32)}
    same = {one.tiles for one in found("multipliers == 512 and BLOCK_OUT >= 16 and BATCH == 1")}
    assert same == {(1, 32, 16), (1, 16, 32), (1, 8, 64)}
    uneven = Machine(VTAConfig(log_block_in=5), Timing.de10())
    square = machine_of({"BLOCK": 16}, uneven)
    assert square == BASE
    assert not parse_where("BLOCK <= 128", NAMES).holds(uneven.values)


def test_queues_and_bursts_are_those_of_hardware_and_memory() -> None:
    deep = machine_of({"queue_depth": 1024, "bursts": 32}, BASE)
    assert isinstance(deep, Machine)
    assert (deep.config.queue_depth, deep.timing.queue_depth) == (1024, 1024)
    assert (deep.config.outstanding_bursts, deep.timing.outstanding_bursts) == (32, 32)
    assert deep.program_config == BASE.program_config == VTAConfig()
    assert Machine(VTAConfig(queue_depth=64), Timing.de10()).timing.queue_depth == 64
    chisel = Machine(VTAConfig(encoding="chisel", outstanding_bursts=8), Timing.de10())
    assert chisel.program_config == chisel.config


COUNTS = dict.fromkeys(COUNTER_NAMES, 0)


def test_energy_is_counts_times_the_table() -> None:
    table = replace(HOROWITZ_45NM, sram_8k=0, sram_32k=0, sram_1m=0)
    assert energy_of(COUNTS | {"gemm_counter": 1000}, BASE, table) == pytest.approx(1000 * 256 * 0.3 / 1e6)
    assert energy_of(COUNTS | {"alu_counter": 1000}, BASE, table) == pytest.approx(1000 * 16 * 0.1 / 1e6)
    assert energy_of(COUNTS | {"inp_load_nbytes": 1000}, BASE, table) == pytest.approx(1000 * 162.5 / 1e6)
    assert area_of(replace(BASE, config=VTAConfig(log_block=5)), table) > area_of(BASE, table)


def test_the_energies_are_the_published_ones() -> None:
    """Picojoules: 8-bit products 0.2, 32-bit sums 0.1; of 64 bits, caches 10, 20, 100 and DRAM 1,300 to 2,600."""
    table = HOROWITZ_45NM
    assert (table.multiply, table.add) == (0.2, 0.1)
    assert [8 * table.sram_byte(size << 10) for size in (8, 32, 1024)] == pytest.approx([10, 20, 100])
    assert 1300 <= 8 * table.dram_byte <= 2600
    assert [8 * table.sram_byte(size << 10) for size in (2, 16)] == pytest.approx([5, 200**0.5])
    sizes = [table.sram_byte(1 << log) for log in range(8, 24)]
    assert sizes == sorted(sizes) and sizes[0] > 0


def test_tables_are_files(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps(asdict(HOROWITZ_45NM)))
    assert read_table(path) == HOROWITZ_45NM
    for change, message in (
        ({"add": -1}, "add is -1; a number from 0 to 1,000,000,000,000 is required"),
        ({"add": True}, "add is True; a number from 0 to 1,000,000,000,000 is required"),
        ({"add": float("inf")}, "add is inf; a number from 0 to"),
        ({"add": float("nan")}, "add is nan; a number from 0 to"),
        ({"add": 10**400}, r"add is 10{36}\.\.\.; a number from 0 to"),
        ({"source": 3}, "source is 3; a text is required"),
        ({"extra": 3}, "nothing is called 'extra'; the fields are source, multiply"),
    ):
        path.write_text(json.dumps({**asdict(HOROWITZ_45NM), **change}))
        with pytest.raises(VtacError, match=message):
            read_table(path)
    path.write_text('{"add": 0.1, "source": "mine"}')
    with pytest.raises(VtacError, match=r"multiply, dram_byte, .*sram_bit_area missing; a table has all fields"):
        read_table(path)
    for text in ("[", "[" * 100_000):
        path.write_text(text)
        with pytest.raises(VtacError, match=r"is no table: .*; give a JSON object with the fields of docs/exploring"):
            read_table(path)
    with pytest.raises(VtacError, match=r"cannot read the table .*: No such file"):
        read_table(tmp_path / "none.json")
