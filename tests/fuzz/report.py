"""A campaign on the terminal: a line that advances, and tables."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping

from fuzz.campaign import Tally

_STATUSES = ("accepted", "refused", "failed")
_REDRAWN_EACH = 0.2


def campaign_table(tallies: Mapping[str, Tally]) -> str:
    """One row per target, in Markdown, so that it can stand in a document."""
    rows = [("target", "cases", *_STATUSES, "CPU seconds", "slowest case")]
    rows += [(name, *_cells(tally)) for name, tally in tallies.items()]
    if len(tallies) > 1:
        rows.append(("all", *_cells(_sum(tallies.values()))[:-1], ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = [
        " | ".join(cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(cells))
        for cells in (tuple(zip(row, widths, strict=True)) for row in rows)
    ]
    rule = "|".join("-" * (width + 1) + (":" if place else "-") for place, width in enumerate(widths))
    return "\n".join([f"| {aligned[0]} |", f"|{rule}|", *(f"| {line} |" for line in aligned[1:])])


def _cells(tally: Tally) -> tuple[str, ...]:
    counts = (f"{tally.statuses[status]:,}" for status in _STATUSES)
    seconds, seed = tally.slowest
    return f"{tally.cases:,}", *counts, f"{tally.seconds:,.0f}", f"{seconds:.1f} s (seed {seed})"


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.statuses.update(tally.statuses)
        total.seconds += tally.seconds
    return total


def failure_lines(name: str, tally: Tally, known: set[str]) -> list[str]:
    """One line per signature: whether it is known, how many cases, the first of them."""
    lines: list[str] = []
    for signature, seeds in sorted(tally.failures.items()):
        mark = "known" if signature in known else "NEW"
        lines.append(f"  {mark:<5} {len(seeds):>5} x {name}: {signature} (first: seed {seeds[0]})")
    return lines


def progress(total: int) -> Callable[[int, int], None]:
    """Draws a bar on stderr for the cases that are done, and those that failed; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        return lambda done, failed: None
    begin, last = time.monotonic(), 0.0

    def advance(done: int, failed: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done < total and now - last < _REDRAWN_EACH:
            return
        last = now
        print(
            f"\r{bar(done, total, failed, now - begin)}", end="\n" if done == total else "", file=sys.stderr, flush=True
        )

    return advance


def bar(done: int, total: int, failed: int, seconds: float, width: int = 30) -> str:
    """`[####....] 120 of 2,000, 1 failed, 3:05 left`."""
    filled = width * done // total
    left = int(seconds * (total - done) / done) if done else 0
    parts = [f"{done:,} of {total:,}", *([f"{failed:,} failed"] if failed else []), f"{left // 60}:{left % 60:02} left"]
    return f"[{'#' * filled}{'.' * (width - filled)}] {', '.join(parts)}  "
