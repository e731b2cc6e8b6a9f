"""`vtac tune`: searches a better schedule, on this machine or a cluster, and says how far from the best it may be."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, cast

from vtac.dialects.hardware import VTAConfig
from vtac.progress import Bar
from vtac.tools.commands.compile_program import add_function_argument
from vtac.tools.commands.programs import parse_program
from vtac.tools.entry import FAILURE, TerminatedError, ToolParser, UsageError, print_failure
from vtac.tools.output import report, write_file
from vtac.tools.output_paths import refuse_stdout, require_outputs

if TYPE_CHECKING:
    from vtac.targets.vta.tuning.result import TuneResult
    from vtac.targets.vta.tuning.search import Objective

_EXAMPLE = """example:
  vtac tune examples/vta_conv2d.mlir --budget 60s --store tune.db
  vtac tune net.mlir --budget 2000 --executor local:8 --store tune.db -o schedule.mlir
  vtac run net.mlir --schedules tune.db
  vtac tune net.mlir --budget 2000 --measure ssh://xilinx@pynq,ssh://xilinx@pynq2 --store tune.db -o schedule.mlir
  vtac tune net.mlir --executor dask:tcp://head:8786 --objective pareto --plot front.svg

A budget is time (60s, 5m, 1h) or a number of tilings (500); without one the whole space is searched. A number of
tilings gives the same result on any number of workers, and after any interruption. With --store the same command goes
on where it was. docs/tuning.md says what is searched and what the statement at the end proves.
"""


class Options(argparse.Namespace):
    """The options, typed."""

    source: str
    config: str | None = None
    function: str | None = None
    budget: str | None = None
    objective: Objective = "cycles"
    executor: str = "local"
    store: str | None = None
    retry_crashed: bool = False
    export: str | None = None
    output: str | None = None
    plot: str | None = None
    measure: str | None = None
    json: bool = False


def main(arguments: Sequence[str]) -> int:
    """Tunes, writes what was asked for, and prints a table or JSON.

    Raises `UsageError` for options that do not go together, other `VtacError`s for what cannot be tuned. Where there is
    nothing to tune a message says why, in place of the table; no file is written but a store, and the status is 1.
    """
    from vtac.report.front_plot import require_plot
    from vtac.store.store import Store

    options = _parse(arguments)
    if options.export is not None and options.store is None:
        raise UsageError("--export writes what a store holds: add --store FILE.db")
    if options.retry_crashed and options.store is None:
        raise UsageError("--retry-crashed is for what a store holds: add --store FILE.db")
    outputs = [("-o", options.output), ("--export", options.export), ("--plot", options.plot)]
    refuse_stdout(outputs, "stdout gets the table, or the object of --json")
    require_outputs([*outputs, ("--store", options.store)], [options.source, options.config])
    if options.plot is not None:
        require_plot(options.plot)
    with ExitStack() as stack:
        store = None if options.store is None else stack.enter_context(Store(options.store))
        found = _tuned(options, store)
        if store is not None and options.export is not None:
            write_file(store.to_json().encode(), options.export)
    if found.failure is not None:
        if options.json:
            report(f"{json.dumps({**found.to_json(), 'error': found.failure.to_fields()})}\n")
        print_failure("vtac", found.failure, options.source, debug=False)
        return FAILURE
    try:
        if options.output is not None:
            write_file(found.schedule.encode(), options.output)
        if options.plot is not None:
            _draw(found, options.plot)
    finally:  # what cannot be written must not take the result with it
        report(f"{json.dumps(found.to_json())}\n" if options.json else str(found))
    return 0


def _parse(arguments: Sequence[str]) -> Options:
    parser = ToolParser("vtac tune", "Searches a better schedule for the VTA than the default one.", _EXAMPLE)
    add = parser.add_argument
    add("source", metavar="FILE", help="MLIR text; a script in it is left aside")
    add("--config", metavar="FILE", help="vta_config.json; default: the module's, else the default")
    add("--budget", metavar="B", help="time such as 60s, or a number of tilings; default: the whole space")
    add("--objective", choices=("cycles", "bytes", "pareto"), help="what is to be least (default cycles)")
    add("--executor", metavar="E", help="local (a process for each core, the default), local:N or dask:ADDRESS")
    add("--measure", metavar="URL,...", help="run the best tilings on devices ('vtac devices list'), take the fastest")
    add("--store", metavar="FILE.db", help="keeps what became of every tiling; a search goes on where it was")
    add("--retry-crashed", action="store_true", help="try again what the store has as crashed, timed out or failed")
    add("--export", metavar="FILE.json", help="write all that the store holds")
    add("-o", "--output", metavar="FILE", help="write the schedule, for --schedule of other commands")
    add("--plot", metavar="FILE.svg", help="draw the front of cycles and bytes (extra plot)")
    add("--json", action="store_true", help="print the result as one JSON object")
    add_function_argument(parser)
    options = Options()
    parser.parse(arguments, options)
    return options


def _tuned(options: Options, store: object) -> TuneResult:
    from vtac.store.store import Store
    from vtac.targets.vta.tuning.entry import tune

    config = None if options.config is None else VTAConfig.from_json(options.config)
    module = parse_program(options.source, options.function)
    bar = Bar()
    try:
        return tune(
            module,
            config,
            executor=options.executor,
            store=cast("Store | None", store),
            budget=options.budget,
            objective=options.objective,
            progress=bar,
            measure=options.measure,
            retry_crashed=options.retry_crashed,
        )
    except (KeyboardInterrupt, TerminatedError):
        if isinstance(store, Store):
            print(f"{len(store):,} outcomes are kept in {store.path}: the same command goes on", file=sys.stderr)
        raise
    finally:
        bar.close()


def _draw(found: TuneResult, path: str) -> None:
    from vtac.report.front_plot import Spot, plot_front

    spots = [Spot(f"{cycles:,} / {nbytes:,}", cycles, nbytes) for cycles, nbytes in found.front]
    plot_front(spots, "cycles", "bytes of DRAM", f"Tilings: {found.statement}", Path(path))
