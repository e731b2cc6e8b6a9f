"""`vtac run` of a CUDA program: on a GPU, or its text on the CPU, compared with numpy when asked."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from vtac.errors import VtacError
from vtac.evaluate.bfloat16 import from_bfloat16, to_bfloat16
from vtac.targets.cuda.comparison import BFLOAT16_TOLERANCE, Comparison, compare
from vtac.targets.cuda.network import CudaNetwork
from vtac.targets.cuda.program import CudaProgram
from vtac.tools.commands.arrays import random_arrays, read_arrays, write_arrays
from vtac.tools.commands.programs import compile_cuda_file, is_cuda_program
from vtac.tools.entry import UsageError
from vtac.tools.output import report

if TYPE_CHECKING:
    from vtac.targets.cuda.arrays import Array
    from vtac.targets.cuda.launch import Parameter
    from vtac.targets.vta.programs.arrays import Array as IntegerArray
    from vtac.tools.commands.run import Options


FLOATS = (-1, 1)
"""Random floating-point arguments: sums of products are then about as large as their factors, so that float16 holds
them, and scores of attention lie within a few units, so that no weight of a softmax stands for all the others."""


class DifferenceError(VtacError):
    """Results that are not the input program's."""

    kind = "difference"


@dataclass(frozen=True)
class _Stated:
    """An argument as random data is made for it: bfloat16 as float32."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class _Outcome:
    outputs: tuple[Array, ...]
    written: tuple[Array, ...] | None
    summary: str


def run_cuda(options: Options) -> int:
    """Runs the program once; results go to stdout and to the files that were asked for."""
    program = _of_one_size(options, _program(options))
    inputs = _inputs(options, program)
    outcome = _execute(options, program, inputs)
    arrays = dict(zip([result.name for result in program.results], outcome.outputs, strict=True))
    if options.outputs is not None:
        write_arrays(options.outputs, cast("dict[str, IntegerArray]", arrays))
    if options.dump is not None and options.size is None:
        program.save(options.dump)
    report(_shown(outcome, arrays))
    if options.check:
        _check(options, program, inputs, outcome)
    return 0


def _shown(outcome: _Outcome, arrays: Mapping[str, Array]) -> str:
    lines = [outcome.summary]
    for name, array in arrays.items():
        shape = "x".join(map(str, array.shape)) or "scalar"
        digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:32]
        lines.append(f"{name}  {array.dtype} {shape}" + (f"  sha256 {digest}" if outcome.written is None else ""))
    return "".join(f"{line}\n" for line in lines)


def _program(options: Options) -> CudaProgram | CudaNetwork:
    if not is_cuda_program(options.source):
        return compile_cuda_file(options.source, options.arch, options.schedule, options.function, options.measurements)
    if options.check or any((options.arch, options.schedule, options.measurements)):
        raise UsageError(
            f"'{options.source}' is a saved program: --arch, --schedule, --measurements and --check are for program "
            "files"
        )
    from vtac.loading import load_program

    return load_program(options.source, "cuda")


def _of_one_size(options: Options, program: CudaProgram | CudaNetwork) -> CudaProgram | CudaNetwork:
    """The program for the size that was asked for, where it has a dynamic one."""
    from vtac.targets.cuda.dynamic import CudaDynamic

    if not isinstance(program, CudaDynamic):
        if options.size is not None:
            raise UsageError(f"--size {options.size}: '{options.source}' has no dynamic dimension")
        return program
    if options.size is None:
        raise UsageError(f"'{options.source}' has a dynamic size n, {program}: give --size N")
    if options.blocks is not None:
        raise UsageError(f"--blocks {options.blocks}: '{options.source}' has a dynamic size; it is executed whole")
    if options.dump is not None:
        program.save(options.dump)
    return program.at(options.size)


def _inputs(options: Options, program: CudaProgram | CudaNetwork) -> list[Array]:
    if options.inputs is not None:
        stored = [_Stated(p.name, p.numpy_dtype, p.shape) for p in program.arguments]
        return cast("list[Array]", read_arrays(options.inputs, stored))
    wanted = [_Stated(p.name, "float32" if p.dtype == "bfloat16" else p.dtype, p.shape) for p in program.arguments]
    made = cast("list[Array]", random_arrays(wanted, options.seed, options.low, options.high, FLOATS))
    return [_stored(parameter, array) for parameter, array in zip(program.arguments, made, strict=True)]


def _stored(parameter: Parameter, array: Array) -> Array:
    return to_bfloat16(array) if parameter.dtype == "bfloat16" else array


def _execute(options: Options, program: CudaProgram | CudaNetwork, inputs: Sequence[Array]) -> _Outcome:
    if options.device == "gpu":
        if options.blocks is not None:
            raise UsageError("--blocks is for --device cpu: a GPU runs the whole launch")
        run = program.run_on_gpu(inputs, repeats=10)
        return _Outcome(run.outputs, None, f"{name_of(program)} on {run.device}: {run.median_milliseconds:.4f} ms")
    if isinstance(program, CudaNetwork):
        return _execute_network(options, program, inputs)
    launch = program.launch
    start = time.perf_counter()
    sampled = program.run_on_cpu(inputs, blocks=options.blocks)
    seconds = time.perf_counter() - start
    whole = len(sampled.blocks) == launch.blocks
    summary = f"{launch.kernel} on the CPU: {len(sampled.blocks):,} of {launch.blocks:,} blocks in {seconds:.1f} s"
    return _Outcome(sampled.outputs, None if whole else sampled.written, summary)


def name_of(program: CudaProgram | CudaNetwork) -> str:
    """What a program is called."""
    return program.plan.name if isinstance(program, CudaNetwork) else program.launch.kernel


def _execute_network(options: Options, program: CudaNetwork, inputs: Sequence[Array]) -> _Outcome:
    if options.blocks is not None:
        raise UsageError(
            f"--blocks is for programs of one kernel; this one has {len(program.plan.kernels)}, each of which needs "
            "all that the ones before it compute"
        )
    start = time.perf_counter()
    run = program.run_on_cpu(inputs)
    seconds = time.perf_counter() - start
    launches, kernels = len(program.plan.steps), len(program.plan.kernels)
    summary = f"{program.plan.name} on the CPU: {launches} launches of {kernels} kernels in {seconds:.1f} s"
    return _Outcome(run.outputs, None, summary)


def _numbers(bits: Array) -> Array:
    return from_bfloat16(bits.astype(np.uint16))


def _check(options: Options, program: CudaProgram | CudaNetwork, inputs: Sequence[Array], outcome: _Outcome) -> None:
    from vtac.evaluate import evaluate
    from vtac.passes.gpu.settle_dynamic_sizes import SettleDynamicSizes
    from vtac.text.context import make_context
    from vtac.text.source import parse

    module = parse(Path(options.source))
    if options.size is not None:
        SettleDynamicSizes(options.size).apply(make_context(), module)
    expected = evaluate(module, *inputs)
    wanted = expected if isinstance(expected, tuple) else (expected,)
    written = outcome.written or (None,) * len(wanted)
    for result, found, right, mask in zip(program.results, outcome.outputs, wanted, written, strict=True):
        narrow = result.dtype == "bfloat16"
        found, right = (_numbers(array) if narrow else array for array in (found, right))  # noqa: PLW2901
        comparison: Comparison = compare(found, right, mask, BFLOAT16_TOLERANCE if narrow else None)
        if not comparison.correct:
            raise DifferenceError(f"result `{result.name}` differs from the program executed by numpy: {comparison}")
        report(f"{result.name}: {comparison}\n")
