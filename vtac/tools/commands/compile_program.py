"""`vtac compile`: a program file to a directory that `vtac run` executes without compiling it again."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from vtac.targets.registry import target_names
from vtac.targets.target import Target
from vtac.targets.vta.isa import MICRO_OP_BYTES, WORD_BYTES
from vtac.targets.vta.programs.saving import device_folder
from vtac.tools.commands.arrays import read_arrays
from vtac.tools.commands.ir_levels import IrOptions, add_ir_arguments, show_ir
from vtac.tools.commands.programs import VtaProgram, compile_cuda_file, compile_file, compile_for
from vtac.tools.commands.target_options import hardware_of, target_of
from vtac.tools.entry import ToolParser, UsageError
from vtac.tools.output import report

if TYPE_CHECKING:
    from vtac.targets.cuda.network import CudaNetwork

_EXAMPLE = """example:
  vtac compile examples/vta_conv2d.mlir -o build/conv2d
  vtac run build/conv2d
"""


class Options(IrOptions):
    """The options, typed."""

    output: str | None = None
    target: str | None = None
    config: str | None = None
    no_host: bool = False
    inputs: str | None = None
    arch: str | None = None
    no_cache: bool = False
    schedules: str | None = None
    jobs: int = 1


def main(arguments: Sequence[str]) -> int:
    """Compiles, saves, and prints what was saved.

    Raises `UsageError` for options that do not fit the target, other `VtacError`s for what does not compile.
    """
    parser = ToolParser("vtac compile", "Compiles a program and saves it in a directory.", _EXAMPLE)
    add_compile_arguments(parser)
    parser.add_argument("-o", "--output", metavar="DIR", help="directory for the saved program")
    parser.add_argument("--inputs", metavar="X.npz", help="arrays to place in the saved memory image")
    options = Options()
    parser.parse(arguments, options)
    if options.output is None:
        raise UsageError("the directory for the saved program is missing: add -o DIR")
    target = target_of(options)
    refuse_schedules(options.schedules, target.name)
    refuse_jobs(options.jobs, target.name)
    show_ir(options, target)
    own = {"vta": _compile_vta, "cuda": _compile_cuda}.get(target.name)
    return _compile_any(options, target, options.output) if own is None else own(options, options.output)


def _compile_vta(options: Options, output: str) -> int:
    program = compile_vta(options, shows_progress=sys.stderr.isatty())
    inputs = None if options.inputs is None else read_arrays(options.inputs, program.arguments)
    program.save(Path(output), inputs)
    report("".join(f"{line}\n" for line in _saved_lines(program, output)))
    return 0


class VtaOptions(Protocol):
    """What says how a file is compiled for the VTA."""

    source: str
    config: str | None
    schedule: str | None
    function: str | None
    no_host: bool
    acc_8bit: bool
    no_cache: bool
    schedules: str | None
    jobs: int


def compile_vta(options: VtaOptions, *, shows_progress: bool) -> VtaProgram:
    """The program of a command's file, compiled as its options say. Raises `VtacError`."""
    return compile_file(
        options.source,
        options.config,
        options.schedule,
        function=options.function,
        host=not options.no_host,
        acc_8bit=options.acc_8bit,
        cache=not options.no_cache,
        schedules=options.schedules,
        jobs=options.jobs,
        shows_progress=shows_progress,
    )


def _saved_lines(program: VtaProgram, output: str) -> Iterator[str]:
    several = len(program.devices) > 1
    for number, (name, device) in enumerate(program.devices.items()):
        instructions, micro_ops = len(device.instructions) // WORD_BYTES, len(device.micro_ops) // MICRO_OP_BYTES
        place = f"{output}/{device_folder(number)}: {name}" if several else output
        yield f"{place}: {instructions:,} instructions, {micro_ops:,} micro-ops"
        for buffer in device.buffers:
            yield f"  {buffer.role:<9} {buffer.name:<16} {buffer.nbytes:>10} bytes at 0x{buffer.address:x}"


def _compile_any(options: Options, target: Target, output: str) -> int:
    _refuse_inputs(options)
    hardware, kept = hardware_of(options, target), not options.no_cache
    program = compile_for(target, options.source, hardware, options.schedule, options.function, cache=kept)
    program.save(output)
    print(f"{output}: a {target.title} program")
    for role, parameters in (("argument", program.arguments), ("result", program.results)):
        for parameter in parameters:
            print(f"  {role:<9} {parameter.name:<16} {parameter.dtype} {_extents(parameter.shape)}")
    return 0


