"""A run as a picture: one lane per unit over the cycles, tokens as arrows between the lanes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vtac.errors import VtacError
from vtac.files.whole import write_output
from vtac.report.drawing import Drawing, svg
from vtac.report.heading import (
    Subject,
    Window,
    checked_window,
    description,
    heading,
    layer_band,
    subject_of,
    title,
)
from vtac.report.lanes import bars_of
from vtac.report.plot import (
    HEIGHT,
    WIDTH,
    Plot,
    arrows,
    axis,
    bar_shapes,
    flows_within,
    lane_names,
    legend,
    stream_names,
)
from vtac.report.raster import png
from vtac.report.runs import StreamRun, runs_of
from vtac.targets.vta.cycles import CycleReport
from vtac.targets.vta.programs.layer_report import layer_reports, simulate_streams
from vtac.targets.vta.programs.vta_program import VtaProgram

_WHOLE: Window = (None, None)


def draw_timeline(report: CycleReport, window: Window = _WHOLE) -> Drawing:
    """The picture of a run, or of the cycles [begin, end) of a `window` on it."""
    return draw_runs([StreamRun(report)], window)


def draw_program(program: VtaProgram, window: Window = _WHOLE) -> Drawing:
    """The picture of a run of a program, its layers named. Raises `VtacError` for a program of no stream."""
    simulated = simulate_streams(program)
    reports = layer_reports(program, simulated)
    return draw_runs(runs_of(program, simulated), window, subject_of(program, reports))


def draw_runs(runs: Sequence[StreamRun], window: Window = _WHOLE, subject: Subject | None = None) -> Drawing:
    """The picture of runs of streams, one after the other. Raises `VtacError` for a window outside of them."""
    shown, about = checked_window(runs, window), subject or Subject()
    plot = Plot(shown)
    bars, flows = bars_of(runs, shown, plot.cycles_per_pixel), flows_within(runs, shown)
    parts = (
        heading(runs, shown, about),
        layer_band(about, plot),
        lane_names(runs),
        bar_shapes(bars, plot),
        arrows(flows, plot),
        stream_names(runs, plot),
        axis(plot),
        legend(bars, len(flows)),
    )
    shapes = [shape for part in parts for shape in part]
    return Drawing(WIDTH, HEIGHT, shapes, title(runs, shown, about), description(runs, shown, about))


def write_timeline(report: CycleReport, path: str | Path, window: Window = _WHOLE) -> None:
    """Draw a run into a file, `.svg` or `.png` by its name.

    Lanes: `fetch`, the read `bus`, `load`, `compute`, `store`; `window` chooses cycles [begin, end), None is an end
    of the run. No bar is wider than its time. The same report gives the same bytes. Raises `VtacError` for another
    ending or a window outside the run, `OSError` when the file cannot be written.
    """
    target = _checked(path)
    _write(draw_timeline(report, window), target)


def write_program_timeline(program: VtaProgram, path: str | Path, window: Window = _WHOLE) -> None:
    """Draw a run of a program like `write_timeline`, with its name, its configuration and its layers.

    Its streams follow each other in the order of their calls; a line with its name marks the begin of each.
    """
    target = _checked(path)
    _write(draw_program(program, window), target)


def _checked(path: str | Path) -> Path:
    target = Path(path)
    ending = target.suffix.lower()
    if ending not in (".svg", ".png"):
        raise VtacError(
            f"cannot draw a timeline into {target}: its name ends in {ending or 'nothing'!r}; use .svg or .png"
        )
    return target


def _write(drawing: Drawing, target: Path) -> None:
    write_output(target, svg(drawing).encode() if target.suffix.lower() == ".svg" else png(drawing))
