"""Machines that are left out are no better: their bounds are true, and the front is that of the whole sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_programs import PlainConv
from shared_products import shared_products
from tuned_programs import CONV, Here

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.store.records import digest
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.exploring.energy import HOROWITZ_45NM
from vtac.targets.vta.exploring.jobs import PointJob
from vtac.targets.vta.exploring.least import least_cycles, split_points, works_on
from vtac.targets.vta.exploring.machines import Machine
from vtac.targets.vta.exploring.point import Figures, Point
from vtac.targets.vta.exploring.pruning import without_dominated
from vtac.workloads.networks.network import Network

WHERE = "BLOCK in (16, 32) and inp_kib in (8, 32) and wgt_kib == 64 and acc_kib == 32 and uop_kib == 4"
NET = {"net": PlainConv(channels=64, height=14, width=14, features=64).text()}


def test_the_front_is_that_of_the_whole_sweep() -> None:
    whole = vtac.explore(NET, where=WHERE, executor=Here())
    pruned = vtac.explore(NET, where=WHERE, executor=Here(), prune=True)
    assert [(one.cycles, one.sram_bytes) for one in pruned.pareto()] == [
        (one.cycles, one.sram_bytes) for one in whole.pareto()
    ]
    left_out = [one.machine for one in pruned.pruned]
    assert left_out
    assert {*left_out, *(point.machine for point in pruned)} == {point.machine for point in whole}
    by_machine = {point.machine: point for point in whole}
    for one in pruned.pruned:
        assert one.by.cycles <= one.least <= by_machine[one.machine].cycles
        assert one.by.sram_bytes <= one.machine.sram_bytes
    assert pruned.compiled == len(pruned)


def test_what_was_pruned_is_said() -> None:
    sweep = vtac.explore(NET, where=WHERE, executor=Here(), prune=True)
    text = str(sweep)
    assert f"{len(sweep.pruned)} more machines were pruned, not compiled" in text
    assert f"{sweep.pruned[0].name}: pruned: takes {sweep.pruned[0].least:,} cycles at least; " in text
    found = sweep.to_json()["pruned"]
    assert found == [{"name": one.name, "least_cycles": one.least, "by": one.by.name} for one in sweep.pruned]
    assert "pruned" not in vtac.explore(NET, where="BLOCK == 16", executor=Here(), prune=True).to_json()


SMALL, LARGE, LARGER = (
    Machine(config, Timing.de10())
    for config in (
        VTAConfig(log_wgt_buff_size=16),
        VTAConfig(log_block=5),
        VTAConfig(log_block=5, log_wgt_buff_size=17),
    )
)


def pruned_behind(cycles: int, least: int, error: str = "", others: Sequence[Machine] = (LARGE, LARGER)) -> int:
    """How many machines with such a bound are left out, once a small one takes so many cycles."""

    def counted(machines: Sequence[Machine]) -> list[Point]:
        return [Point(one, (Figures("net", cycles, error=error),), HOROWITZ_45NM) for one in machines]

    bounds = {SMALL: 1, **dict.fromkeys(others, least)}
    points, pruned = without_dominated(list(bounds), bounds, counted)
    assert len(points) + len(pruned) == len(bounds)
    return len(pruned)


def test_one_cycle_more_may_be_better_and_a_machine_that_fails_is_better_than_none() -> None:
    assert LARGER.sram_bytes > SMALL.sram_bytes
    assert pruned_behind(500, 500) == 2
    assert pruned_behind(501, 500) == 0
    assert pruned_behind(400, 500, "too small") == 0


def test_a_tie_in_both_is_no_reason() -> None:
    equal = Machine(replace(SMALL.config, log_block_in=5), Timing.de10())
    assert equal.sram_bytes == SMALL.sram_bytes
    assert pruned_behind(500, 500, others=[equal]) == 0
    assert pruned_behind(499, 500, others=[equal]) == 1


def test_a_machine_that_loads_shared_weights_once_is_not_pruned() -> None:
    sizes = [(log_block, log_wgt) for log_block in (3, 4, 5) for log_wgt in (13, 16)]
    machines = [
        Machine(
            VTAConfig(
                log_block=log_block,
                log_inp_buff_size=log_wgt - 1,
                log_wgt_buff_size=log_wgt,
                log_acc_buff_size=13 if log_wgt == 13 else 15,
                log_uop_buff_size=12,
            ),
            Timing.de10(),
        )
        for log_block, log_wgt in sizes
    ]
    text = {"net": shared_products(1, 32, 32, 6, "weights")}
    whole = vtac.explore(text, machines, executor=Here())
    pruned = vtac.explore(text, machines, executor=Here(), prune=True)
    fronts = [[(one.cycles, one.sram_bytes) for one in sweep.pareto()] for sweep in (whole, pruned)]
    assert fronts[0] == fronts[1]
    taken = {point.machine: point.cycles for point in whole.good}
    assert all(one.least <= taken[one.machine] for one in pruned.pruned if one.machine in taken)


@pytest.mark.parametrize("shared", ["weights", "inputs"])
def test_what_several_calls_read_counts_once(shared: Literal["weights", "inputs"]) -> None:
    def loaded(count: int) -> int:
        text = shared_products(4, 32, 64, count, shared)
        return works_on([(digest(text), text)], [VTAConfig()], Here())[digest(text), VTAConfig()].whole.loaded

    each = 4 * 32 if shared == "weights" else 32 * 64
    assert loaded(1) == 4 * 32 + 32 * 64
    assert loaded(5) - loaded(1) == 4 * each


def test_other_fronts_of_a_pruned_sweep_are_refused(tmp_path: Path) -> None:
    sweep = vtac.explore(NET, where=WHERE, executor=Here(), prune=True)
    assert sweep.pareto() == sorted(sweep.pareto("sram_bytes", "cycles"), key=lambda point: point.cycles)
    message = r"the sweep was pruned by cycles and SRAM, .* cycles and energy: sweep without prune"
    with pytest.raises(VtacError, match=message):
        sweep.pareto("cycles", "energy")
    with pytest.raises(VtacError, match=message):
        sweep.plot(tmp_path / "front.svg", "cycles", "energy")
    page = sweep.to_html()
    assert page.count('<section id="sweep-') == 1
    assert 'aria-label="SRAM in KiB over cycles: ' in page


def mixed(draw: st.DrawFn) -> str:
    """Layers of all kinds, one after the other; a block may add what it begins with."""
    side = draw(st.integers(4, 10))
    made = Network("net", (1, draw(st.sampled_from([3, 16, 24])), side, side), 0)
    value = made.input
    for number in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["conv", "pool", "conv"]))
        if kind == "conv":
            kernel, stride = draw(st.sampled_from([1, 3])), draw(st.integers(1, 2))
            value = made.convolution(value, f"c{number}", draw(st.sampled_from([16, 40])), kernel, stride)
            if draw(st.booleans()):
                value = made.convolution(value, f"r{number}", value.shape[1], 3, residual=value)
        else:
            value = made.max_pool(value, f"pool{number}", kernel=3, stride=draw(st.integers(1, 3)))
    made.linear(made.flatten(value), "fc", 10, last=True)
    return made.text()


@st.composite
def networks(draw: st.DrawFn) -> str:
    """Such, or products that have an operand in common."""
    if draw(st.booleans()):
        return mixed(draw)
    inner, columns = draw(st.sampled_from([16, 32, 64])), draw(st.sampled_from([16, 40, 64]))
    shared: Literal["weights", "inputs"] = draw(st.sampled_from(["weights", "inputs"]))
    return shared_products(draw(st.integers(1, 4)), inner, columns, draw(st.integers(2, 8)), shared)


@settings(max_examples=8)
@given(networks(), st.integers(3, 5), st.sampled_from([64, 128]), st.sampled_from([1, 2]), st.sampled_from([0, 15]))
def test_no_program_goes_below_its_bound(text: str, log_block: int, bus: int, interval: int, weights: int) -> None:
    small = {3: 10, 4: 12, 5: 14}[log_block]
    config = VTAConfig(
        log_block=log_block, log_inp_buff_size=13, log_wgt_buff_size=weights or small, log_acc_buff_size=14
    )
    timing = replace(Timing.de10(), bus_bytes=bus // 8, alu_tensor_interval=interval)
    machine = Machine(config, timing)
    work = works_on([(digest(text), str(vtac.parse(text)))], [machine.program_config], Here())
    least = least_cycles(list(work.values()), machine.program_config, machine.timing)
    (found,) = vtac.explore(text, [machine], executor=Here())
    assert not found.error, found.error
    assert 0 < least <= found.cycles


def test_what_memories_cannot_hold_is_loaded_while_its_call_lasts() -> None:
    made = Network("net", (1, 64, 12, 12), 0)
    first = made.convolution(made.input, "busy", 64, 3, 1)
    made.linear(made.flatten(made.max_pool(first, "pool", kernel=3, stride=3)), "loading", 256, last=True)
    text, memories = made.text(), (13, 15, 18)
    configs = [VTAConfig(log_wgt_buff_size=size) for size in memories]
    works = works_on([(digest(text), str(vtac.parse(text)))], configs, Here())
    least = [least_cycles([works[digest(text), config]], config, Timing.de10()) for config in configs]
    assert least[0] - least[1] == ((1 << 15) - (1 << 13)) // 8
    whole = works[digest(text), configs[2]].whole.cycles(configs[2], Timing.de10())
    assert least[0] > least[1] > least[2] >= whole
    for config, cycles in zip(configs, least, strict=True):
        assert cycles <= vtac.compile(text, config=config).cycles


def test_a_network_that_cannot_be_split_has_no_bound() -> None:
    text = "func.func @f(%x: tensor<4xf64>) -> tensor<4xf64> {\n  func.return %x : tensor<4xf64>\n}\n"
    (least,) = split_points([PointJob(digest(text), text, VTAConfig(), (), {})])
    assert (least.work.cycles(VTAConfig(), Timing.de10()), least.needs_text) == (1, False)
    (asked,) = split_points([PointJob("never sent", "", VTAConfig(), (), {})])
    assert asked.needs_text


def test_a_function_on_tiles_has_a_bound() -> None:
    (least,) = split_points([PointJob(digest(CONV), CONV, VTAConfig(), (), {})])
    assert 0 < least.work.cycles(VTAConfig(), Timing.de10()) <= vtac.compile(CONV).cycles
