"""Passes on kernels keep what programs compute: functions of their test files, executed before and after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from vtac.errors import EvaluationError
from vtac.evaluate import evaluate
from vtac.evaluate.numbers import Array
from vtac.text.source import parse
from vtac.tools.registry import pass_factories

HERE = Path(__file__).parent
TO_KERNEL = (
    "convert-blocks-to-memory",
    "convert-loops-to-gpu",
    "gpu-place-shared-memory",
    "gpu-check-shared-memory",
    "gpu-insert-barriers",
    "convert-schedule-to-scf",
)
LAUNCH = "{gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 64, 1, 1>}"


def function_of(file: str, name: str) -> str:
    """One function of a pass's test file."""
    text = (HERE / f"{file}.mlir").read_text(encoding="utf-8")
    start = text.index(f"func.func @{name}(")
    return text[start : text.index("\n}\n", start) + 3]


def after(text: str, *passes: str) -> ModuleOp:
    module = parse(text)
    for name in passes:
        pass_factories()[name]()().apply(Context(), module)
    return module


def numbers(*shape: int, dtype: type[np.generic] = np.float32) -> Array:
    return np.random.default_rng(len(shape)).integers(-4, 5, shape).astype(dtype)


def test_guards() -> None:
    text = function_of("convert_guards_to_conditions", "taps")
    arrays = [numbers(8), np.zeros(8, np.float32), np.full(8, 9, np.float32)]
    before, then = evaluate(parse(text), *arrays), evaluate(after(text, "convert-guards-to-conditions"), *arrays)
    assert all(np.array_equal(one, other) for one, other in zip(before, then, strict=True))


@pytest.mark.parametrize(
    ("name", "arrays"),
    [
        ("padded", [numbers(4), np.zeros(5, np.float32)]),
        ("window", [numbers(3, 8, dtype=np.int8), np.zeros((3, 16), np.int8)]),
    ],
)
def test_blocks(name: str, arrays: list[Array]) -> None:
    text = function_of("convert_blocks_to_memory", name)
    bound = text.replace(" {\n    schedule.", ' kind "blockIdx.x" {\n    schedule.', 1)
    assert np.array_equal(evaluate(parse(text), *arrays), evaluate(after(bound, *TO_KERNEL), *arrays))


def test_tiles() -> None:
    text = function_of("convert_tiles_to_wmma", "tile")
    arrays = [numbers(16, 16, dtype=np.float16), numbers(16, 16, dtype=np.float16), np.zeros((16, 16), np.float32)]
    kernel = after(text, "convert-tiles-to-wmma", "gpu-check-threads", *TO_KERNEL)
    assert np.array_equal(evaluate(parse(text), *arrays), evaluate(kernel, *arrays))


def test_pipelines() -> None:
    marked = function_of("gpu_pipeline_loops", "steps")
    plain = marked.replace(" attributes {pipeline = 3 : i64}", "")
    arrays = [numbers(256, dtype=np.float16), np.zeros(32, np.float16)]
    kernels = [after(plain, *TO_KERNEL), after(marked, "gpu-pipeline-loops", *TO_KERNEL)]
    before, then = (evaluate(kernel, *arrays) for kernel in kernels)
    assert np.array_equal(before, then)


@pytest.mark.parametrize("name", ["exchange", "steps"])
def test_barriers(name: str) -> None:
    """Without them the evaluator finds a race; with them one thread reads what another wrote."""
    text = function_of("gpu_insert_barriers", name).replace("{gpu.kernel}", LAUNCH)
    arrays = [numbers(64), np.zeros(64, np.float32)]
    with pytest.raises(EvaluationError, match="barrier"):
        evaluate(after(text, "convert-schedule-to-scf"), *arrays)
    kernel = after(text, "gpu-insert-barriers", "convert-schedule-to-scf")
    assert np.array_equal(evaluate(kernel, *arrays), arrays[0][::-1])


@pytest.mark.parametrize(("name", "written"), [("taps", 128), ("slots", 96), ("quotient", 96)])
def test_counters(name: str, written: int) -> None:
    text = function_of("gpu_carry_counters", name)
    arrays = [numbers(4096), np.zeros(written, np.float32)]
    before, then = evaluate(parse(text), *arrays), evaluate(after(text, "gpu-carry-counters"), *arrays)
    assert np.array_equal(before, then)


@pytest.mark.parametrize(("name", "read"), [("steps", 288), ("present", 256)])
def test_routines(name: str, read: int) -> None:
    text = function_of("gpu_outline_copies", name)
    arrays = [numbers(read, dtype=np.float16), np.zeros(32, np.float16)]
    before, then = evaluate(parse(text), *arrays), evaluate(after(text, "gpu-outline-copies"), *arrays)
    assert np.array_equal(before, then)


def test_a_routine_called_beyond_its_indices() -> None:
    kernel = after(function_of("gpu_outline_copies", "steps"), "gpu-outline-copies")
    wrong = parse(str(kernel).replace("extents [3, 8]", "extents [2, 8]"))
    with pytest.raises(EvaluationError, match="a routine is called with 2 for an index from 0 to below 2"):
        evaluate(wrong, numbers(288, dtype=np.float16), np.zeros(32, np.float16))


def test_named_numbers() -> None:
    text = function_of("gpu_name_numbers", "rows")
    arrays = [numbers(8, 64), np.zeros(32, np.float32)]
    before, then = (evaluate(module, *arrays) for module in (parse(text), after(text, "gpu-name-numbers")))
    assert np.array_equal(before, then)
