"""The command line of the campaign: `vtac fuzz TARGET --seed N --count M --seconds S --jobs J`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from fuzz.campaign import (
    Bounds,
    known_signatures,
    progress,
    reach_table,
    run_campaign,
    store_failures,
    table,
)
from fuzz.case import FuzzTarget, Payload
from fuzz.isolation import isolated
from fuzz.outcome import Outcome
from fuzz.targets import TARGETS, fuzz_target
from vtac.tools.entry import ToolParser, UsageError

_EXAMPLE = "example:\n  vtac fuzz linalg --seed 0 --count 200 --jobs 2"


class Options(argparse.Namespace):
    target: str
    seed: int
    count: int
    seconds: float
    jobs: int
    save: str
    reduce: bool
    reach: bool
    quiet: bool
    replay: str | None


def main(arguments: Sequence[str]) -> int:
    """Runs a campaign; 1 when a failure has a signature that is not known."""
    options = _parse(arguments)
    if options.replay is not None:
        return _replay(Path(options.replay))
    names = TARGETS if options.target == "all" else (options.target,)
    return max(_attack(fuzz_target(name), options) for name in names)


def _attack(target: FuzzTarget, options: Options) -> int:
    def show(seed: int, payload: Payload, outcome: Outcome) -> None:
        if not options.quiet:
            print(json.dumps({"target": target.name, "seed": seed, **outcome.to_json()}), flush=True)

    bounds = Bounds(options.seed, options.count, options.seconds, options.jobs)
    tally = run_campaign(target, bounds, show, progress(options.count, target.name))
    known = known_signatures(target.name)
    print(table(target, tally, known), file=sys.stderr)
    if options.reach:
        print(reach_table(tally), file=sys.stderr)
    for path in store_failures(target, tally, Path(options.save), reduce=options.reduce):
        print(f"  reproducer: {path}", file=sys.stderr)
    return int(bool(set(tally.failures) - known))


def _replay(path: Path) -> int:
    record = cast("dict[str, object]", json.loads(path.read_text()))
    target = fuzz_target(cast(str, record["target"]))
    outcome = isolated(lambda: target.judge(cast(Payload, record["payload"])))
    print(json.dumps({"target": target.name, **outcome.to_json()}))
    return int(outcome.status == "failed")


def _parse(arguments: Sequence[str]) -> Options:
    parser = ToolParser("vtac fuzz", "Attacks the compiler with random cases, one process each.", _EXAMPLE)
    parser.add_argument("target", metavar="TARGET", help=f"one of {', '.join(TARGETS)}, or all")
    parser.add_argument("--seed", type=int, default=0, help="number of the first case (default: 0)")
    parser.add_argument("--count", type=int, default=100, help="cases (default: 100)")
    parser.add_argument(
        "--seconds", type=float, default=0.0, help="start no case after so many seconds (default: no bound)"
    )
    parser.add_argument("--jobs", type=int, default=1, help="cases at a time (default: 1)")
    parser.add_argument(
        "--save", metavar="DIR", default="build/fuzz", help="where reproducers go (default: build/fuzz)"
    )
    parser.add_argument(
        "--no-reduce", dest="reduce", action="store_false", help="store failing cases as they were drawn"
    )
    parser.add_argument("--reach", action="store_true", help="count what the cases reached")
    parser.add_argument("--quiet", action="store_true", help="no line per case on stdout")
    parser.add_argument("--replay", metavar="FILE", help="judge one stored case instead")
    options = Options()
    parser.parse(arguments, options)
    if options.target != "all" and options.target not in TARGETS:
        raise UsageError(f"no fuzz target '{options.target}'; the targets are {', '.join(TARGETS)} and all")
    for name, value, least in (
        ("--count", options.count, 1),
        ("--jobs", options.jobs, 1),
        ("--seconds", options.seconds, 0),
    ):
        if value < least:
            raise UsageError(f"{name} is {value}; at least {least} is required")
    return options