def _refuse_inputs(options: Options) -> None:
    if options.inputs is not None:
        raise UsageError("--inputs is for VTA programs: leave it out, or compile with --target vta")


def _compile_cuda(options: Options, output: str) -> int:
    _refuse_inputs(options)
    program = compile_cuda_file(options.source, options.arch, options.schedule, options.function, options.measurements)
    from vtac.targets.cuda.network import CudaNetwork

    program.save(output)
    if isinstance(program, CudaNetwork):
        return _show_plan(program, output)
    launch = program.launch
    print(f"{output}: kernel {launch.kernel}, grid {_extents(launch.grid)}, block {_extents(launch.block)}")
    for parameter in launch.parameters:
        print(f"  {parameter.role:<9} {parameter.name:<16} {parameter.dtype} {_extents(parameter.shape)}")
    return 0


def _show_plan(program: CudaNetwork, output: str) -> int:
    """Says what a program of several kernels launches, and what a caller passes and gets."""
    plan = program.plan
    scratch = f"{plan.scratch_bytes:,} bytes of scratch memory"
    print(f"{output}: {len(plan.kernels)} kernels in {len(plan.steps)} launches, {scratch}")
    for step in plan.steps:
        kernel = plan.kernels[step.kernel]
        print(f"  launch    {kernel.kernel:<16} grid {_extents(kernel.grid)}, block {_extents(kernel.block)}")
    for parameter in (*program.arguments, *program.results):
        print(f"  {parameter.role:<9} {parameter.name:<16} {parameter.dtype} {_extents(parameter.shape)}")
    return 0


def _extents(extents: Sequence[int]) -> str:
    return " x ".join(map(str, extents)) or "scalar"


def add_compile_arguments(parser: ToolParser) -> None:
    """Adds the arguments that say what to compile and how."""
    parser.add_argument("source", metavar="FILE", help="MLIR text, with or without a schedule script")
    parser.add_argument("--target", choices=target_names(), help="machine to compile for (default vta)")
    parser.add_argument("--arch", metavar="sm_NN", help="GPU architecture to check a CUDA program against")
    add_measurements_argument(parser)
    parser.add_argument("--config", metavar="FILE", help="vta_config.json; default: the module's, else the default")
    parser.add_argument("--no-host", action="store_true", help="refuse what the VTA cannot execute itself")
    parser.add_argument(
        "--acc-8bit", action="store_true", help="for simulators only: load i8 into accumulators, which no RTL decodes"
    )
    parser.add_argument("--schedule", metavar="FILE", help="schedule script in a file of its own")
    parser.add_argument("--schedules", metavar="FILE.db", help="take the tilings that vtac tune --store has found")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes that share a network's layers")
    add_function_argument(parser)
    add_cache_argument(parser)
    add_ir_arguments(parser)


def refuse_schedules(schedules: str | None, target: str) -> None:
    """Raises `UsageError` for a store of tilings where no program is scheduled by them."""
    if schedules is not None and target != "vta":
        raise UsageError(f"--schedules is for VTA programs that are compiled here, not for {target}: leave it out")


def refuse_jobs(jobs: int, target: str) -> None:
    """Raises `UsageError` for several processes where no program is compiled by them."""
    if jobs != 1 and target != "vta":
        raise UsageError(f"--jobs is for VTA programs that are compiled here, not for {target}: leave it out")


def add_measurements_argument(parser: ToolParser) -> None:
    """Adds the argument that names what tilings took on a GPU."""
    parser.add_argument(
        "--measurements", metavar="FILE", help="CUDA: take the fastest tilings that benchmarks/tensor_cores.py recorded"
    )


def add_function_argument(parser: ToolParser) -> None:
    """Adds the argument that chooses a function of several."""
    parser.add_argument("--function", metavar="NAME", help="the function to compile, where the file has several")


def add_cache_argument(parser: ToolParser) -> None:
    """Adds the argument that leaves the cache alone."""
    parser.add_argument(
        "--no-cache", action="store_true", help="compile what was compiled before, too, and keep nothing"
    )
