"""`vtac run`: executes a program file or a saved program, and says what came out and what it cost."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from vtac.targets.target import Target
from vtac.targets.vta.cycles import simulate_cycles, summary_table
from vtac.targets.vta.programs.arrays import Array
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.tools.commands.arrays import random_arrays, read_arrays, write_arrays
from vtac.tools.commands.compile_program import add_compile_arguments
from vtac.tools.commands.ir_levels import IrOptions, show_ir
from vtac.tools.commands.programs import compile_file, load_program
from vtac.tools.commands.target_options import target_of
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.output import report, write_file

_EXAMPLE = """example:
  vtac run examples/vta_matmul.mlir --seed 1 --stats stats.json
  vtac run build/conv2d --inputs x.npz --outputs y.npz --trace trace.json

The keys of an archive are argument names, else in_* and out_* in order. Without --inputs the
arguments are random.
"""


class Options(IrOptions):
    """The options, typed."""

    target: str | None = None
    config: str | None = None
    no_host: bool = False
    device: str = "cpu"
    inputs: str | None = None
    outputs: str | None = None
    stats: str | None = None
    trace: str | None = None
    timeline: str | None = None
    dump: str | None = None
    seed: int = 0
    low: int | None = None
    high: int | None = None
    progress: bool = False
    arch: str | None = None
    blocks: int | None = None
    check: bool = False


def main(arguments: Sequence[str]) -> int:
    """Runs the program once; results go to stdout and to the files that were asked for."""
    options = _parse(arguments)
    target = target_of(options)
    _check_files(options)
    _refuse_for_saved(options)
    show_ir(options, target)
    return RUNNERS.get(target.name, _run_any)(options, target)


def _run_cuda(options: Options, _target: Target) -> int:
    from vtac.tools.commands.run_cuda import run_cuda

    return run_cuda(options)


def _run_any(options: Options, target: Target) -> int:
    from vtac.tools.commands.run_any import run_any

    return run_any(options, target)


def _run_vta(options: Options, _target: Target) -> int:
    program = _program(options)
    if options.inputs is not None:
        inputs = read_arrays(options.inputs, program.arguments)
    else:
        inputs = random_arrays(program.arguments, options.seed, options.low, options.high)
    outputs = _execute(program, inputs, shows_progress=options.progress)
    _write_files(options, program, inputs, outputs)
    summary = f"{_table(program.stats, outputs)}\n{_cycle_tables(program)}"
    if options.stats == "-":
        report(_stats_text(program))
        print(summary, end="", file=sys.stderr)
    else:
        report(summary)
    return 0


def _parse(arguments: Sequence[str]) -> Options:
    parser = ToolParser("vtac run", "Compiles a program, or loads a saved one, and executes it.", _EXAMPLE)
    add_compile_arguments(parser)
    add = parser.add_argument
    add("--device", choices=("cpu", "gpu"), help="where a CUDA program runs (default cpu)")
    add("--inputs", metavar="X.npz", help="arguments; default random")
    add("--outputs", metavar="Y.npz", help="write the results")
    add("--stats", metavar="FILE", help="write the counters as JSON; - prints them on stdout, and the tables on stderr")
    add("--trace", metavar="FILE", help="write a Chrome or Perfetto trace of the run, cycle by cycle")
    add("--timeline", metavar="FILE", help="draw that trace, as .svg or .png")
    add("--dump", metavar="DIR", help="save the program, with the arguments in its memory image")
    add("--seed", type=int, metavar="N", help="seed of the random arguments (default 0)")
    add("--low", type=int, metavar="L", help="smallest random value (default -128, or the dtype's least)")
    add("--high", type=int, metavar="H", help="end of the random values, exclusive (default 128)")
    add("--progress", action="store_true", help="show on stderr how far compilation and run are")
    add("--blocks", type=int, metavar="N", help="CUDA on the cpu: execute N sampled blocks instead of all")
    add("--check", action="store_true", help="CUDA: compare the results with the input program, executed by numpy")
    options = Options()
    parser.parse(arguments, options)
    if options.seed < 0:
        raise UsageError(f"--seed {options.seed} is negative; a seed is at least 0")
    return options


def _refuse_for_saved(options: Options) -> None:
    if options.function is not None and Path(options.source).is_dir():
        raise UsageError(f"'{options.source}' is a saved program: --function is for program files")


def _check_files(options: Options) -> None:
    """Raises `UsageError` for files that cannot be written, before anything runs."""
    if options.timeline is not None and Path(options.timeline).suffix.lower() not in (".svg", ".png"):
        raise UsageError(f"--timeline {options.timeline} cannot be drawn: its name must end in .svg or .png")
    for name in ("outputs", "trace", "timeline", "dump"):
        if getattr(options, name) == "-":
            raise UsageError(f"--{name} -: standard output holds the counters; name a file, or ./- for one called -")
    for path in (options.outputs, options.stats, options.trace, options.timeline):
        if path is not None and not Path(path).parent.is_dir():
            raise UsageError(f"cannot write {path}: there is no directory '{Path(path).parent}'")


RUNNERS: Mapping[str, Callable[[Options, Target], int]] = {"vta": _run_vta, "cuda": _run_cuda}
"""Targets whose programs can say more than their results."""


def _program(options: Options) -> VtaProgram:
    if not Path(options.source).is_dir():
        host, acc_8bit = not options.no_host, options.acc_8bit
        return compile_file(
            options.source,
            options.config,
            options.schedule,
            function=options.function,
            host=host,
            acc_8bit=acc_8bit,
            shows_progress=options.progress or sys.stderr.isatty(),
        )
    if options.config is not None or options.schedule is not None or options.acc_8bit:
        raise UsageError(
            f"'{options.source}' is a saved program: --config, --schedule and --acc-8bit are for program files"
        )
    return load_program(options.source)


def _execute(program: VtaProgram, inputs: Sequence[Array], *, shows_progress: bool) -> dict[str, Array]:
    """Returns the results by name."""
    line = ProgressLine()
    returned = program(*inputs, progress=line if shows_progress else None)
    line.end()
    arrays = returned if isinstance(returned, tuple) else (returned,)
    return {result.name: array for result, array in zip(program.results, arrays, strict=True)}


class ProgressLine:
    """A line on stderr that says how many instructions are done, redrawn once per percent."""

    def __init__(self) -> None:
        self._shown = -1

    def __call__(self, done: int, total: int) -> None:
        percent = 100 * done // max(total, 1)
        if percent > self._shown:
            self._shown = percent
            print(f"\r{percent:3}% of {total:,} instructions", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Ends the line, if one was begun."""
        if self._shown >= 0:
            print(file=sys.stderr)


