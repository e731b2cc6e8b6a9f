"""A program of several kernels, layer by layer: cycles, traffic and work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.cycles import CycleReport, simulate_cycles
from vtac.targets.vta.isa.fields import WORD_BYTES
from vtac.targets.vta.machine.counters import count
from vtac.targets.vta.machine.stream import decode_stream
from vtac.targets.vta.programs.device_call import DeviceCall
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.provenance import placed_faults, title_of
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.targets.vta.programs.work import Work


@dataclass(frozen=True)
class LayerReport:
    """What one kernel's call contributes to a run.

    Kernels overlap: `cycles` are those by which the run becomes longer with this kernel, from the
    end of the kernels before it to its own, and add up to the run's. `counters` are the seven of
    `Program.stats`, `config` is the hardware; `instructions` include those that only carry its tokens.
    `work` is what the layer takes at least, where that is known. `layers` are those of the source that
    the kernel holds.
    """

    name: str
    cycles: int
    instructions: int
    counters: dict[str, int]
    config: VTAConfig
    work: Work | None = None
    layers: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its name, and the other layers that it holds."""
        return title_of(self.name, self.layers)

    @property
    def bound(self) -> int | None:
        """The cycles that the layer takes at least, where its work is known."""
        return None if self.work is None else self.work.cycles(self.config)

    @property
    def limit(self) -> str:
        """What the bound comes from; empty where there is none."""
        return "" if self.work is None else self.work.limit(self.config)

    @property
    def dram_bytes(self) -> int:
        """Bytes loaded and stored, micro-ops included."""
        return sum(value for name, value in self.counters.items() if name.endswith("_nbytes"))

    @property
    def utilisation(self) -> float:
        """The share of its cycles in which the GEMM core multiplies one tile."""
        return self.counters["gemm_counter"] / self.cycles if self.cycles else 0.0


def simulate_streams(program: VtaProgram) -> dict[str, CycleReport]:
    """A run of each stream of a program under the DE10 timing model, by the stream's name. Raises `CycleError`."""
    return {name: _simulate(one) for name, one in program.devices.items()}


def _simulate(program: Program) -> CycleReport:
    with placed_faults(program.origins):
        return simulate_cycles(program.instructions, program.config)


def layer_reports(program: VtaProgram, simulated: Mapping[str, CycleReport] | None = None) -> list[LayerReport]:
    """The kernels of a program in the order of their calls, of all its streams when it has several.

    Cycles are those of the DE10 timing model; `simulated` are the runs of its streams, if they are known. What
    belongs to no kernel, the end of a stream, counts for its last one.
    """
    known = simulate_streams(program) if simulated is None else simulated
    devices = program.devices
    calls = ((devices[call.device], known[call.device], call) for call in program.calls)
    return [report for stream, run, call in calls for report in _of_stream(stream, run, call)]


def layer_table(reports: Sequence[LayerReport]) -> str:
    """The kernels of a run as text, one line each and one for all of them.

    `bound` is the least number of cycles that the instruction set leaves for the layer: products
    that meet data, resets and ALU operations, or the bytes that must move; `from` says which.
    """
    width = max(5, *(len(report.title) for report in reports))
    cycles = max(1, sum(report.cycles for report in reports))
    heads = f"{'share':>8}{'bound':>14}{'from':>9}{'DRAM bytes':>14}{'GEMM busy':>11}"
    lines = [f"{'layer':<{width}}{'cycles':>14}{heads}"]
    for report in reports:
        lines.append(
            f"{report.title:<{width}}{report.cycles:>14,}{report.cycles / cycles:>8.1%}{_bound(report)}"
            f"{report.dram_bytes:>14,}{report.utilisation:>11.1%}"
        )
    gemm = sum(report.counters["gemm_counter"] for report in reports)
    total = sum(report.dram_bytes for report in reports)
    bound = total_bound(reports)
    shown = f"{bound:>14,}{bound / cycles:>9.0%}" if bound is not None else f"{'-':>14}{'':>9}"
    lines.append(f"{'all':<{width}}{cycles:>14,}{1:>8.1%}{shown}{total:>14,}{gemm / cycles:>11.1%}")
    return "\n".join(lines) + "\n"


def total_bound(reports: Sequence[LayerReport]) -> int | None:
    """The bounds of all layers; None where one of them is unknown."""
    bounds = [report.bound for report in reports]
    return sum(bound for bound in bounds if bound is not None) if None not in bounds else None


def least_cycles(reports: Sequence[LayerReport]) -> int | None:
    """What a run takes at least, however layers overlap: the unit that has most to do; None where a work is unknown.

    Each layer loads what it reads; where it finds some on chip, as another layer reads the same, a run may take less.
    """
    works = [report.work for report in reports if report.work is not None]
    if len(works) < len(reports) or not works:
        return None
    total = {name: sum(work.fields()[name] for work in works) for name in works[0].fields()}
    return Work.from_fields(total).cycles(reports[0].config)


def _bound(report: LayerReport) -> str:
    if report.bound is None:
        return f"{'-':>14}{'':>9}"
    return f"{report.bound:>14,}{report.limit:>9}"


def _of_stream(program: Program, run: CycleReport, alone: DeviceCall) -> list[LayerReport]:
    """The kernels of one stream; `alone` is the call of one that is no sequence of kernels."""
    words = np.frombuffer(program.instructions, np.dtype((np.void, WORD_BYTES)))
    names = [kernel.name for kernel in program.kernels] or [alone.layer]
    works = [kernel.work for kernel in program.kernels] or [alone.work]
    held = [kernel.layers for kernel in program.kernels] or [program.layers]
    number = {name: position for position, name in enumerate(names)}
    numbers = np.array([number.get(origin.kernel, len(names) - 1) for origin in program.origins] or [0] * len(words))
    ends = _ends(run, len(words))
    found: list[LayerReport] = []
    before = 0
    for position, name in enumerate(names):
        mine = numbers == position
        after = max(before, int(ends[mine].max())) if position < len(names) - 1 else run.cycles
        counters = count(decode_stream(words[mine].tobytes(), program.config))
        cycles, instructions = after - before, int(mine.sum())
        work, layers = works[position], held[position]
        found.append(LayerReport(name, cycles, instructions, counters, program.config, work, layers))
        before = after
    return found


def _ends(run: CycleReport, instructions: int) -> NDArray[np.int64]:
    """The cycle in which each instruction is over."""
    ends = np.zeros(instructions, np.int64)
    for unit in run.units.values():
        for span in unit.spans:
            ends[span.instruction] = span.end
    return ends
