"""The section of layers: a table that sorts, and the roofline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from vtac.dialects.hardware import VTAConfig
from vtac.report.page.roofline import Roofline, draw_roofline
from vtac.report.page.section import Section
from vtac.report.page.templating import render
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.programs.layer_report import LayerReport, least_cycles


@dataclass(frozen=True, slots=True)
class Row:
    """A layer in numbers; `bound` and `limit` are of the least cycles that it can take, where they are known."""

    number: int
    name: str
    cycles: int
    share: float
    bound: int | None
    limit: str
    dram_bytes: int
    macs: int
    busy: float
    instructions: int

    @property
    def ratio(self) -> float | None:
        """How many times the bound it takes."""
        return self.cycles / self.bound if self.bound else None

    @property
    def intensity(self) -> float | None:
        """Multiplications per byte of DRAM traffic, where there are both."""
        return self.macs / self.dram_bytes if self.macs and self.dram_bytes else None


def layers_section(config: VTAConfig, reports: Sequence[LayerReport], timing: Timing | None = None) -> Section:
    """Layers in the order of their calls; those that multiply are points under the roofs."""
    rows = layer_rows(config, reports)
    peak = config.batch * config.block_in * config.block_out
    roofline = Roofline(peak, (timing or Timing.de10()).bus_bytes, [row for row in rows if row.intensity])
    html = render(
        "layers.html",
        rows=rows,
        has_bounds=any(row.bound is not None for row in rows),
        largest=max(row.share for row in rows) or 1,
        total=_total(rows, least_cycles(reports)),
        roofline=Markup(draw_roofline(roofline)),
        left_out=[row for row in rows if not row.intensity],
        peak=peak,
        bus=roofline.bandwidth,
    )
    return Section("layers", "Layers", html)


def layer_rows(config: VTAConfig, reports: Sequence[LayerReport]) -> list[Row]:
    """The layers as rows of the table."""
    total = max(1, sum(report.cycles for report in reports))
    tile = config.batch * config.block_in * config.block_out
    return [
        Row(
            number,
            report.title,
            report.cycles,
            report.cycles / total,
            report.bound,
            report.limit,
            report.dram_bytes,
            report.counters["gemm_counter"] * tile,
            report.utilisation,
            report.instructions,
        )
        for number, report in enumerate(reports, 1)
    ]


def _total(rows: Sequence[Row], bound: int | None) -> Row:
    cycles = sum(row.cycles for row in rows)
    busy = sum(row.busy * row.cycles for row in rows) / max(1, cycles)
    return Row(
        len(rows),
        "all",
        cycles,
        1.0,
        bound,
        "",
        sum(row.dram_bytes for row in rows),
        sum(row.macs for row in rows),
        busy,
        sum(row.instructions for row in rows),
    )
