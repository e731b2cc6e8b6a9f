"""Default schedules without tensor cores: elements and rows, executed as text on the CPU, against numpy in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
from float_programs import Array, layer_norm, random_inputs, softmax, summed

import vtac
from vtac.errors import ScheduleError
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.schedules import default_schedule
from vtac.workloads.float_text import FloatProgram, gelu
from vtac.workloads.tensor_text import Tensor

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))


def run(text: str) -> tuple[vtac.CudaProgram, list[Array], Array]:
    program = vtac.compile(text, "cuda")
    assert isinstance(program, vtac.CudaProgram)
    inputs = random_inputs([(argument.shape, argument.dtype) for argument in program.arguments])
    result = program(*inputs)
    assert not isinstance(result, tuple)
    return program, inputs, result


def close(found: Array, expected: Array, tolerance: float) -> None:
    wide = expected.astype(np.float64)
    error = np.abs(found.astype(np.float64) - wide)
    assert error.max() <= tolerance * max(1.0, np.abs(wide).max())


@needs_compiler
@pytest.mark.parametrize(
    ("shape", "axis", "block"),
    [((3, 768), -1, 256), ((2, 3, 197), -1, 197), ((70, 12), -1, 96), ((2, 40, 3), 1, 32), ((3, 1009), 1, 1009)],
    ids=["rows", "odd rows", "short rows", "columns", "prime rows"],
)
def test_softmax(shape: tuple[int, ...], axis: int, block: int) -> None:
    program, (x,), y = run(softmax(shape, axis))
    assert math.prod(program.launch.block) == block
    parts = np.exp(x.astype(np.float64) - x.max(axis=axis, keepdims=True))
    close(y, parts / parts.sum(axis=axis, keepdims=True), 1e-6)


@needs_compiler
def test_layer_norm_of_halves() -> None:
    program, (x, scale, shift), y = run(layer_norm(6, 96))
    assert (program.launch.grid, program.launch.block) == ((6, 1, 1), (96, 1, 1))
    wide = x.astype(np.float64)
    norm = (wide - wide.mean(axis=1, keepdims=True)) / np.sqrt(wide.var(axis=1, keepdims=True) + 1e-5)
    close(y, norm * scale.astype(np.float64) + shift.astype(np.float64), 2e-3)


@needs_compiler
@pytest.mark.parametrize(
    ("shape", "indices", "axes"),
    [((5, 64), "d0", (1,)), ((64, 5), "d1", (0,)), ((2, 8, 9, 4), "d0, d3", (1, 2)), ((2, 6, 4, 16), "d0, d1", (2, 3))],
    ids=["rows", "columns", "pixels", "images"],
)
def test_sums_along_dimensions(shape: tuple[int, ...], indices: str, axes: tuple[int, ...]) -> None:
    _, (x,), y = run(summed(shape, indices))
    close(y, x.astype(np.float64).sum(axis=axes), 1e-5)


@needs_compiler
def test_matrix_by_vector_reduces_rows_with_whole_blocks() -> None:
    builder = FloatProgram("by_vector")
    a, x = builder.argument("a", (7, 160)), builder.argument("x", (160,))
    program, (left, right), y = run(builder.text(builder.product(Tensor("y", (7,), "f32"), (a, "i, k"), (x, "k"), "i")))
    assert (program.launch.grid, program.launch.block) == ((7, 1, 1), (160, 1, 1))
    close(y, left.astype(np.float64) @ right.astype(np.float64), 1e-5)


@needs_compiler
def test_depthwise_convolution_without_tensor_cores() -> None:
    builder = FloatProgram("depthwise")
    x, w = builder.argument("x", (1, 6, 7, 5)), builder.argument("w", (3, 3, 5))
    y = Tensor("y", (1, 4, 5, 5), "f32")
    text = builder.text(builder.product(y, (x, "n, y + r, x + s, c"), (w, "r, s, c"), "n, y, x, c"))
    program, (image, kernel), found = run(text)
    assert program.launch.grid == (1, 1, 1)
    assert "wmma" not in program.text
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(np.float64), (3, 3), axis=(1, 2))
    close(found, np.einsum("nyxcrs,rsc->nyxc", windows, kernel.astype(np.float64)), 1e-5)


@needs_compiler
def test_transposes_and_gelu_are_computed_as_one_kernel() -> None:
    builder = FloatProgram("turned")
    x = builder.argument("x", (33, 9), "f32")
    turned = builder.map(Tensor("turned_x", (9, 33), "f32"), [(x, "i, j")], "%y = arith.negf %a0 : f32", "j, i")
    y = builder.map(Tensor("y", (9, 33), "f32"), [(turned, "i, j")], gelu("%a0", "%y"))
    program, (found,), result = run(builder.text(y))
    assert program.launch.grid == (2, 1, 1)
    wide = -found.T.astype(np.float64)
    close(result, wide * (1 + np.vectorize(math.erf)(wide / math.sqrt(2))) / 2, 1e-6)


def test_scripts_are_taken_back() -> None:
    text = softmax((4, 64))
    script = str(default_schedule(vtac.parse(text)))
    assert "schedule.rfactor" in script
    assert vtac.compile(text, "cuda", schedule=script).text == vtac.compile(text, "cuda").text


@needs_compiler
@pytest.mark.parametrize("sizes", [(64, 64, 64), (3, 64, 96)])
def test_products_of_floats_share_parts_of_one_element_at_a_time(sizes: tuple[int, int, int]) -> None:
    """Each block of threads adds up one element of the result: 16 parts of 64 sums, not those of all elements."""
    m, n, k = sizes
    builder = FloatProgram("product")
    a, b = builder.argument("a", (m, k), "f32"), builder.argument("b", (k, n), "f32")
    program = vtac.compile(
        builder.text(builder.product(Tensor("c", (m, n), "f32"), (a, "i, k"), (b, "k, j"), "i, j")), "cuda"
    )
    assert isinstance(program, vtac.CudaProgram)
    assert program.launch.shared_bytes == 0
    random = np.random.default_rng(3)
    left, right = (random.integers(-4, 5, s).astype(np.float32) for s in ((m, k), (k, n)))
    assert np.array_equal(program(left, right), left @ right)


NUMBER = """
func.func @std(%x: tensor<4x6xf32>) -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<f32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<f32>) -> tensor<f32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> ()>],
      iterator_types = ["reduction", "reduction"]} ins(%x : tensor<4x6xf32>) outs(%init : tensor<f32>) {
  ^bb0(%v: f32, %acc: f32):
    %s = arith.addf %acc, %v : f32
    linalg.yield %s : f32
  } -> tensor<f32>
  func.return %sum : tensor<f32>
}
"""


@needs_compiler
def test_one_number_is_computed_by_a_block() -> None:
    program = vtac.compile(NUMBER, "cuda")
    assert isinstance(program, vtac.CudaNetwork)
    x = np.arange(24, dtype=np.float32).reshape(4, 6)
    assert program(x) == np.float32(276)
    assert [one.shape for one in program.results] == [()]


def test_one_number_needs_a_dimension_where_it_is_scheduled_by_itself() -> None:
    with pytest.raises(ScheduleError, match="block 'sum' gives one number, of a tensor without dimensions, for which"):
        default_schedule(vtac.parse(NUMBER))


def test_kernels_are_not_called_as_namespaces_are() -> None:
    text = NUMBER.replace("tensor<f32>", "tensor<4xf32>").replace("(i, j) -> ()", "(i, j) -> (i)")
    program = vtac.compile(text.replace('["reduction", "reduction"]', '["parallel", "reduction"]'), "cuda")
    assert isinstance(program, vtac.CudaProgram)
    assert program.launch.kernel == "std_"


def test_what_one_kernel_cannot_hold() -> None:
    with pytest.raises(ScheduleError, match="has no default schedule for this program"):
        default_schedule(vtac.parse("func.func @nothing(%x: memref<4xf32>) {\n  func.return\n}\n"))


@needs_compiler
@pytest.mark.parametrize(
    ("left", "right", "result", "reads"),
    [
        ((2, 3, 20, 16), (2, 3, 24, 16), (2, 3, 20, 24), ("b, h, i, d", "b, h, j, d", "b, h, i, j")),
        ((20, 3, 16), (24, 3, 16), (3, 20, 24), ("i, h, d", "j, h, d", "h, i, j")),
        ((3, 20, 24), (24, 3, 16), (20, 3, 16), ("h, i, j", "j, h, d", "i, h, d")),
        (
            (1, 6, 5, 2, 3),
            (2, 3, 3, 3, 4),
            (1, 4, 3, 2, 4),
            ("n, y + r, x + s, g, c", "g, r, s, c, f", "n, y, x, g, f"),
        ),
    ],
    ids=["heads of a batch", "scores", "values", "convolution in groups"],
)
def test_batches_of_products_take_a_grid_of_three_dimensions(
    left: tuple[int, ...], right: tuple[int, ...], result: tuple[int, ...], reads: tuple[str, str, str]
) -> None:
    builder = FloatProgram("batch")
    a, b = builder.argument("a", left), builder.argument("b", right)
    program, (x, w), y = run(
        builder.text(builder.product(Tensor("y", result, "f32"), (a, reads[0]), (b, reads[1]), reads[2]))
    )
    assert program.launch.grid[2] == {4: 6, 3: 3, 5: 2}[len(left)]
    assert "mma_sync" in program.text
    wide, kernel = x.astype(np.float64), w.astype(np.float64)
    if len(left) == 5:
        windows = np.lib.stride_tricks.sliding_window_view(wide, (3, 3), axis=(1, 2))
        close(y, np.einsum("nyxgcrs,grscf->nyxgf", windows, kernel), 1e-3)
    else:
        close(y, np.einsum("{},{}->{}".format(*(one.replace(", ", "") for one in reads)), wide, kernel), 1e-3)
