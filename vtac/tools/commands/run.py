"""`vtac run`: executes a program file or a saved program, and says what came out and what it cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from vtac.targets.target import Target
from vtac.tools.commands.compile_program import add_compile_arguments, refuse_jobs, refuse_schedules
from vtac.tools.commands.ir_levels import IrOptions, show_ir
from vtac.tools.commands.target_options import target_of
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.output_paths import refuse_stdout, require_outputs

_EXAMPLE = """example:
  vtac run examples/vta_matmul.mlir --seed 1 --stats stats.json
  vtac run build/conv2d --inputs x.npz --outputs y.npz --trace trace.json

The keys of an archive are argument names, else in_* and out_* in order. Without --inputs the
arguments are random: integers from -128 to 127, floating-point numbers of a CUDA program
from -1 to 1, in which errors of scores and sums show.
"""


class Options(IrOptions):
    """The options, typed."""

    target: str | None = None
    config: str | None = None
    no_host: bool = False
    device: str | None = None
    inputs: str | None = None
    outputs: str | None = None
    stats: str | None = None
    trace: str | None = None
    timeline: str | None = None
    vcd: str | None = None
    first: int | None = None
    last: int | None = None
    dump: str | None = None
    seed: int = 0
    low: int | None = None
    high: int | None = None
    progress: bool = False
    arch: str | None = None
    blocks: int | None = None
    size: int | None = None
    check: bool = False
    json: bool = False
    no_cache: bool = False
    schedules: str | None = None
    jobs: int = 1


def main(arguments: Sequence[str]) -> int:
    """Runs the program once; results go to stdout and to the files that were asked for.

    Raises `UsageError` for options that do not fit the target, other `VtacError`s for what does not compile or run.
    """
    options = _parse(arguments)
    target = target_of(options)
    _check_files(options)
    if options.vcd is not None and target.name != "vta":
        raise UsageError(f"--vcd {options.vcd}: waveforms are of VTA designs; the target is {target.name}")
    if options.size is not None and target.name != "cuda":
        raise UsageError(f"--size {options.size}: dynamic sizes are of CUDA programs; the target is {target.name}")
    _refuse_for_saved(options)
    refuse_schedules(options.schedules, target.name)
    refuse_jobs(options.jobs, target.name)
    show_ir(options, target)
    return RUNNERS.get(target.name, _run_any)(options, target)


def _run_cuda(options: Options, _target: Target) -> int:
    from vtac.tools.commands.run_cuda import run_cuda

    return run_cuda(options)


def _run_any(options: Options, target: Target) -> int:
    from vtac.tools.commands.run_any import run_any

    return run_any(options, target)


def _run_vta(options: Options, _target: Target) -> int:
    from vtac.tools.commands.run_vta import run_vta

    return run_vta(options)


def _parse(arguments: Sequence[str]) -> Options:
    parser = ToolParser("vtac run", "Compiles a program, or loads a saved one, and executes it.", _EXAMPLE)
    add_compile_arguments(parser)
    add = parser.add_argument
    add(
        "--device",
        metavar="URL",
        help="VTA: sim, pipe:sim, ssh://HOST and others ('vtac devices list'); CUDA: cpu, gpu",
    )
    add("--inputs", metavar="X.npz", help="arguments by name, or the only one as .npy; default random")
    add("--outputs", metavar="Y.npz", help="write the results by name, or the only one as .npy")
    add("--stats", metavar="FILE", help="write the counters as JSON; - prints them on stdout, and the tables on stderr")
    add("--trace", metavar="FILE", help="write a Chrome or Perfetto trace of the run, cycle by cycle")
    add("--timeline", metavar="FILE", help="draw that trace, as .svg or .png")
    add("--vcd", metavar="FILE", help="with --device rtl:DIR, write a waveform of the design")
    add("--from", dest="first", type=int, metavar="N", help="--timeline: the first cycle; --vcd: the first instruction")
    add("--to", dest="last", type=int, metavar="N", help="--timeline: the cycle behind the last; --vcd: the last one")
    add("--dump", metavar="DIR", help="save the program, with the arguments in its memory image")
    add("--seed", type=int, metavar="N", help="seed of the random arguments (default 0)")
    add(
        "--low",
        type=int,
        metavar="L",
        help="smallest random value (default -128, or the dtype's least; floats of CUDA: -1)",
    )
    add("--high", type=int, metavar="H", help="end of the random values, exclusive (default 128; floats of CUDA: 1)")
    add("--progress", action="store_true", help="show on stderr how far compilation and run are")
    add("--blocks", type=int, metavar="N", help="CUDA on the cpu: execute N sampled blocks instead of all")
    add("--size", type=int, metavar="N", help="CUDA: the size of a dynamic outermost dimension")
    add("--check", action="store_true", help="compare the results with the input program, executed by numpy")
    add("--json", action="store_true", help="VTA: print one object in place of the tables")
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
    if options.timeline is None and options.vcd is None and (options.first is not None or options.last is not None):
        raise UsageError(
            "--from and --to choose cycles of a picture, or instructions of a waveform: add --timeline FILE.svg or "
            "FILE.png, or --vcd FILE"
        )
    if options.timeline is not None and options.vcd is not None:
        raise UsageError("--timeline counts cycles and --vcd instructions: --from and --to are of one, leave the other")
    names = ("outputs", "trace", "timeline", "vcd")
    outputs: list[tuple[str, str | None]] = [(f"--{name}", getattr(options, name)) for name in names]
    refuse_stdout([*outputs, ("--dump", options.dump)], "standard output holds the counters")
    inputs = (options.source, options.inputs, options.config, options.schedule)
    require_outputs([*outputs, ("--stats", options.stats)], inputs)


RUNNERS: Mapping[str, Callable[[Options, Target], int]] = {"vta": _run_vta, "cuda": _run_cuda}
"""Targets whose programs can say more than their results."""
