"""Networks whose kernels call the same functions: their text is one translation unit, which a CUDA compiler takes."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from cuda_networks import chained
from mma_programs import product

import vtac
from vtac.dialects.wmma.declared import INSTRUCTIONS, Instructions
from vtac.targets.cuda.compiling import joined
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.emit.kernel import kernel_parts
from vtac.targets.cuda.gpu.compile import compile_kernels
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_toolkit = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))

SHAPES = (64, 128, 64, 64)
"""x, 64 x 128, by matrices of 64 and 64 columns."""
WAYS: list[tuple[str, Instructions]] = [
    ("sm_90", "tma"),
    ("sm_90a", "tma"),
    ("sm_90a", "wgmma"),
    ("sm_90a", "estimated"),
    ("sm_80", "mma.sync"),
]


def network(architecture: str, instructions: Instructions) -> vtac.CudaNetwork:
    module = vtac.parse(chained(*SHAPES))
    INSTRUCTIONS.set(module, instructions)
    found = vtac.compile(module, "cuda", architecture)
    assert isinstance(found, vtac.CudaNetwork)
    return found


@pytest.mark.parametrize(("architecture", "instructions"), WAYS)
def test_functions_and_types_are_defined_once(architecture: str, instructions: Instructions) -> None:
    text = network(architecture, instructions).text
    defined = Counter(re.findall(r"^(?:__device__ __forceinline__ [\w ]+? |struct alignas\(64\) )(\w+)", text, re.M))
    assert defined
    assert set(defined.values()) == {1}
    assert text.rindex("\n__device__") < text.index("\n// Kernel ")


@needs_toolkit
@pytest.mark.parametrize(("architecture", "instructions"), WAYS)
def test_the_whole_text_compiles(architecture: str, instructions: Instructions) -> None:
    found = network(architecture, instructions)
    kernels = [one.kernel for one in found.plan.kernels]
    assert [one.kernel for one in compile_kernels(found.text, kernels, architecture)] == kernels


@needs_compiler
@pytest.mark.parametrize(("architecture", "instructions"), WAYS[1:3])
def test_each_kernel_runs_with_what_all_of_them_call(architecture: str, instructions: Instructions) -> None:
    random = np.random.default_rng(2)
    rows, depth, middle, columns = SHAPES
    shapes = (rows, depth), (depth, middle), (middle, columns)
    x, v, w = (random.integers(-1, 2, shape).astype(np.float16) for shape in shapes)
    result = network(architecture, instructions)(x, v, w)
    np.testing.assert_array_equal(result, (x @ v).astype(np.float32) @ w.astype(np.float32))


def test_what_a_function_is_for_stays_with_it() -> None:
    module = vtac.parse(product((64, 64, 128)).text)
    INSTRUCTIONS.set(module, "wgmma")
    text = vtac.compile(module, "cuda", "sm_90a").text
    parts, rest = kernel_parts(text)
    assert rest.startswith("// f, written by vtac")
    found = next(part for part in parts if "matrix_descriptor(" in part)
    assert found.startswith("// Leading and stride in bytes")
    assert found.endswith("\n}")
    assert joined({"f": text, "g": text}).count(found) == 1
