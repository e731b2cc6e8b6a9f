"""A run as a picture: one lane per unit over the cycles, tokens as arrows between the lanes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vtac.errors import VtacError
from vtac.files.whole import write_output
from vtac.report.drawing import BLACK, GREY, Drawing, Line, Rectangle, Shape, Text, contrast, svg
from vtac.report.lanes import COLOURS, LANES, Bar, bars_of
from vtac.report.raster import png
from vtac.report.runs import StreamRun, runs_of, total_cycles
from vtac.targets.vta.cycles import CycleReport, TokenFlow
from vtac.targets.vta.programs.vta_program import VtaProgram

WIDTH, LEFT, RIGHT = 1280, 70, 130
TOP, LANE, GAP = 52, 40, 22
ARROW_LIMIT = 400
_PLOT = WIDTH - LEFT - RIGHT
_BOTTOM = TOP + len(LANES) * (LANE + GAP)
_HEIGHT = _BOTTOM + 84
_QUEUE_LANES = {
    "l2g": ("load", "compute"),
    "g2l": ("compute", "load"),
    "s2g": ("store", "compute"),
    "g2s": ("compute", "store"),
}


class _Plot:
    """Where cycles and lanes lie on the drawing."""

    def __init__(self, window: tuple[int, int]) -> None:
        self.window = window
        self.cycles_per_pixel = (window[1] - window[0]) / _PLOT

    def x(self, cycle: float) -> float:
        return LEFT + (cycle - self.window[0]) / self.cycles_per_pixel

    @staticmethod
    def y(lane: str) -> int:
        return TOP + LANES.index(lane) * (LANE + GAP)


def _title(runs: Sequence[StreamRun], window: tuple[int, int]) -> Iterator[Shape]:
    cycles = total_cycles(runs)
    shown = f", cycles {window[0]:,} to {window[1]:,}" if window != (0, cycles) else ""
    yield Text(LEFT, 20, f"{cycles:,} cycles on {runs[0].report.timing.board}{shown}", 14)
    if len(runs) > 1:
        yield Text(LEFT, 38, f"{len(runs)} streams, one after the other", 10, colour=GREY)
        return
    roofs = ", ".join(f"{name} {roof.utilisation:.1%}" for name, roof in runs[0].report.roofs.items())
    yield Text(LEFT, 38, f"share of the roofs: {roofs}", 10, colour=GREY)


def _stream_names(runs: Sequence[StreamRun], plot: _Plot) -> Iterator[Shape]:
    """Where each stream of several begins, and its name."""
    first, last = plot.window
    for run in runs if len(runs) > 1 else ():
        begin, end = max(run.begin, first), min(run.end, last)
        if begin < end:
            yield Line(plot.x(begin), TOP - 10, plot.x(begin), _BOTTOM, BLACK)
            yield Text(plot.x(begin) + 3, TOP - 3, run.name, 10)


def _lane_names(runs: Sequence[StreamRun]) -> Iterator[Shape]:
    cycles, reports = total_cycles(runs), [run.report for run in runs]
    shares = {
        name: f"busy {sum(report.units[name].busy for report in reports) / cycles:.1%}" for name in reports[0].units
    }
    shares["bus"] = f"busy {sum(sum(report.bus_busy.values()) for report in reports) / cycles:.1%}"
    for lane in LANES:
        middle = _Plot.y(lane) + LANE / 2 + 4
        yield Rectangle(LEFT, _Plot.y(lane), _PLOT, LANE, "#f7f7f7")
        yield Text(LEFT - 8, middle, lane, 12, "end")
        yield Text(WIDTH - RIGHT + 8, middle, shares.get(lane, ""), 10, colour=GREY)


def _bars(bars: list[Bar], plot: _Plot) -> Iterator[Shape]:
    for bar in bars:
        x, width = plot.x(bar.begin), (bar.end - bar.begin) / plot.cycles_per_pixel
        waits = bar.kind.startswith("waits")
        y, height = plot.y(bar.lane), LANE
        if waits:
            y, height = y + LANE // 2 - 5, 10
        # A hair of ground between neighbours that are wide enough to lose it.
        yield Rectangle(x, y, max(0.4, width - 0.5 if width > 3 else width), height, COLOURS[bar.kind], bar.hint)
        if bar.label and width > 6.5 * len(bar.label) + 4:
            yield Text(x + width / 2, y + LANE / 2 + 4, bar.label, 10, "middle", contrast(COLOURS[bar.kind]))


def _flows(runs: Sequence[StreamRun]) -> Iterator[TokenFlow]:
    """The tokens of all runs, on the program's axis of cycles."""
    for run in runs:
        for flow in run.report.flows:
            posted, taken = run.placed(flow.posted, flow.taken)
            yield flow._replace(posted=posted, taken=taken)


