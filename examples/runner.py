"""What the VTA examples share: common flags, compiling level by level, running, reporting."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import flags
import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

import vtac
from vtac.pipelines import INPUT, Instrumentation, Runner, Step
from vtac.preparation import prepare
from vtac.targets.registry import find_target
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.targets.vta.programs.arrays import Array
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.stream.build import build_program
from vtac.text.context import make_context

Int8 = NDArray[np.int8]


@dataclass(frozen=True)
class Work:
    """One example's job: the program, its schedule, its data and the expected result."""

    title: str
    text: str
    schedule: Callable[[], vtac.Schedule]
    arrays: Callable[[np.random.Generator, int, int], tuple[Array, ...]]
    expected: Callable[[tuple[Array, ...]], Array]


def parser(description: str, example: str) -> argparse.ArgumentParser:
    """An argument parser with the flags that the VTA's examples have."""
    made = flags.parser(description, example, VTA_PIPELINE.levels)
    flags.add_config(made)
    made.add_argument("--write-mlir", metavar="FILE", help="write the program with its schedule script")
    return made


def main(options: argparse.Namespace, make_work: Callable[[vtac.VTAConfig], Work]) -> int:
    """Run an example; the exit status."""
    return flags.exit_status(options, lambda: _run(options, make_work))


def _run(options: argparse.Namespace, make_work: Callable[[vtac.VTAConfig], Work]) -> int:
    config = flags.config_from(options)
    start = time.perf_counter()
    work = make_work(config)
    schedule = work.schedule()
    module = prepare(work.text, find_target("vta"), config, schedule)
    if options.write_mlir:
        Path(options.write_mlir).write_text(f"{work.text}\n{schedule}", encoding="utf-8")
    levels = _lower(module, options.print_ir, sys.stderr if options.json else sys.stdout)
    program = build_program(module)
    compile_seconds = time.perf_counter() - start
    arrays = work.arrays(np.random.default_rng(options.seed), options.low, options.high)
    start = time.perf_counter()
    result = program(*arrays)
    run_seconds = time.perf_counter() - start
    correct = bool(np.array_equal(np.asarray(result), work.expected(arrays)))
    if options.dump:
        program.save(options.dump)
    if options.json:
        print(json.dumps(_summary(program, correct, compile_seconds, run_seconds)))
    else:
        with redirect_stdout(sys.stderr if options.print_ir else sys.stdout):
            _report(work, program, levels, correct, compile_seconds, run_seconds)
    return 0 if correct else 1


@dataclass(frozen=True)
class _Level:
    name: str
    operations: int
    milliseconds: float


class _Levels(Instrumentation):
    """Collects size and time per phase, and prints the phase asked for."""

    def __init__(self, printed: str | None, stream: object) -> None:
        self.found: list[_Level] = []
        self._printed = printed
        self._stream = stream
        self._start = 0.0

    def before(self, step: Step, module: ModuleOp) -> None:
        if step.kind == "phase":
            self._start = time.perf_counter()

    def after(self, step: Step, module: ModuleOp) -> None:
        if step.kind == "phase":
            self.add(step.name, module, (time.perf_counter() - self._start) * 1000)

    def add(self, name: str, module: ModuleOp, milliseconds: float = 0.0) -> None:
        """The level `name`, which is what the module is now."""
        self.found.append(_Level(name, sum(1 for _ in module.walk()) - 1, milliseconds))
        if name == self._printed:
            print(module, file=self._stream)  # pyright: ignore[reportArgumentType, reportCallIssue]


def _lower(module: ModuleOp, printed: str | None, stream: object) -> list[_Level]:
    """Run the pipeline, printing the phase asked for."""
    levels = _Levels(printed, stream)
    levels.add(INPUT, module)
    Runner(make_context(), (levels,)).run_phases(VTA_PIPELINE.phases, module)
    return levels.found


def _summary(program: Program, correct: bool, compile_seconds: float, run_seconds: float) -> dict[str, object]:
    return {
        "stats": program.stats,
        "correct": correct,
        "instructions": len(program.instructions) // 16,
        "micro_ops": len(program.micro_ops) // 4,
        "compile_seconds": compile_seconds,
        "run_seconds": run_seconds,
    }


def _report(
    work: Work, program: Program, levels: Sequence[_Level], correct: bool, compile_seconds: float, run_seconds: float
) -> None:
    print(work.title)
    print(f"\n  {'level':<12}{'operations':>12}{'ms':>10}")
    for level in levels:
        print(f"  {level.name:<12}{level.operations:>12,}{level.milliseconds:>10.1f}")
    instructions, micro_ops = len(program.instructions) // 16, len(program.micro_ops) // 4
    print(f"  {'stream':<12}{instructions:>12,}   instructions, {micro_ops:,} micro-ops")
    print("\nExecution statistics")
    for name, value in program.stats.items():
        print(f"  {name:<18}{value:>14,}")
    print(f"\ncompiled in {compile_seconds * 1000:.0f} ms, ran in {run_seconds * 1000:.0f} ms")
    print("the result equals numpy's" if correct else "THE RESULT DIFFERS FROM NUMPY'S")
