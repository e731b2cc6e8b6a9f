"""What a timeline consists of: lanes with bars, arrows, the axis and the legend, each as shapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vtac.report.drawing import BLACK, GREY, Line, Rectangle, Shape, Text, contrast
from vtac.report.lanes import COLOURS, LANES, Bar
from vtac.report.runs import StreamRun, total_cycles
from vtac.targets.vta.cycles import TokenFlow

WIDTH, LEFT, RIGHT = 1280, 70, 130
BAND_TOP, BAND = 48, 15
"""Where the layers stand, and how high."""
TOP, LANE, GAP = 82, 40, 22
CHARACTER = 6
"""The width of a character of size 10, about."""
ARROW_LIMIT = 400
PLOT = WIDTH - LEFT - RIGHT
BOTTOM = TOP + len(LANES) * (LANE + GAP)
HEIGHT = BOTTOM + 84
_QUEUE_LANES = {
    "l2g": ("load", "compute"),
    "g2l": ("compute", "load"),
    "s2g": ("store", "compute"),
    "g2s": ("compute", "store"),
}


class Plot:
    """Where cycles and lanes lie on the drawing."""

    def __init__(self, window: tuple[int, int]) -> None:
        self.window = window
        self.cycles_per_pixel = (window[1] - window[0]) / PLOT

    def x(self, cycle: float) -> float:
        return LEFT + (cycle - self.window[0]) / self.cycles_per_pixel

    @staticmethod
    def y(lane: str) -> int:
        return TOP + LANES.index(lane) * (LANE + GAP)


def stream_names(runs: Sequence[StreamRun], plot: Plot) -> Iterator[Shape]:
    """Where each stream of several begins, and its name."""
    first, last = plot.window
    for run in runs if len(runs) > 1 else ():
        begin, end = max(run.begin, first), min(run.end, last)
        if begin < end:
            yield Line(plot.x(begin), TOP - 12, plot.x(begin), BOTTOM, BLACK)
            yield Text(plot.x(begin) + 3, TOP - 5, run.name, 10)


def lane_names(runs: Sequence[StreamRun]) -> Iterator[Shape]:
    """The ground of each lane, its name, and for how much of the run it is busy."""
    cycles, reports = total_cycles(runs), [run.report for run in runs]
    shares = {
        name: f"busy {sum(report.units[name].busy for report in reports) / cycles:.1%}" for name in reports[0].units
    }
    shares["bus"] = f"busy {sum(sum(report.bus_busy.values()) for report in reports) / cycles:.1%}"
    for lane in LANES:
        middle = Plot.y(lane) + LANE / 2 + 4
        yield Rectangle(LEFT, Plot.y(lane), PLOT, LANE, "#f7f7f7")
        yield Text(LEFT - 8, middle, lane, 12, "end")
        yield Text(WIDTH - RIGHT + 8, middle, shares.get(lane, ""), 10, colour=GREY)


def bar_shapes(bars: Sequence[Bar], plot: Plot) -> Iterator[Shape]:
    """Bars as wide as their time, waits lower than what is done."""
    for bar in bars:
        x, width = plot.x(bar.begin), (bar.end - bar.begin) / plot.cycles_per_pixel
        waits = bar.kind.startswith("waits")
        y, height = plot.y(bar.lane), LANE
        if waits:
            y, height = y + LANE // 2 - 5, 10
        # A hair of ground between neighbours that are wide enough to lose it.
        yield Rectangle(x, y, width - 0.5 if width > 3 else width, height, COLOURS[bar.kind], bar.hint)
        if bar.label and width > 6.5 * len(bar.label) + 4:
            yield Text(x + width / 2, y + LANE / 2 + 4, bar.label, 10, "middle", contrast(COLOURS[bar.kind]))


def flows_within(runs: Sequence[StreamRun], window: tuple[int, int]) -> list[TokenFlow]:
    """The tokens of all runs that are posted and taken in a window, on the program's axis of cycles."""
    placed = (
        flow._replace(posted=run.begin + flow.posted, taken=run.begin + flow.taken)
        for run in runs
        for flow in run.report.flows
    )
    return [flow for flow in placed if flow.posted >= window[0] and flow.taken < window[1]]


def arrows(flows: Sequence[TokenFlow], plot: Plot) -> Iterator[Shape]:
    """Each token as an arrow; none where there are more than can be told apart."""
    for flow in flows if len(flows) <= ARROW_LIMIT else ():
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


def axis(plot: Plot) -> Iterator[Shape]:
    """The axis of cycles."""
    first, last = plot.window
    step = tick_step(last - first)
    yield Line(LEFT, BOTTOM, WIDTH - RIGHT, BOTTOM, BLACK)
    for cycle in range(-(-first // step) * step, last + 1, step):
        x = plot.x(cycle)
        yield Line(x, BOTTOM, x, BOTTOM + 5, BLACK)
        yield Text(x, BOTTOM + 18, f"{cycle:,}", 10, "middle")
    yield Text(WIDTH - RIGHT + 36, BOTTOM + 18, "cycles", 10)


def legend(bars: Sequence[Bar], tokens: int) -> Iterator[Shape]:
    """The colours that occur, and what arrows mean."""
    kinds = {bar.kind for bar in bars}
    x, y = LEFT, BOTTOM + 48
    for kind, colour in COLOURS.items():
        if kind in kinds:
            yield Rectangle(x, y - 9, 11, 11, colour)
            yield Text(x + 16, y, kind, 10)
            x += 36 + 6 * len(kind)
    told = "arrows: a token, from the instruction that posts it to the one that takes it"
    if tokens > ARROW_LIMIT:
        told = f"{tokens:,} tokens, not drawn: more than {ARROW_LIMIT}"
    yield Text(LEFT, y + 22, told, 10, colour=GREY)
