"""What the tensor-core examples share: flags, compiling phase by phase, running, comparing, reporting."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import flags
import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

import vtac
from vtac.compiler import lower
from vtac.dialects.gpu_hardware import GpuArchitecture, gpu_architecture, gpu_architectures
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.building import to_program
from vtac.targets.cuda.comparison import Comparison, compare
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.launch import LaunchRecord
from vtac.targets.cuda.pipeline import WMMA_PIPELINE
from vtac.targets.cuda.program import CudaProgram

Expected = Callable[[tuple[Array, ...], NDArray[np.bool_]], Array]
"""The right result, from the inputs; only where the mask is set does it matter."""


@dataclass(frozen=True)
class Work:
    """One example's job: the program, its schedule, its data and the expected result."""

    title: str
    text: str
    schedule: Callable[[], vtac.Schedule]
    arrays: Callable[[np.random.Generator, int, int], tuple[Array, ...]]
    expected: Expected
    operations: int


@dataclass(frozen=True)
class _Outcome:
    """What a run gave; nothing for `--check none`."""

    comparison: Comparison | None = None
    blocks: int = 0
    seconds: float = 0.0
    milliseconds: float | None = None
    device: str = ""


_SCHEDULES = {
    "seed": "the tutorial's",
    "fast": "the tuned one",
    "mma": "on ldmatrix and mma.sync (sm_80 and later)",
    "wgmma": "on products of warpgroups (sm_90a)",
    "tma": "with operands in bulk copies (sm_90 and later; on sm_90a, of f16 and bf16, for wgmma)",
}


def parser(
    description: str, example: str, schedules: tuple[str, ...] = ("seed", "fast", "mma")
) -> argparse.ArgumentParser:
    """An argument parser with the flags that both examples have."""
    made = flags.parser(description, example, WMMA_PIPELINE.levels, low=-8, high=8)
    add = made.add_argument
    add(
        "--schedule",
        choices=schedules,
        default="seed",
        help="; ".join(f"{name}: {_SCHEDULES[name]}" for name in schedules),
    )
    add("--arch", default="sm_90", choices=tuple(gpu_architectures()), help="architecture to compile for")
    add("--emit", metavar="FILE", help="write the CUDA text")
    add("--launch", metavar="FILE", help="write the launch record")
    add("--check", choices=("cpu", "gpu", "none"), default="cpu", help="where to run the text and compare with numpy")
    add("--blocks", type=int, default=16, metavar="N", help="blocks to execute with --check cpu, the corners first")
    add("--resources", action="store_true", help="compile for --arch, and report registers and spills")
    add("--write-mlir", metavar="FILE", help="write the program with its schedule script")
    return made


def main(options: argparse.Namespace, make_work: Callable[[GpuArchitecture], Work]) -> int:
    """Run an example; the exit status."""
    return flags.exit_status(options, lambda: _run(options, make_work))


def _run(options: argparse.Namespace, make_work: Callable[[GpuArchitecture], Work]) -> int:
    start = time.perf_counter()
    architecture = gpu_architecture(options.arch)
    work = make_work(architecture)
    schedule = work.schedule()
    if options.write_mlir:
        Path(options.write_mlir).write_text(f"{work.text}\n{schedule}", encoding="utf-8")
    module = lower(work.text, "cuda", architecture, schedule)
    program = to_program(module)
    compile_seconds = time.perf_counter() - start
    _print_ir(options, work, architecture, schedule)
    if options.emit:
        program.emit(options.emit)
    if options.launch:
        Path(options.launch).write_text(program.launch.to_json(), encoding="utf-8")
    if options.dump:
        program.save(options.dump)
    outcome = _execute(options, work, program)
    if options.json:
        print(json.dumps(_summary(program, outcome, compile_seconds)))
    else:
        with redirect_stdout(sys.stderr if options.print_ir else sys.stdout):
            _report(options, work, program, outcome, compile_seconds)
    return 1 if outcome.comparison is not None and not outcome.comparison.correct else 0


