"""The runs of streams that make up a run of a program, one after the other on one axis of cycles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from vtac.errors import VtacError
from vtac.targets.vta.cycles import CycleReport
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.layer_report import LayerReport, simulate_streams
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.programs.vta_program import VtaProgram


@dataclass(frozen=True)
class StreamRun:
    """One run of a stream: its cycles begin at `begin` on the program's axis.

    `name` is the layer or the stream, empty for a program of one. `sources` maps instruction
    positions to where they came from.
    """

    report: CycleReport
    begin: int = 0
    name: str = ""
    sources: Mapping[int, str] = field(default_factory=dict[int, str])

    @property
    def end(self) -> int:
        return self.begin + self.report.cycles

    def placed(self, begin: int, end: int) -> tuple[int, int]:
        """Cycles of the stream's run as cycles of the program's."""
        return self.begin + begin, self.begin + end

    @property
    def prefix(self) -> str:
        """What stands before an instruction's position in a text."""
        return f"{self.name} " if self.name else ""


def runs_of(program: VtaProgram, simulated: Mapping[str, CycleReport] | None = None) -> list[StreamRun]:
    """The runs of a program's streams in the order of the calls; the host's time between them is not counted.

    `simulated` are the runs of its streams by name, if they are known. Raises `VtacError` for a program that leaves
    the VTA nothing to do: it has no cycles to show.
    """
    known = simulate_streams(program) if simulated is None else simulated
    if not isinstance(program, HostProgram):
        return [_run(program.stream, known[program.stream.name], 0, "")]
    several = len(program.calls) > 1
    runs: list[StreamRun] = []
    for call in program.calls:
        name, begin = call.layer if several else "", runs[-1].end if runs else 0
        runs.append(_run(program.devices[call.device], known[call.device], begin, name))
    if not runs:
        raise VtacError("the program has no stream: all of it runs on the host, and there are no cycles to show")
    return runs


def total_cycles(runs: Sequence[StreamRun]) -> int:
    """The cycles of all runs."""
    return sum(run.report.cycles for run in runs)


def layer_spans(reports: Sequence[LayerReport]) -> list[tuple[str, int, int]]:
    """Layers with the cycles [begin, end) by which the run becomes longer with them, on the program's axis."""
    ends = [0, *accumulate(report.cycles for report in reports)]
    return [(report.title, begin, end) for report, (begin, end) in zip(reports, pairwise(ends), strict=True)]


def _run(stream: Program, report: CycleReport, begin: int, name: str) -> StreamRun:
    sources = {position: str(origin) for position, origin in enumerate(stream.origins)}
    return StreamRun(report, begin, name, sources)
