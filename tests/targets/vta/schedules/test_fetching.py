"""Fetch beside the load unit: what each waits for the other, against the cycle model."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cycle_programs import POP_PREV, PUSH_NEXT, compute_nop
from hypothesis import given, settings
from hypothesis import strategies as st

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.cycles.machine import Machine
from vtac.targets.vta.cycles.plan import plan_stream
from vtac.targets.vta.isa import Finish, Instruction, Load, Memory, encode
from vtac.targets.vta.schedules.fetching import Fetch, traffic_of
from vtac.targets.vta.schedules.rehearsal import rehearse
from vtac.targets.vta.schedules.steps import KernelStep, LoadStep, Outline, TileEnd
from vtac.targets.vta.schedules.transfers import Chunk, mean_burst

CONFIG = VTAConfig()
DE10 = Timing.de10()
TIMINGS = (DE10, Timing.pynq(), replace(DE10, memory_latency=64), replace(DE10, outstanding_bursts=4))


def _run(instructions: list[Instruction], timing: Timing) -> Machine:
    machine = Machine(plan_stream(encode(instructions, CONFIG), CONFIG, timing), timing)
    machine.run()
    return machine


@pytest.mark.parametrize("timing", [*TIMINGS, replace(DE10, bus_bytes=32)])
def test_alone_fetch_reads_burst_after_burst(timing: Timing) -> None:
    number = timing.fetch_instructions
    machine = _run([*[compute_nop()] * (4 * number - 1), Finish()], timing)
    fetch = Fetch(timing, 4 * number, 512)
    fetch.wait(3, 0)
    assert fetch.arrived == machine.units[1].visible[::number]


def test_what_is_fetched_while_nothing_is_loaded_makes_no_load_later() -> None:
    fetch = Fetch(DE10, 64, 512)
    assert fetch.beside(400, 500, traffic_of(Chunk(64, 23, 1), DE10), 1.0, 0) == 0
    assert fetch.fetched == 64
    assert fetch.is_over


def test_no_more_is_fetched_than_the_queues_hold() -> None:
    """Of 1,000 instructions 64 are ahead; then as many as are done."""
    fetch, traffic = Fetch(DE10, 1000, 64), traffic_of(Chunk(8192, 23, 1), DE10)
    later = fetch.beside(40, 8255, traffic, 1.0, 0)
    assert fetch.fetched == 64
    assert later <= 7 * 16
    assert fetch.beside(8255, 16470, traffic, 1.0, 16) <= 2 * 16
    assert fetch.fetched == 80


def test_a_tile_that_stands_for_others_reads_their_instructions() -> None:
    once, often = Fetch(DE10, 1000, 1000), Fetch(DE10, 1000, 1000)
    traffic = traffic_of(Chunk(512, 23, 1), DE10)
    delay, share = once.beside(40, 575, traffic, 1.0, 0), often.beside(40, 575, traffic, 40.0, 0)
    assert once.fetched < 40
    assert often.fetched == pytest.approx(8 + (once.fetched - 8) * 40)
    assert delay == share


def test_a_burst_behind_all_that_is_under_way_waits_for_fifteen_and_a_half() -> None:
    traffic = traffic_of(Chunk(4096, 23, 1), DE10)
    assert traffic.most == 15.5 * 16 - 17
    assert traffic.waited(2000) == traffic.most
    assert traffic.waited(0) == 0
    assert traffic.waited(4119 * 3) == 0


@pytest.mark.parametrize(("row", "burst"), [(1, 1), (2, 2), (16, 16), (32, 16), (28, 28 / 2.5), (14, 14 / 1.75)])
def test_rows_that_follow_one_another_end_bursts_at_multiples_of_the_longest(row: int, burst: float) -> None:
    assert mean_burst(row) == burst


@settings(max_examples=30)
@given(
    st.sampled_from(TIMINGS),
    st.sampled_from([(1, 1024), (1, 64), (14, 14), (28, 28), (7, 7), (32, 1)]),
    st.integers(2, 12),
)
def test_loads_are_as_late_as_in_the_cycle_model(timing: Timing, shape: tuple[int, int], number: int) -> None:
    """Loads, one after the other, while as many instructions are fetched as there is time for."""
    rows, columns = shape
    stride = columns if columns > 1 else 2
    load, nops = Load(Memory.INP, 0, 0, rows, columns, stride), 400
    last = replace(load, dependences=PUSH_NEXT)
    machine = _run(
        [*[load] * (number - 1), last, *[compute_nop()] * (nops - 1), compute_nop(POP_PREV), Finish()], timing
    )
    fetch = Fetch(timing, number + nops + 1, 512)
    one = Chunk(rows * columns * 2, timing.memory_latency + 7, 1, mean_burst(2 * columns))
    end = fetch.arrived[0]
    for _ in range(number):
        alone = end + one.beats + one.starts
        end = alone + fetch.beside(end, alone, traffic_of(one, timing), 1.0, 0)
    assert end == pytest.approx(machine.units[0].ends[-1], rel=0.08, abs=2 * timing.burst_beats)


def test_micro_ops_wait_for_as_many_bursts_as_the_configuration_has_under_way() -> None:
    """Behind 16 bursts of 16 beats, less half of one and the latency, or behind 4."""
    loads = [LoadStep(0, -1, 0, Chunk(4096, 23, 1))]
    outline = Outline(loads, [KernelStep(999, micro_ops=0), KernelStep(9, micro_ops=2)], [TileEnd(2, 1, 1.0)])
    many, few = (rehearse(outline, replace(CONFIG, outstanding_bursts=bursts)) for bursts in (16, 4))
    assert many - few == (16 - 4) * 16


def test_a_board_within_a_configuration_has_the_smaller_queues_and_bursts() -> None:
    assert DE10.within(CONFIG) is DE10
    small = DE10.within(replace(CONFIG, queue_depth=32, outstanding_bursts=8))
    assert (small.queue_depth, small.outstanding_bursts) == (32, 8)
    assert replace(DE10, queue_depth=16).within(CONFIG).queue_depth == 16


def test_loads_behind_more_stores_than_a_queue_holds_wait_until_there_is_room() -> None:
    """Of 128 STOREs of 10 cycles 96 are over when the last has its place in a queue of 32."""
    loads = [LoadStep(1, -1, 0, Chunk(512, 23, 1))]
    kernels = [KernelStep(99, stored=(1280, 128)), KernelStep(9, chunks=(0,))]
    outline = Outline(loads, kernels, [TileEnd(1, 0, 1.0), TileEnd(2, 1, 1.0)])
    deep, short = (rehearse(outline, replace(CONFIG, queue_depth=depth)) for depth in (512, 32))
    assert deep < 1500
    assert short == pytest.approx(99 + 23 + 960 + 512 + 100, abs=100)