def _arrows(runs: Sequence[StreamRun], plot: _Plot) -> Iterator[Shape]:
    first, last = plot.window
    flows = [flow for flow in _flows(runs) if flow.posted >= first and flow.taken < last]
    if len(flows) > ARROW_LIMIT:
        note = f"{len(flows):,} tokens, not drawn: more than {ARROW_LIMIT}"
        yield Text(WIDTH - RIGHT, 38, note, 10, "end", GREY)
        return
    for flow in flows:
        source, target = _QUEUE_LANES[flow.queue]
        down = LANES.index(target) > LANES.index(source)
        x1, x2 = plot.x(flow.posted), plot.x(flow.taken)
        y1, y2 = plot.y(source) + (LANE if down else 0), plot.y(target) + (0 if down else LANE)
        yield Line(x1, y1, x2, y2, BLACK)
        for side in (-2, 2):
            yield Line(x2 + side, y2 + (-4 if down else 4), x2, y2, BLACK)


def tick_step(cycles: int, most: int = 12) -> int:
    """The distance of axis ticks: 1, 2 or 5 times a power of ten, at most `most` of them over `cycles`."""
    step = 1
    while cycles / step > most:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step


def _axis(plot: _Plot) -> Iterator[Shape]:
    first, last = plot.window
    step = tick_step(last - first)
    yield Line(LEFT, _BOTTOM, WIDTH - RIGHT, _BOTTOM, BLACK)
    for cycle in range(-(-first // step) * step, last + 1, step):
        x = plot.x(cycle)
        yield Line(x, _BOTTOM, x, _BOTTOM + 5, BLACK)
        yield Text(x, _BOTTOM + 18, f"{cycle:,}", 10, "middle")
    yield Text(WIDTH - RIGHT + 36, _BOTTOM + 18, "cycles", 10)


def _legend(bars: list[Bar]) -> Iterator[Shape]:
    kinds = {bar.kind for bar in bars}
    x, y = LEFT, _BOTTOM + 48
    for kind, colour in COLOURS.items():
        if kind in kinds:
            yield Rectangle(x, y - 9, 11, 11, colour)
            yield Text(x + 16, y, kind, 10)
            x += 36 + 6 * len(kind)
    yield Text(
        LEFT, y + 22, "arrows: a token, from the instruction that posts it to the one that takes it", 10, colour=GREY
    )


def draw_timeline(report: CycleReport, window: tuple[int, int] | None = None) -> Drawing:
    """The picture of a run, or of the cycles [begin, end) of a `window` on it."""
    return draw_runs([StreamRun(report)], window)


def draw_runs(runs: Sequence[StreamRun], window: tuple[int, int] | None = None) -> Drawing:
    """The picture of runs of streams, one after the other."""
    cycles = total_cycles(runs)
    shown = window or (0, cycles)
    if not 0 <= shown[0] < shown[1] <= cycles:
        raise VtacError(
            f"cannot draw the cycles {shown[0]} to {shown[1]}: the run has the cycles 0 to {cycles}; "
            "the window must lie within, its end behind its begin"
        )
    plot = _Plot(shown)
    bars = bars_of(runs, shown, plot.cycles_per_pixel)
    parts = (
        _title(runs, shown),
        _lane_names(runs),
        _bars(bars, plot),
        _arrows(runs, plot),
        _stream_names(runs, plot),
        _axis(plot),
        _legend(bars),
    )
    return Drawing(WIDTH, _HEIGHT, [shape for part in parts for shape in part])


def write_timeline(report: CycleReport, path: str | Path, window: tuple[int, int] | None = None) -> None:
    """Draw a run into a file, `.svg` or `.png` by its name.

    Lanes: `fetch`, the read `bus`, `load`, `compute`, `store`; `window` chooses cycles [begin, end). The
    same report gives the same bytes. Raises `VtacError` for another ending or a window outside the
    run, `OSError` when the file cannot be written.
    """
    _write([StreamRun(report)], Path(path), window)


def write_program_timeline(program: VtaProgram, path: str | Path, window: tuple[int, int] | None = None) -> None:
    """Draw a run of a program like `write_timeline`: its streams follow each other in the order of their calls.

    Where there are several, a line with its name marks the begin of each.
    """
    _write(runs_of(program), Path(path), window)


def _write(runs: Sequence[StreamRun], target: Path, window: tuple[int, int] | None) -> None:
    ending = target.suffix.lower()
    if ending not in (".svg", ".png"):
        raise VtacError(
            f"cannot draw a timeline into {target}: its name ends in {ending or 'nothing'!r}; use .svg or .png"
        )
    drawing = draw_runs(runs, window)
    write_output(target, svg(drawing).encode() if ending == ".svg" else png(drawing))
