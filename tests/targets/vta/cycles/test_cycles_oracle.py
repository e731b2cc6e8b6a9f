"""The event simulation against the machine stepped cycle by cycle, and the report's own laws."""

from __future__ import annotations

from cycle_oracle import SteppedHardware
from cycle_programs import vadd
from cycle_streams import random_stream
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.cycles import CycleReport, Timing, simulate_cycles
from vtac.targets.vta.cycles.simulate import count_busy_cycles
from vtac.targets.vta.isa import Instruction, Load, Memory, Unit, encode, unit_of

CONFIG = VTAConfig()


def check_spans(report: CycleReport) -> None:
    """Spans and waits of a unit cover the run, in order and without overlap."""
    for unit in report.units.values():
        pieces = sorted((piece.begin, piece.end) for piece in (*unit.spans, *unit.waits))
        assert [0, *(end for _, end in pieces)] == [*(begin for begin, _ in pieces), report.cycles]
        assert unit.busy + sum(unit.waiting.values()) == report.cycles
        assert min(unit.busy, *unit.waiting.values()) >= 0


def check_bus(report: CycleReport, instructions: list[Instruction]) -> None:
    """The bus carries one beat per cycle, and each LOAD's own bytes."""
    ends = [0, *(span.end for span in report.bus)]
    assert all(end <= span.begin for end, span in zip(ends, report.bus, strict=False))
    for span in report.bus:
        if span.client != "fetch":
            load = instructions[span.instruction]
            assert isinstance(load, Load)
            assert load.memory is Memory[span.client.upper()]


@settings(max_examples=60)
@given(st.integers(0, 1 << 32), st.sampled_from((5, 30, 90)))
@example(3, 300)
def test_agrees_with_the_stepped_machine(seed: int, count: int) -> None:
    instructions = random_stream(seed, count)
    report = simulate_cycles(encode(instructions, CONFIG), CONFIG)
    assert report.cycles == SteppedHardware(instructions).run()
    check_spans(report)
    check_bus(report, instructions)


def test_stepped_machine_on_vadd() -> None:
    assert SteppedHardware(vadd()).run() == 1486


@settings(max_examples=30)
@given(st.integers(0, 1 << 32), st.sampled_from((4, 16)))
def test_units_are_busy_as_long_without_a_report(seed: int, bursts: int) -> None:
    stream, timing = encode(random_stream(seed), CONFIG), Timing(outstanding_bursts=bursts)
    report = simulate_cycles(stream, CONFIG, timing)
    busy = {name: unit.busy for name, unit in report.units.items()}
    assert count_busy_cycles(stream, CONFIG, timing) == (report.cycles, busy)


@settings(max_examples=30)
@given(st.integers(0, 1 << 32))
def test_instructions_run_in_their_unit_and_order(seed: int) -> None:
    instructions = random_stream(seed)
    report = simulate_cycles(encode(instructions, CONFIG), CONFIG)
    for unit in Unit:
        expected = [index for index, instruction in enumerate(instructions) if unit_of(instruction) is unit]
        executed = [span.instruction for span in report.units[unit.value].spans]
        assert executed == expected[: len(executed)]
    consumers = [flow.consumer for flow in report.flows]
    assert all(
        instructions[index].dependences.pop_prev or instructions[index].dependences.pop_next for index in consumers
    )
