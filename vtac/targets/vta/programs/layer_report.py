"""A program of several kernels, layer by layer: cycles, traffic and work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.cycles import simulate_cycles
from vtac.targets.vta.isa.fields import WORD_BYTES
from vtac.targets.vta.machine.counters import count
from vtac.targets.vta.machine.stream import decode_stream
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.vta_program import VtaProgram


@dataclass(frozen=True)
class LayerReport:
    """What one kernel's call contributes to a run.

    Kernels overlap: `cycles` are those by which the run becomes longer with this kernel, from the
    end of the kernels before it to its own, and add up to the run's. `counters` are the seven of
    `Program.stats`; `instructions` include those that only carry its tokens.
    """

    name: str
    cycles: int
    instructions: int
    counters: dict[str, int]

    @property
    def dram_bytes(self) -> int:
        """Bytes loaded and stored, micro-ops included."""
        return sum(value for name, value in self.counters.items() if name.endswith("_nbytes"))

    @property
    def utilisation(self) -> float:
        """The share of its cycles in which the GEMM core multiplies one tile."""
        return self.counters["gemm_counter"] / self.cycles if self.cycles else 0.0


def layer_reports(program: VtaProgram) -> list[LayerReport]:
    """The kernels of a program in the order of their calls, of all its streams when it has several.

    Cycles are those of the DE10 timing model. What belongs to no kernel, the end of a stream,
    counts for its last one.
    """
    if isinstance(program, HostProgram):
        return [report for call in program.calls for report in _of_stream(program.devices[call.device], call.layer)]
    return _of_stream(program.stream, "program")


def layer_table(reports: Sequence[LayerReport]) -> str:
    """The kernels of a run as text, one line each and one for all of them."""
    width = max(5, *(len(report.name) for report in reports))
    cycles = max(1, sum(report.cycles for report in reports))
    lines = [f"{'layer':<{width}}{'cycles':>14}{'share':>8}{'DRAM bytes':>14}{'GEMM busy':>11}"]
    for report in reports:
        lines.append(
            f"{report.name:<{width}}{report.cycles:>14,}{report.cycles / cycles:>8.1%}{report.dram_bytes:>14,}"
            f"{report.utilisation:>11.1%}"
        )
    gemm = sum(report.counters["gemm_counter"] for report in reports)
    total = sum(report.dram_bytes for report in reports)
    lines.append(f"{'all':<{width}}{cycles:>14,}{1:>8.1%}{total:>14,}{gemm / cycles:>11.1%}")
    return "\n".join(lines) + "\n"


def _of_stream(program: Program, alone: str) -> list[LayerReport]:
    """The kernels of one stream; `alone` names the kernel of one that has no others."""
    words = np.frombuffer(program.instructions, np.dtype((np.void, WORD_BYTES)))
    names = [kernel.name for kernel in program.kernels] or [alone]
    number = {name: position for position, name in enumerate(names)}
    numbers = np.array([number.get(origin.kernel, len(names) - 1) for origin in program.origins] or [0] * len(words))
    ends = _ends(program, len(words))
    found: list[LayerReport] = []
    before = 0
    for position, name in enumerate(names):
        mine = numbers == position
        after = max(before, int(ends[mine].max())) if position < len(names) - 1 else program.cycles
        counters = count(decode_stream(words[mine].tobytes(), program.config))
        found.append(LayerReport(name, after - before, int(mine.sum()), counters))
        before = after
    return found


def _ends(program: Program, instructions: int) -> NDArray[np.int64]:
    """The cycle in which each instruction is over."""
    ends = np.zeros(instructions, np.int64)
    for unit in simulate_cycles(program.instructions, program.config).units.values():
        for span in unit.spans:
            ends[span.instruction] = span.end
    return ends
