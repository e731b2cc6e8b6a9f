"""`vtac explore`: which machine for these networks, with exact cycles."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from vtac.dialects.hardware import VTAConfig
from vtac.progress import Bar
from vtac.tools.entry import FAILURE, TerminatedError, ToolParser, UsageError, print_failure
from vtac.tools.output import report, write_file
from vtac.tools.output_paths import refuse_stdout, require_outputs

if TYPE_CHECKING:
    from vtac.store.store import Store
    from vtac.targets.vta.exploring.sensitivity import Change
    from vtac.targets.vta.exploring.sweep import Sweep

_TASKS = 3
"""Tasks that a simulation tries."""

_EXAMPLE = """example:
  vtac explore net.mlir --where "BLOCK in (16, 32) and sram_kib <= 512" --store sweep.db --csv points.csv
  vtac explore net.mlir other.mlir --vary latency --vary bus_bits --json
  vtac explore net.mlir --where "BLOCK == 16 and wgt_kib <= 256" --report sweep.html --plot sweep.svg --sensitivity

Dimensions that --where or --vary name are swept over their legal values, the others are those of --config: BATCH,
BLOCK (or BLOCK_IN and BLOCK_OUT), uop_kib, inp_kib, wgt_kib, acc_kib, bus_bits, burst_beats, bursts, latency,
queue_depth, and sram_kib and multipliers, which follow. With neither, BLOCK and the memories are swept together.
docs/exploring.md says what each point is.
"""


class Options(argparse.Namespace):
    """The options, typed."""

    sources: list[str]
    where: str | None = None
    vary: list[str]
    config: str | None = None
    executor: str = "local"
    store: str | None = None
    retry_crashed: bool = False
    energy: str | None = None
    own_tilings: bool = False
    prune: bool = False
    most: int = 2000
    csv: str | None = None
    plot: str | None = None
    report: str | None = None
    x: str | None = None
    y: str | None = None
    sensitivity: bool = False
    simulate_workers: int | None = None
    points: int | None = None
    json: bool = False


def main(arguments: Sequence[str]) -> int:
    """Explores, writes what was asked for, and prints the front as a table, or everything as JSON.

    Raises `UsageError` for options that do not go together, other `VtacError`s for what cannot be explored. Where no
    machine can run the networks a message says why, in place of the table, and the status is 1.
    """
    from vtac.store.store import Store

    options = _parse(arguments)
    _check(options)
    if options.simulate_workers is not None:
        _simulate(options, options.simulate_workers)
        return 0
    with ExitStack() as stack:
        store = None if options.store is None else stack.enter_context(Store(options.store))
        bar = Bar()
        stack.callback(bar.close)
        try:
            sweep, changes = _explored(options, store, bar)
        except (KeyboardInterrupt, TerminatedError):
            if store is not None:
                print(f"{len(store):,} points are kept in {store.path}: the same command goes on", file=sys.stderr)
            raise
    failure = sweep.failure
    try:
        _write(options, sweep, changes)
    finally:  # what cannot be written must not take the result with it
        if options.json:
            error = {} if failure is None else {"error": failure.to_fields()}
            changed = {"sensitivity": [vars(change) for change in changes]}
            report(json.dumps({**sweep.to_json(), **changed, **error}) + "\n")
        elif failure is None:
            report(str(sweep) + "".join(f"{change}\n" for change in changes))
    if failure is not None:
        print_failure("vtac", failure, debug=False)
    return 0 if failure is None else FAILURE


def _parse(arguments: Sequence[str]) -> Options:
    parser = ToolParser("vtac explore", "Sweeps over configurations of the VTA for one or several networks.", _EXAMPLE)
    add = parser.add_argument
    add("sources", metavar="FILE", nargs="+", help="MLIR text of a network; its schedules are left aside")
    add("--where", metavar="EXPR", help="the condition that configurations meet")
    add("--vary", metavar="NAME", action="append", default=[], help="sweep this dimension, too")
    add("--config", metavar="FILE", help="vta_config.json for what is not swept (default: the default one)")
    add("--executor", metavar="E", help="local (a process for each core, the default), local:N or dask:ADDRESS")
    add("--store", metavar="FILE.db", help="keeps every point; a sweep goes on where it was")
    add("--retry-crashed", action="store_true", help="try again what the store has as crashed, timed out or failed")
    add("--energy", metavar="TABLE.json", help="energies and areas (default: 45 nm, see docs/exploring.md)")
    add("--own-tilings", action="store_true", help="search tilings for every configuration, as vtac compile does")
    add("--prune", action="store_true", help="leave out what a bound proves no better in cycles and SRAM; say which")
    add("--most", type=int, metavar="N", help="configurations that are allowed (default 2,000)")
    add("--csv", metavar="FILE.csv", help="write all points")
    add("--plot", metavar="FILE.svg", help="draw the points and their front (extra plot)")
    add("--report", metavar="FILE.html", help="write plots and points as a page (extra report)")
    measures = ("cycles", "bytes", "sram_bytes", "multipliers", "energy", "area")
    add("--x", choices=measures, help="--plot: the measure along (default cycles)")
    add("--y", choices=measures, help="--plot: the measure upwards (default sram_bytes)")
    add("--sensitivity", action="store_true", help="say what one change of each point of the front would give")
    add(
        "--simulate-workers",
        type=int,
        metavar="N",
        help="forecast up to N workers from three tasks, or from --store's times",
    )
    add("--points", type=int, metavar="N", help="--simulate-workers: points of the sweep (default: those it has)")
    add("--json", action="store_true", help="print all points as one JSON object")
    options = Options()
    parser.parse(arguments, options)
    return options


def _simulate(options: Options, workers: int) -> None:
    """Prints what a sweep would take on up to so many workers."""
    from vtac.store.store import Store
    from vtac.targets.vta.exploring.entry import recorded_sample, sample_jobs
    from vtac.targets.vta.exploring.scaling import forecast_json, forecast_table, forecasts, measure_overheads
    from vtac.targets.vta.tuning.entry import working

    base = None if options.config is None else VTAConfig.from_json(options.config)
    sources = [Path(source) for source in options.sources]
    share = not options.own_tilings
    sweep = sources, options.where, options.vary, base
    if options.store is None:
        sample = sample_jobs(*sweep, _TASKS, share=share, most=options.most)
    else:
        if not Path(options.store).is_file():
            raise UsageError(f"there is no store '{options.store}': sweep with --store {options.store} first")
        with Store(options.store) as store:
            sample = recorded_sample(*sweep, store, share=share, most=options.most)
    with working(options.executor) as executor:
        overheads = measure_overheads(sample.jobs, executor, share=share, seconds=sample.seconds)
    points = options.points or sample.points
    found = forecasts(points, workers, overheads)
    if options.json:
        report(json.dumps(forecast_json(points, found, overheads)) + "\n")
    else:
        report(forecast_table(points, found, overheads))


def _check(options: Options) -> None:
    """Before anything is computed. Raises `VtacError` for what could not be written then, or would say nothing."""
    if options.plot is None and (options.x, options.y) != (None, None):
        raise UsageError("--x and --y choose what a picture shows: add --plot FILE.svg")
    if options.plot is not None and (options.x or "cycles") == (options.y or "sram_bytes"):
        raise UsageError(
            f"--x and --y are both {options.x or 'cycles'}: a picture shows two measures; choose another one"
        )
    if options.prune and {options.x or "cycles", options.y or "sram_bytes"} != {"cycles", "sram_bytes"}:
        raise UsageError(
            "--prune leaves out points by cycles and SRAM, which other measures may need: drop it, or --x and --y"
        )
    if options.retry_crashed and options.store is None:
        raise UsageError("--retry-crashed is for what a store holds: add --store FILE.db")
    if options.most < 1:
        raise UsageError(f"--most {options.most} allows no configuration; at least 1 is required")
    if options.simulate_workers is None and options.points is not None:
        raise UsageError("--points is for --simulate-workers; --most bounds a sweep, --where and --vary choose it")
    if options.simulate_workers is not None:
        _check_simulation(options, options.simulate_workers)
    if options.plot is not None:
        from vtac.report.front_plot import require_plot

        require_plot(options.plot)
    if options.report is not None:
        from vtac.report.page.document import require_extra

        require_extra()
    outputs = [("--csv", options.csv), ("--plot", options.plot), ("--report", options.report)]
    refuse_stdout(outputs, "stdout gets the table, or the object of --json")
    require_outputs([*outputs, ("--store", options.store)], [*options.sources, options.config, options.energy])


def _check_simulation(options: Options, workers: int) -> None:
    """Raises `UsageError` for numbers below 1, and for options about points, of which a simulation has none."""
    if workers < 1 or (options.points is not None and options.points < 1):
        raise UsageError("--simulate-workers and --points count from 1 on")
    given = {
        "--csv": options.csv,
        "--plot": options.plot,
        "--report": options.report,
        "--energy": options.energy,
        "--sensitivity": options.sensitivity or None,
        "--prune": options.prune or None,
    }
    names = [name for name, value in given.items() if value is not None]
    if names:
        raise UsageError(
            f"{', '.join(names)} and --simulate-workers exclude each other: a simulation has no points to write or "
            "compare; leave one of them out"
        )


def _explored(options: Options, store: Store | None, bar: Bar) -> tuple[Sweep, list[Change]]:
    from vtac.targets.vta.exploring.entry import explore
    from vtac.targets.vta.exploring.sensitivity import sensitivity

    sources = [Path(source) for source in options.sources]
    sweep = explore(
        sources,
        where=options.where,
        vary=options.vary,
        base=None if options.config is None else VTAConfig.from_json(options.config),
        executor=options.executor,
        store=store,
        energy=options.energy,
        share=not options.own_tilings,
        most=options.most,
        prune=options.prune,
        progress=bar,
        retry_crashed=options.retry_crashed,
    )
    if not options.sensitivity or not sweep.good:
        return sweep, []
    return sweep, sensitivity(sources, sweep.pareto(), executor=options.executor, store=store, progress=bar)


def _write(options: Options, sweep: Sweep, changes: Sequence[Change]) -> None:
    if options.csv is not None:
        sweep.to_csv(options.csv)
    if options.plot is not None:
        sweep.plot(options.plot, options.x or "cycles", options.y or "sram_bytes")
    if options.report is not None:
        from vtac.report.page.exploration import exploration_page

        write_file(exploration_page(sweep, changes).encode(), options.report)
