"""Two lists of lines aligned: what is equal, what one has and the other has not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_MOST_ALIGNED = 3000
"""Lines between the first and the last difference that are aligned; more are compared place by place."""


@dataclass(frozen=True)
class Change:
    """Lines `first` to `end` of one list stand where the other has lines `other_first` to `other_end`."""

    first: int
    end: int
    other_first: int
    other_end: int


def changes(ours: Sequence[str], theirs: Sequence[str]) -> list[Change]:
    """Where two lists differ, in order; equal lists have no changes."""
    begin = _common(ours, theirs)
    tail = _common(list(reversed(ours[begin:])), list(reversed(theirs[begin:])))
    left, right = ours[begin : len(ours) - tail], theirs[begin : len(theirs) - tail]
    if max(len(left), len(right)) > _MOST_ALIGNED:
        return list(_by_place(left, right, begin))
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    return [
        Change(begin + first, begin + end, begin + other_first, begin + other_end)
        for kind, first, end, other_first, other_end in matcher.get_opcodes()
        if kind != "equal"
    ]


def _common(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """How many lines both begin with."""
    pairs = zip(ours, theirs, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(ours), len(theirs)))


def _by_place(ours: Sequence[str], theirs: Sequence[str], begin: int) -> Iterator[Change]:
    shared = min(len(ours), len(theirs))
    first = None
    for at in range(shared + 1):
        differs = at < shared and ours[at] != theirs[at]
        if differs and first is None:
            first = at
        elif not differs and first is not None and at < shared:
            yield Change(begin + first, begin + at, begin + first, begin + at)
            first = None
    first = shared if first is None else first
    if first < max(len(ours), len(theirs)):
        yield Change(begin + first, begin + len(ours), begin + first, begin + len(theirs))
