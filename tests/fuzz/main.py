"""The command line of the campaign: `vtac fuzz TARGET --seed N --count M --seconds S --jobs J`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["VTAC_CACHE_DIR"] = "off"  # what is attacked compiles, and the user's cache is not emptied

from fuzz.campaign import Bounds, Case, Tally, run_cases, shares, unwatched
from fuzz.case import FuzzTarget
from fuzz.guided import ENTRIES, run_guided
from fuzz.isolation import isolated
from fuzz.reach import expected_reach, reach_by_kind, reach_tables, watching
from fuzz.report import campaign_table, failure_lines, progress
from fuzz.storage import known_signatures, store_failures, stored_case
from fuzz.targets import TARGETS, fuzz_target
from fuzz.warm import warm
from vtac.tools.entry import ToolParser, UsageError

_GUIDED_SECONDS = 60
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
    guided: bool
    replay: str | None


def main(arguments: Sequence[str]) -> int:
    """Runs a campaign; 1 when a failure has a signature that is not known."""
    options = _parse(arguments)
    with tempfile.TemporaryDirectory(prefix="vtac-fuzz-") as scratch:
        tempfile.tempdir = scratch  # what a killed case leaves behind goes with the campaign
        try:
            if options.guided:
                return _guide(options)
            return _replay(Path(options.replay)) if options.replay is not None else _attack(options)
        finally:
            tempfile.tempdir = None


def _guide(options: Options) -> int:
    seconds = int(options.seconds) or _GUIDED_SECONDS
    try:
        return run_guided(options.target, Path(options.save), seconds=seconds, seed=options.seed)
    except LookupError as error:
        raise UsageError(str(error.args[0])) from None


def _attack(options: Options) -> int:
    counts = shares(options.count, TARGETS) if options.target == "all" else {options.target: options.count}
    targets = {name: fuzz_target(name) for name in counts}
    if options.reach:
        expected_reach()  # what is read once for all cases
    warm(targets.values())
    tallies = _run(targets, counts, options)
    print(campaign_table(tallies), file=sys.stderr)
    if options.reach:
        _report_reach(tallies, Path(options.save))
    return max([_report(targets[name], tally, options) for name, tally in tallies.items()])


def _run(targets: dict[str, FuzzTarget], counts: dict[str, int], options: Options) -> dict[str, Tally]:
    tallies = {name: Tally() for name in counts}
    total = sum(counts.values())
    advance, done, failed = progress(total), 0, 0
    bounds = Bounds(options.jobs, options.seconds, watching if options.reach else unwatched)
    for case, outcome in run_cases(_cases(targets, counts, options.seed), bounds):
        name = case.target.name
        tallies[name].add(case.seed, outcome)
        done, failed = done + 1, failed + (outcome.status == "failed")
        if not options.quiet:
            print(json.dumps({"target": name, "seed": case.seed, **outcome.to_json()}), flush=True)
        advance(done, failed)
    return tallies


def _cases(targets: dict[str, FuzzTarget], counts: dict[str, int], first: int) -> Iterator[Case]:
    """All cases, those of the targets in turns, so that a bound on time cuts all of them alike."""
    total = max(counts.values())
    for step in range(total):
        for name, count in counts.items():
            before, after = step * count // total, (step + 1) * count // total
            yield from (Case(targets[name], first + number) for number in range(before, after))


def _report(target: FuzzTarget, tally: Tally, options: Options) -> int:
    known = known_signatures(target.name)
    for line in failure_lines(target.name, tally, known):
        print(line, file=sys.stderr)
    for path in store_failures(target, tally, Path(options.save), reduce=options.reduce):
        print(f"  reproducer: {path}", file=sys.stderr)
    return int(bool(set(tally.failures) - known))


def _report_reach(tallies: dict[str, Tally], folder: Path) -> None:
    found = reach_by_kind({name: tally.reach for name, tally in tallies.items()})
    print(reach_tables(found), file=sys.stderr)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "reach.json"
    path.write_text(json.dumps(found, indent=1) + "\n")
    print(f"reach of each name by target: {path}", file=sys.stderr)


def _replay(path: Path) -> int:
    target, payload = stored_case(path)
    outcome = isolated(lambda: target.judge(payload))
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
    parser.add_argument(
        "--reach",
        action="store_true",
        help="count the passes, directives, operations and refusals that cases reached: tables, and reach.json in DIR",
    )
    parser.add_argument(
        "--guided",
        action="store_true",
        help=f"let coverage guide the bytes of {', '.join(ENTRIES)}, for --seconds (default: {_GUIDED_SECONDS})",
    )
    parser.add_argument("--quiet", action="store_true", help="no line per case on stdout")
    parser.add_argument("--replay", metavar="FILE", help="judge one stored case instead")
    options = Options()
    parser.parse(arguments, options)
    if options.guided and options.target not in ENTRIES:
        raise UsageError(f"--guided is for {', '.join(ENTRIES)}, not for '{options.target}'")
    if not options.guided and options.target != "all" and options.target not in TARGETS:
        raise UsageError(f"no fuzz target '{options.target}'; the targets are {', '.join(TARGETS)} and all")
    for name, value, least in (
        ("--count", options.count, 1),
        ("--jobs", options.jobs, 1),
        ("--seconds", options.seconds, 0),
    ):
        if value < least:
            raise UsageError(f"{name} is {value}; at least {least} is required")
    return options
