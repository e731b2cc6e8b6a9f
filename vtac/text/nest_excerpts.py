"""A loop nest for a message: the lines around those that are marked, and no line longer than a terminal's."""

from __future__ import annotations

from vtac.text.loop_nest import HERE

_WIDTH = 110
"""Characters of a line that are shown."""
_MOST = 18
"""Lines that are shown, so that the message above them stays in sight."""


def nest_around(nest: str) -> str:
    """The first line of a nest, the marked ones and the loops around them, then what is next to these.

    `nest` is what `nest_text` gives. Other lines are counted. What a line has beyond the width is cut; its mark stays.
    """
    lines = nest.splitlines()
    kept = sorted(_chosen(lines))
    shown: list[str] = []
    for before, place in zip([-1, *kept], kept, strict=False):
        shown += [*_gap(place - before - 1), _cut(lines[place])]
    return "\n".join([*shown, *_gap(len(lines) - 1 - kept[-1])])


def _chosen(lines: list[str]) -> set[int]:
    """The places of the lines that are shown, at most so many of them."""
    marked = [place for place, line in enumerate(lines) if line.endswith(HERE)] or [0]
    wanted = [0, *marked, *(outer for place in marked for outer in _around(lines, place))]
    wanted += sorted(range(len(lines)), key=lambda place: min(abs(place - one) for one in marked))
    return set(list(dict.fromkeys(wanted))[:_MOST])


def _around(lines: list[str], place: int) -> list[int]:
    """The loops around a line, innermost first."""
    found: list[int] = []
    depth = _depth(lines[place])
    for outer in range(place - 1, 0, -1):
        if _depth(lines[outer]) < depth and lines[outer].lstrip().startswith("for "):
            found.append(outer)
            depth = _depth(lines[outer])
    return found


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _gap(count: int) -> list[str]:
    return [f"  ... {count} more line{'' if count == 1 else 's'}"] if count else []


def _cut(line: str) -> str:
    """A line of at most the width, and its mark."""
    text, mark = (line.removesuffix(HERE), HERE) if line.endswith(HERE) else (line, "")
    return f"{text if len(text) <= _WIDTH else text[: _WIDTH - 3] + '...'}{mark}"
