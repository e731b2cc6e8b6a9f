"""Many cases of one target: run side by side, grouped by signature, the new failures reduced and stored."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.case import FuzzTarget, Payload, draw_case
from fuzz.isolation import Running, receive, start
from fuzz.outcome import Outcome, UnfitError
from fuzz.reduction import reduce_case

KNOWN = Path(__file__).with_name("known_signatures.txt")


@dataclass
class Tally:
    """What a campaign has seen."""

    statuses: Counter[str] = field(default_factory=Counter[str])
    failures: dict[str, list[int]] = field(default_factory=dict[str, "list[int]"])
    reach: Counter[str] = field(default_factory=Counter[str])
    refusals: Counter[str] = field(default_factory=Counter[str])
    slowest: tuple[float, int] = (0.0, -1)
    cases: int = 0

    def add(self, seed: int, outcome: Outcome) -> None:
        self.cases += 1
        self.statuses[outcome.status] += 1
        self.reach.update(outcome.reach)
        if outcome.status == "failed":
            self.failures.setdefault(outcome.signature, []).append(seed)
        if outcome.status == "refused":
            self.refusals[outcome.detail.splitlines()[0][:100] if outcome.detail else ""] += 1
        self.slowest = max(self.slowest, (outcome.seconds, seed))


@dataclass(frozen=True)
class Bounds:
    """Which cases to run: `first` to `first + count - 1`, for at most so many seconds (0: no bound)."""

    first: int
    count: int
    seconds: float = 0.0
    jobs: int = 1


def run_campaign(
    target: FuzzTarget,
    bounds: Bounds,
    show: Callable[[int, Payload, Outcome], None],
    advance: Callable[[int], None],
) -> Tally:
    """Run cases, `bounds.jobs` at a time; `show` gets each case when it ends, `advance` the number that have ended."""
    tally = Tally()
    deadline = time.monotonic() + bounds.seconds if bounds.seconds else None
    waiting = iter(range(bounds.first, bounds.first + bounds.count))
    running: dict[int, tuple[Running, int, Payload]] = {}
    while True:
        while len(running) < bounds.jobs and (deadline is None or time.monotonic() < deadline):
            seed = next(waiting, None)
            if seed is None:
                break
            payload = draw_case(target, seed)
            child = start(lambda payload=payload: judged(target, payload))
            running[child.pid] = (child, seed, payload)
        if not running:
            return tally
        ended, outcome = receive([child for child, _, _ in running.values()])
        _, seed, payload = running.pop(ended.pid)
        tally.add(seed, outcome)
        show(seed, payload, outcome)
        advance(tally.cases)


def judged(target: FuzzTarget, payload: Payload) -> Outcome:
    """The outcome of a drawn case; one that its own generator does not take is the generator's failure."""
    try:
        return target.judge(payload)
    except UnfitError as error:
        return Outcome("failed", f"unfit case: {target.name}", str(error))


def known_signatures(target: str) -> set[str]:
    """Failures of a target that are known and listed, so that a campaign does not end in them again."""
    lines = KNOWN.read_text().splitlines() if KNOWN.is_file() else []
    pairs = (line.partition("\t") for line in lines if line and not line.startswith("#"))
    return {signature for name, _, signature in pairs if name == target}


def store_failures(target: FuzzTarget, tally: Tally, folder: Path, *, reduce: bool) -> Iterator[Path]:
    """Write one reproducer per signature, reduced where `reduce` is set; yields the files."""
    for number, (signature, seeds) in enumerate(sorted(tally.failures.items())):
        payload, trials = draw_case(target, seeds[0]), 0
        if reduce and not signature.startswith("unfit"):
            payload, trials = reduce_case(target, payload, signature)
        path = folder / f"{target.name}_{seeds[0]}_{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        record = {"target": target.name, "seed": seeds[0], "signature": signature, "trials": trials, "payload": payload}
        path.write_text(json.dumps(record, indent=1) + "\n")
        yield path


def table(target: FuzzTarget, tally: Tally, known: set[str]) -> str:
    """The campaign in lines for a terminal."""
    counts = ", ".join(f"{tally.statuses[status]:,} {status}" for status in ("accepted", "refused", "failed"))
    lines = [
        f"{target.name}: {tally.cases:,} cases, {counts}; slowest {tally.slowest[0]:.1f} s (seed {tally.slowest[1]})"
    ]
    for signature, seeds in sorted(tally.failures.items()):
        mark = "known" if signature in known else "NEW"
        lines.append(f"  {mark:<5} {len(seeds):>5} x {signature} (first: seed {seeds[0]})")
    return "\n".join(lines)


def reach_table(tally: Tally, expected: tuple[str, ...] = ()) -> str:
    """In how many cases each pass or directive changed something; those expected and never reached count 0."""
    counts = dict.fromkeys(expected, 0) | dict(tally.reach)
    return "\n".join(f"  {count:>6} {name}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))


def progress(total: int, label: str) -> Callable[[int], None]:
    """A line on stderr that is redrawn on a terminal, and written now and then elsewhere."""
    last = 0.0

    def advance(done: int) -> None:
        nonlocal last
        now, terminal = time.monotonic(), sys.stderr.isatty()
        if done < total and now - last < (0.2 if terminal else 30):
            return
        last = now
        text = f"{label}: {done:,} of {total:,}"
        if terminal:
            print(f"\r{text}", end="\n" if done == total else "", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)

    return advance
