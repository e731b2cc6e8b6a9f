"""A run's cycles as a table for the terminal."""

from __future__ import annotations

from vtac.targets.vta.cycles.report import CycleReport, Roof

_CAUSES = {
    "fetch": "instructions",
    "l2g": "tokens from load",
    "g2l": "tokens from compute",
    "s2g": "tokens from store",
    "g2s": "tokens from compute",
    "bus": "the bus",
    "done": "nothing (done)",
}


def _share(amount: int, cycles: int) -> str:
    return f"{amount:,} ({amount / cycles:.1%})"


def _waits(waiting: dict[str, int], cycles: int) -> str:
    """The causes of waiting, the longest first."""
    causes = sorted((item for item in waiting.items() if item[1]), key=lambda item: -item[1])
    return ", ".join(f"{_CAUSES[cause]} {_share(amount, cycles)}" for cause, amount in causes)


def _roof(roof: Roof) -> str:
    return f"{roof.utilisation:.1%} of the roof: {roof.amount:,} {roof.what}, {roof.per_cycle} per cycle at most"


def summary_table(report: CycleReport) -> str:
    """The run as text, lines ended by newlines: each unit's busy and waiting cycles, the bus, and the roofs.

    1,486 cycles on de10

    unit     instructions  busy           waits for
    load                1  2 (0.1%)       nothing (done) 1,441 (97.0%), instructions 43 (2.9%)
    ...
    """
    cycles = report.cycles
    rows = [("unit", "instructions", "busy", "waits for")]
    for unit in report.units.values():
        waits = _waits(dict(unit.waiting), cycles)
        rows.append((unit.name, f"{len(unit.spans):,}", _share(unit.busy, cycles), waits))
    by_client = ", ".join(f"{client} {_share(busy, cycles)}" for client, busy in report.bus_busy.items() if busy)
    rows.append(("bus", "", _share(sum(report.bus_busy.values()), cycles), f"carries {by_client}"))
    left, right, busy = (max(len(row[column]) for row in rows) for column in range(3))
    lines = [f"{name:<{left}}  {count:>{right}}  {share:<{busy}}  {rest}" for name, count, share, rest in rows]
    roofs = [f"{name:<{left}}  {_roof(roof)}" for name, roof in report.roofs.items()]
    head = f"{cycles:,} cycles on {report.timing.board}"
    return "\n".join((head, "", *lines, "", *roofs)) + "\n"