def _print_ir(options: argparse.Namespace, work: Work, architecture: GpuArchitecture, schedule: vtac.Schedule) -> None:
    phase: str | None = options.print_ir
    if phase is None:
        return
    module: ModuleOp = lower(work.text, "cuda", architecture, schedule, phase=phase)
    print(module, file=sys.stderr if options.json else sys.stdout)


def _execute(options: argparse.Namespace, work: Work, program: CudaProgram) -> _Outcome:
    if options.check == "none":
        return _Outcome()
    arrays = work.arrays(np.random.default_rng(options.seed), options.low, options.high)
    start = time.perf_counter()
    if options.check == "gpu":
        launched = program.run_on_gpu(arrays, repeats=20)
        seconds = time.perf_counter() - start
        written = np.ones(launched.outputs[0].shape, np.bool_)
        comparison = compare(launched.outputs[0], work.expected(arrays, written))
        milliseconds = launched.median_milliseconds
        return _Outcome(comparison, program.launch.blocks, seconds, milliseconds, launched.device)
    run = program.run_on_cpu(arrays, blocks=options.blocks)
    seconds = time.perf_counter() - start
    comparison = compare(run.outputs[0], work.expected(arrays, run.written[0]), run.written[0])
    return _Outcome(comparison, len(run.blocks), seconds, None, "the CPU")


def _summary(program: CudaProgram, outcome: _Outcome, compile_seconds: float) -> dict[str, object]:
    launch = program.launch
    comparison = outcome.comparison
    summary: dict[str, object] = {
        "stats": {"blocks": launch.blocks, "threads": launch.threads, "checked_blocks": outcome.blocks},
        "correct": None if comparison is None else comparison.correct,
        "max_error": None if comparison is None else comparison.max_error,
        "instructions": 0,
        "micro_ops": 0,
        "compile_seconds": compile_seconds,
        "run_seconds": outcome.seconds,
    }
    if outcome.milliseconds is not None:
        summary["milliseconds"] = outcome.milliseconds
    return summary


def _report(
    options: argparse.Namespace, work: Work, program: CudaProgram, outcome: _Outcome, compile_seconds: float
) -> None:
    launch = program.launch
    print(work.title)
    print(f"\n  grid          {' x '.join(map(str, launch.grid))}, {launch.blocks:,} blocks")
    print(f"  block         {' x '.join(map(str, launch.block))}, {launch.threads} threads")
    print(f"  dynamic smem  {launch.shared_bytes:,} bytes")
    for parameter in launch.parameters:
        print(f"  {parameter.role:<14}{parameter.name} {parameter.dtype} {' x '.join(map(str, parameter.shape))}")
    print(f"  CUDA text     {len(program.text.splitlines())} lines, made in {compile_seconds * 1000:.0f} ms")
    if options.resources:
        _report_resources(program.text, launch, options.arch)
    if outcome.comparison is None:
        return
    print(f"\nran {outcome.blocks:,} of {launch.blocks:,} blocks on {outcome.device} in {outcome.seconds:.1f} s")
    if outcome.milliseconds is not None:
        rate = work.operations / outcome.milliseconds / 1e9
        print(f"one launch takes {outcome.milliseconds:.4f} ms, {rate:.1f} TFLOP/s")
    print(f"{outcome.comparison}")
    print("the result equals numpy's" if outcome.comparison.correct else "THE RESULT DIFFERS FROM NUMPY'S")


def _report_resources(text: str, launch: LaunchRecord, architecture: str) -> None:
    compiled = compile_kernel(text, launch.kernel, architecture)
    shared = compiled.static_shared_bytes + launch.shared_bytes
    spilled = compiled.spill_store_bytes + compiled.spill_load_bytes
    print(
        f"  {architecture:<14}{compiled.registers} registers, {shared:,} bytes shared, {spilled} bytes spilled, "
        f"{compiled.resident_blocks(launch)} blocks per multiprocessor ({compiled.compiler})"
    )
