"""What a timeline shows of a run: bars of one kind, what is too small to be told apart merged, no wider than it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vtac.report.runs import StreamRun
from vtac.targets.vta.isa import Alu, Finish, Gemm, Instruction, Load, Store, is_nop

LANES = ("fetch", "bus", "load", "compute", "store")

COLOURS = {
    "fetch": "#b9a7d6",
    "load inp": "#56b4e9",
    "load wgt": "#0072b2",
    "load uop": "#8c6d46",
    "load acc": "#cc79a7",
    "gemm": "#009e73",
    "gemm reset": "#8fd1bd",
    "alu": "#e69f00",
    "store": "#d55e00",
    "nop, finish": "#444444",
    "waits for a token": "#f3d3bf",
    "waits for fetch": "#dcdcdc",
}
"""The kinds of bars, in the legend's order."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Cycles [begin, end) of one kind in a lane; `label` is written on it, `hint` shown under the pointer."""

    lane: str
    kind: str
    begin: int
    end: int
    label: str
    hint: str


def kind_of(instruction: Instruction) -> str:
    """The kind of bar that shows an instruction."""
    match instruction:
        case _ if is_nop(instruction) or isinstance(instruction, Finish):
            return "nop, finish"
        case Load():
            return f"load {instruction.memory.name[:3].lower()}"
        case Gemm():
            return "gemm reset" if instruction.reset else "gemm"
        case Alu():
            return "alu"
        case Store():
            return "store"
        case _:
            return "nop, finish"


class _Piece(NamedTuple):
    """Cycles of one kind in a lane, and of what: an instruction of a run, or -1 and the `cause` of a wait."""

    lane: str
    kind: str
    begin: int
    end: int
    run: StreamRun
    instruction: int
    cause: str

    def within(self, first: int, last: int) -> tuple[int, int]:
        """What a window of cycles leaves of it."""
        return max(self.begin, first), min(self.end, last)

    def bar(self, window: tuple[int, int]) -> Bar:
        label, hint = self._texts()
        return Bar(self.lane, self.kind, *self.within(*window), label, hint)

    def _texts(self) -> tuple[str, str]:
        cycles, begin, number = f"{self.end - self.begin:,}", f"{self.begin:,}", f"{self.run.prefix}{self.instruction}"
        if self.instruction < 0:
            return "", f"waits for {self.cause}: {cycles} cycles from {begin}"
        if self.lane == "fetch":
            return "", f"fetch from instruction {number}: {cycles} cycles from {begin}"
        if self.lane == "bus":
            return self.cause, f"{self.cause} for instruction {number}: {cycles} beats from {begin}"
        text = " ".join(self.run.report.text(self.instruction).split())
        return text.split(maxsplit=1)[0], f"{number}: {text}: {cycles} cycles from {begin}"


def _pieces(run: StreamRun) -> Iterator[_Piece]:
    report = run.report
    for index, *span in report.fetch:
        yield _Piece("fetch", "fetch", *run.placed(*span), run, index, "")
    for client, index, *span in report.bus:
        kind = "fetch" if client == "fetch" else f"load {client}"
        yield _Piece("bus", kind, *run.placed(*span), run, index, client)
    for unit in report.units.values():
        for cause, *span in unit.waits:
            if cause != "done":
                kind = "waits for fetch" if cause == "fetch" else "waits for a token"
                yield _Piece(unit.name, kind, *run.placed(*span), run, -1, cause)
        for index, *span in unit.spans:
            yield _Piece(unit.name, kind_of(report.decoded[index]), *run.placed(*span), run, index, "")


def bars_of(runs: Sequence[StreamRun], window: tuple[int, int], grain: float) -> list[Bar]:
    """The bars that a window of cycles shows, cut at its ends, by lane, waits first.

    Neighbours that lie within `grain` cycles become one bar of each kind, as long as its parts take together.
    """
    first, last = window
    lanes: dict[tuple[str, bool], list[_Piece]] = {}
    for piece in (piece for run in runs for piece in _pieces(run)):
        if piece.begin < last and piece.end > first:
            lanes.setdefault((piece.lane, not piece.kind.startswith("waits")), []).append(piece)
    return [
        bar
        for lane in LANES
        for shown in (False, True)
        for group in _groups(sorted(lanes.get((lane, shown), []), key=lambda piece: piece.begin), grain)
        for bar in _bars(group, window)
    ]


def _groups(pieces: Iterable[_Piece], grain: float) -> Iterator[list[_Piece]]:
    group: list[_Piece] = []
    for piece in pieces:
        if group and piece.end - group[0].begin > grain:
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _bars(group: Sequence[_Piece], window: tuple[int, int]) -> Iterator[Bar]:
    """A bar of each kind, one after the other from the begin of the first on."""
    if len(group) == 1:
        yield group[0].bar(window)
        return
    begin, _ = group[0].within(*window)
    for kind in dict.fromkeys(piece.kind for piece in group):
        spans = [piece.within(*window) for piece in group if piece.kind == kind]
        cycles = sum(end - begin for begin, end in spans)
        hint = f"{len(spans):,} x {kind}: {cycles:,} cycles between {spans[0][0]:,} and {spans[-1][1]:,}"
        yield Bar(group[0].lane, kind, begin, begin + cycles, "", hint)
        begin += cycles
