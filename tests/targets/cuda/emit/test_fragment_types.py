"""Every fragment that CUDA has: as text for the compiler, on the CPU, and by numpy, with one result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from xdsl.dialects.builtin import ModuleOp

from vtac.dialects.gpu_hardware import TensorCoreOperation, gpu_architectures
from vtac.evaluate import evaluate_kernel
from vtac.evaluate.bfloat16 import from_bfloat16, to_bfloat16
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.building import to_program
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason
from vtac.text.source import parse

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_toolkit = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))
OPERATIONS = gpu_architectures()["sm_90"].operations
TYPES = sorted({(operation.operand, operation.accumulator) for operation in OPERATIONS})
MEMORY = {"f16": "f16", "bf16": "bf16", "tf32": "f32", "s8": "i8", "u8": "i8", "f32": "f32", "s32": "i32"}
_PITCH = 32
"""Elements from row to row of every matrix."""


def shapes_of(operand: str, accumulator: str) -> list[TensorCoreOperation]:
    return [op for op in OPERATIONS if (op.operand, op.accumulator) == (operand, accumulator)]


def kernel(operand: str, accumulator: str) -> ModuleOp:
    """One warp that multiplies one tile of each shape."""
    narrow, wide = MEMORY[operand], MEMORY[accumulator]
    arguments: list[str] = []
    lines: list[str] = []
    for at, tile in enumerate(shapes_of(operand, accumulator)):
        shape = f"[{tile.m}, {tile.n}, {tile.k}]"
        a, b = (f"!wmma.fragment<1 x {role} {shape} {operand} row_major>" for role in ("matrix_a", "matrix_b"))
        c = f"!wmma.fragment<1 x accumulator {shape} {accumulator}>"
        flat = [
            f"memref<{rows * _PITCH}x{kind}>" for rows, kind in ((tile.m, narrow), (tile.k, narrow), (tile.m, wide))
        ]
        arguments += [f"%a{at}: {flat[0]}", f"%b{at}: {flat[1]}", f"%c{at}: {flat[2]} {{schedule.result}}"]
        zero = "0 : i32" if accumulator == "s32" else f"0.0 : {wide}"
        lines += [
            f"  %fa{at} = wmma.fragments : {a}",
            f"  %fb{at} = wmma.fragments : {b}",
            f"  %fc{at} = wmma.fragments : {c}",
            f"  wmma.fill_fragment %fc{at}[%0], {zero} : {c}",
            f"  wmma.load_matrix_sync %fa{at}[%0], %a{at}[%0] leading {_PITCH} : {a}, {flat[0]}",
            f"  wmma.load_matrix_sync %fb{at}[%0], %b{at}[%0] leading {_PITCH} : {b}, {flat[1]}",
            f"  wmma.mma_sync %fc{at}[%0], %fa{at}[%0], %fb{at}[%0] : {c}, {a}, {b}",
            f"  wmma.store_matrix_sync %c{at}[%0] leading {_PITCH}, %fc{at}[%0] : {flat[2]}, {c}",
        ]
    body = "\n".join(lines)
    return parse(f"""
func.func @tiles({", ".join(arguments)}) attributes {{
    gpu.kernel, wmma.grid = array<i64: 1, 1, 1>, wmma.block = array<i64: 32, 1, 1>}} {{
  %0 = arith.constant 0 : index
{body}
  func.return
}}
""")


def operands(operand: str, accumulator: str) -> list[Array]:
    """A matrix a and b for each shape; bytes with and without their highest bit."""
    random = np.random.default_rng(0)
    made: list[Array] = []
    for tile in shapes_of(operand, accumulator):
        for rows in (tile.m, tile.k):
            numbers = random.integers(-4, 5, rows * _PITCH)
            if operand in ("s8", "u8"):
                made.append(random.integers(0, 256, rows * _PITCH).astype(np.uint8).view(np.int8))
            elif operand == "bf16":
                made.append(to_bfloat16(numbers.astype(np.float32)))
            else:
                made.append(numbers.astype(np.float16 if operand == "f16" else np.float32))
    return made


def products(operand: str, accumulator: str, inputs: Sequence[Array]) -> list[Array]:
    results: list[Array] = []
    for at, tile in enumerate(shapes_of(operand, accumulator)):
        a, b = (_numbers(operand, array).reshape(-1, _PITCH) for array in inputs[2 * at : 2 * at + 2])
        results.append(a[:, : tile.k] @ b[:, : tile.n])
    return results


def _numbers(operand: str, array: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    if operand == "bf16":
        return from_bfloat16(array.astype(np.uint16)).astype(np.float64)
    return (array.view(np.uint8) if operand == "u8" else array).astype(np.float64)


@needs_compiler
@needs_toolkit
@pytest.mark.parametrize(("operand", "accumulator"), TYPES)
def test_tiles_of_every_shape(operand: str, accumulator: str) -> None:
    module, inputs = kernel(operand, accumulator), operands(operand, accumulator)
    program = to_program(module)
    compile_kernel(program.text, "tiles", "sm_90")
    run = program.run_on_cpu(inputs)
    by_numpy = evaluate_kernel(module, inputs).outputs
    for tile, expected, text, level in zip(
        shapes_of(operand, accumulator), products(operand, accumulator, inputs), run.outputs, by_numpy, strict=True
    ):
        for found in (text, level):
            assert np.array_equal(found.reshape(-1, _PITCH)[:, : tile.n].astype(np.float64), expected)
