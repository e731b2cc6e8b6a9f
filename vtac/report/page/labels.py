"""Labels of points in a drawing, each where it covers no point and no other label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import hypot

Box = tuple[float, float, float, float]
Place = tuple[float, float, str, float]
"""Where a label stands, its anchor, and its left edge."""

_STEP = 4
"""Pixels of a line between two places that are looked at."""

_GAP = 6
"""Pixels between two labels on a line, which else read as one."""

LETTER, LINE = 7.4, 13
"""About the width of a capital and the height of a line of 12 pixels."""


@dataclass
class Labels:
    """The room inside of a frame, and what of it is taken."""

    frame: Box
    taken: list[Box]
    labels: list[Box] = field(default_factory=list[Box])

    def place(self, candidates: Iterable[tuple[str, Place]]) -> tuple[int, str, Place] | None:
        """The first of several labels and places that is free, with its number; its room is taken from then on."""
        for number, (label, place) in enumerate(candidates):
            box = _box(place[3], place[1], label)
            if _lies_in(box, self.frame) and self._is_free(box):
                self.taken.append(box)
                self.labels.append(box)
                return number, label, place
        return None

    def _is_free(self, box: Box) -> bool:
        wide = box[0] - _GAP, box[1], box[2] + _GAP, box[3]
        return not any(_overlap(box, other) for other in self.taken) and not any(
            _overlap(wide, other) for other in self.labels
        )


def around(spots: Sequence[tuple[float, float]]) -> list[Box]:
    """What points take themselves."""
    return [(x - 6, y - 6, x + 6, y + 6) for x, y in spots]


def along(spots: Sequence[tuple[float, float]]) -> list[Box]:
    """What a line through points takes."""
    found: list[Box] = []
    for (x, y), (to_x, to_y) in pairwise(spots):
        steps = 1 + int(hypot(to_x - x, to_y - y) / _STEP)
        for step in range(steps + 1):
            at, up = x + (to_x - x) * step / steps, y + (to_y - y) * step / steps
            found.append((at - 1, up - 1, at + 1, up + 1))
    return found


def beside(x: float, y: float, label: str) -> tuple[Place, ...]:
    """The eight places at a point, the better ones first."""
    width = LETTER * len(label)
    return (
        (x + 9, y + 4, "start", x + 9),
        (x - 9, y + 4, "end", x - 9 - width),
        (x, y - 10, "middle", x - width / 2),
        (x, y + 18, "middle", x - width / 2),
        (x + 7, y - 8, "start", x + 7),
        (x + 7, y + 16, "start", x + 7),
        (x - 7, y - 8, "end", x - 7 - width),
        (x - 7, y + 16, "end", x - 7 - width),
    )


def _box(left: float, baseline: float, name: str) -> Box:
    return left, baseline - LINE + 3, left + LETTER * len(name), baseline + 3


def _lies_in(box: Box, frame: Box) -> bool:
    return box[0] > frame[0] and box[1] > frame[1] and box[2] < frame[2] and box[3] < frame[3]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
