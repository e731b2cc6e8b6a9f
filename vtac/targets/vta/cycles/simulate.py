"""The entry: instruction bytes to a report of cycles."""

from __future__ import annotations

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.cycles.accounting import busy_cycles, make_report
from vtac.targets.vta.cycles.machine import Machine
from vtac.targets.vta.cycles.plan import plan_stream
from vtac.targets.vta.cycles.report import CycleReport
from vtac.targets.vta.cycles.timing import Timing

_DE10 = Timing.de10()


def simulate_cycles(instructions: bytes, config: VTAConfig, timing: Timing = _DE10) -> CycleReport:
    """How many cycles the hardware takes for a stream, and where they go; no memory image is needed.

    The clock starts with the launch in cycle 0 and stops when FINISH is executed. For `Timing.de10()`
    and the default configuration the figures are the RTL's, cycle for cycle; other boards and
    configurations follow the same rules. What simulators add to the hardware (MUL, ACC_8BIT) counts
    as its nearest relative.

    Raises `CycleError`, an `ExecutionError` (`message`, `index`, `kind`), for bytes that are no stream, a
    stream without FINISH or with instructions after it, a LOAD larger than its memory or one that
    never ends, a deadlock, and a token queue that overflows.
    """
    machine = _machine(instructions, config, timing)
    cycles = machine.run()
    return make_report(machine, cycles, instructions, config)


def count_cycles(instructions: bytes, config: VTAConfig, timing: Timing = _DE10) -> int:
    """How many cycles those are, without where they go; raises the same."""
    return _machine(instructions, config, timing).run()


def count_busy_cycles(instructions: bytes, config: VTAConfig, timing: Timing = _DE10) -> tuple[int, dict[str, int]]:
    """How many cycles those are, and in how many of them each unit is busy, by its name; raises the same."""
    machine = _machine(instructions, config, timing)
    cycles = machine.run()
    return cycles, busy_cycles(machine, cycles)


def _machine(instructions: bytes, config: VTAConfig, timing: Timing) -> Machine:
    board = timing.within(config)
    return Machine(plan_stream(instructions, config, board), board)