def _write_files(options: Options, program: VtaProgram, inputs: Sequence[Array], outputs: Mapping[str, Array]) -> None:
    """Writes every file that was asked for, before anything is printed: a closed pipe loses none."""
    if options.outputs is not None:
        write_arrays(options.outputs, outputs)
    if options.stats not in (None, "-"):
        write_file(_stats_text(program).encode(), options.stats)
    if options.dump is not None:
        program.save(Path(options.dump), inputs)
    if options.trace is not None:
        from vtac.report.trace import write_program_trace

        write_program_trace(program, options.trace)
    if options.timeline is not None:
        from vtac.report.timeline import write_program_timeline

        write_program_timeline(program, options.timeline)


def _stats_text(program: VtaProgram) -> str:
    return f"{json.dumps(program.stats, indent=2)}\n"


def _cycle_tables(program: VtaProgram) -> str:
    """Where the cycles went, layer by layer and stream by stream."""
    tables: list[str] = []
    if any(device.kernels for device in program.devices.values()):
        from vtac.targets.vta.programs.layer_report import layer_reports, layer_table

        tables.append(layer_table(layer_reports(program)))
    for name, device in program.devices.items():
        title = f"{name}:\n" if len(program.devices) > 1 else ""
        tables.append(f"{title}{summary_table(simulate_cycles(device.instructions, device.config))}")
    return "".join(f"\n{table}" for table in tables)


def _table(stats: Mapping[str, int], outputs: Mapping[str, Array]) -> str:
    """The counters, then for each output its dtype, shape and the first half of its SHA-256."""
    width = max(len(name) for name in [*stats, *outputs])
    lines = [f"{name:<{width}}  {value:>12,}" for name, value in stats.items()]
    for name, array in outputs.items():
        shape = "x".join(str(extent) for extent in array.shape) or "scalar"
        digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:32]
        lines.append(f"{name:<{width}}  {array.dtype} {shape}  sha256 {digest}")
    return "\n".join(lines)
