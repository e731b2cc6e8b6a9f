"""What a compiled network is held against: numpy, each level of the IR the one above, texts read back, both
interpreters, and the checker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.printer import Printer

import vtac
from fuzz.networks import Array, Value
from fuzz.outcome import MismatchError
from vtac.analysis.ir.device_functions import kernel_modules
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.script import ScriptOp
from vtac.errors import EvaluationError
from vtac.evaluate import evaluate, evaluate_linalg, evaluate_payload
from vtac.evaluate.buffers import element_type, shape_of_type
from vtac.evaluate.functions import function_of
from vtac.evaluate.numbers import dtype_of
from vtac.passes.vta.isolate_device_functions import function_in
from vtac.pipelines import Runner
from vtac.preparation import prepare
from vtac.targets.registry import find_target
from vtac.targets.vta.compilation import CompilationContext
from vtac.targets.vta.machine import execute_reference
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.targets.vta.plain_pipeline import plain_pipeline
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.stream.build import build_program
from vtac.text.context import dialect_factories

LEVELS = tuple(phase.name for phase in (*plain_pipeline().phases, *VTA_PIPELINE.phases))
"""Of the plain pipeline, and of the one that each kernel goes through."""
_PAYLOAD_LEVELS = ("payload", "scheduled", "blocked")
_REFERENCE_INSTRUCTIONS = 400
"""Of a stream at most that the reference interpreter runs, which takes a tile at a time."""


def compare(level: str, names: Sequence[str], want: Sequence[Array], found: Sequence[Array]) -> None:
    """Raises `MismatchError` where arrays differ in shape, type or any element."""
    if len(want) != len(found):
        raise MismatchError(level, f"{len(found)} results instead of {len(want)}")
    for name, right, got in zip(names, want, found, strict=True):
        if right.shape != got.shape or right.dtype != got.dtype:
            raise MismatchError(level, f"{name}: {got.shape} {got.dtype} instead of {right.shape} {right.dtype}")
        wrong = np.argwhere(right != got)
        if len(wrong):
            place = tuple(int(i) for i in wrong[0])
            where = f"{name}: {len(wrong)} of {right.size} differ, first {list(place)}"
            raise MismatchError(level, f"{where}: {got[place]}, not {right[place]}")


def printed_form(module: ModuleOp) -> str:
    """A module as text."""
    stream = StringIO()
    Printer(stream).print_op(module)
    return f"{stream.getvalue()}\n"


def judge_round_trip(level: str, module: ModuleOp) -> None:
    """Printed, parsed and printed again, a module is the same."""
    printed = printed_form(module)
    again = printed_form(vtac.parse(printed))
    if again != printed:
        pairs = zip(printed.splitlines(), again.splitlines(), strict=False)
        first = next((f"{a.strip()[:150]} | {b.strip()[:150]}" for a, b in pairs if a != b), "lines are missing")
        raise MismatchError(f"text round trip at {level}", first)


def judge_input(text: str, results: Sequence[Value], arrays: Sequence[Array], want: Sequence[Array]) -> ModuleOp:
    """The input level against numpy, and its text read back."""
    module = vtac.parse(text)
    compare("input level against numpy", [v.name for v in results], want, as_tuple(evaluate(module, *arrays)))
    judge_round_trip("input", module)
    return module


def judge_levels(
    module: ModuleOp, config: VTAConfig, arrays: Sequence[Array], want: Sequence[Array], read_back: str = ""
) -> None:
    """Every phase of the plain pipeline, and of the pipeline of each kernel, against the level above.

    The text of one of them, `read_back`, goes through the parser, too.
    """
    work = prepare(module, find_target("vta"), config)
    runner = Runner(CompilationContext.of(dialect_factories()))
    above = "input"
    for phase in plain_pipeline().phases:
        runner.run_phases((phase,), work)
        names = [f"result {number}" for number in range(len(want))]
        compare(f"{phase.name} against {above}", names, want, as_tuple(evaluate(work, *arrays)))
        if phase.name == read_back:
            judge_round_trip(phase.name, work)
        if phase.name == "isolated":
            for kernel in kernel_modules(work):
                if any(isinstance(op, ScriptOp) for op in kernel.ops):
                    _judge_kernel(kernel.clone(), runner, read_back)
        above = phase.name


def _judge_kernel(kernel: ModuleOp, runner: Runner, read_back: str) -> None:
    function = function_in(kernel)
    arrays = random_arguments(function)
    try:
        want = evaluate_linalg(function, arrays)
    except EvaluationError:  # an argument is an amount to shift by: most numbers are none
        return
    names = [f"result {number} of a kernel" for number in range(len(want))]
    above = "isolated"
    for phase in VTA_PIPELINE.phases:
        runner.run_phases((phase,), kernel)
        if phase.name in _PAYLOAD_LEVELS:
            found = evaluate_payload(function_in(kernel), arrays)
            compare(f"{phase.name} against {above}", names, want, found)
            above = phase.name
        if phase.name == read_back:
            judge_round_trip(phase.name, kernel)
    found = as_tuple(build_program(kernel)(*arrays))  # pyright: ignore[reportArgumentType]
    compare(f"vta against {above}", names, want, found)


def random_arguments(function: FuncOp | ModuleOp) -> list[Array]:
    """Random arrays for a function's tensors, all numbers of i8 and large ones of i32 among them."""
    rng = np.random.default_rng(0)
    bounds = {"int8": 128, "int32": 1 << 20}
    found: list[Array] = []
    for kind in function_of(function).function_type.inputs:
        dtype = dtype_of(element_type(kind))
        bound = bounds.get(dtype.name, 100)
        found.append(rng.integers(-bound, bound, shape_of_type(kind)).astype(dtype))
    return found


def judge_streams(devices: Mapping[str, Program]) -> None:
    """Each stream is proven safe, and both interpreters leave the same memory and counters."""
    for name, device in devices.items():
        findings = vtac.check(device)
        if findings:
            raise MismatchError("checker on a compiled stream", f"{name}: {findings[0].message}")
        if len(device.instructions) > 16 * _REFERENCE_INSTRUCTIONS:
            continue
        rng = np.random.default_rng(1)
        arrays = [rng.integers(-128, 128, b.shape).astype(b.dtype) for b in device.arguments]
        image = device.memory_image(arrays)  # pyright: ignore[reportArgumentType]
        execute_reference(device.instructions, image, device.config, strict=True)
        slow = tuple(device.read(image, buffer) for buffer in device.results)
        names = [buffer.name for buffer in device.results]
        compare("fast against reference interpreter", names, slow, as_tuple(device(*arrays)))  # pyright: ignore[reportArgumentType]


def as_tuple(found: object) -> tuple[Array, ...]:
    """The results of a call, one or several."""
    return found if isinstance(found, tuple) else (found,)  # pyright: ignore[reportReturnType, reportUnknownVariableType]
