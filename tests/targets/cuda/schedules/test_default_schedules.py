"""Default schedules for tensor cores: what they compute, what they look like, and what gets none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from contraction_programs import Contraction, convolution, matmul
from hypothesis import given, settings
from hypothesis import strategies as st

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import CompileError, ScheduleError
from vtac.evaluate import evaluate
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.toolkit import toolkit_unavailable_reason
from vtac.targets.cuda.program import load_cuda_program
from vtac.targets.cuda.schedules import default_schedule, instructions
from vtac.targets.cuda.schedules.tiling import ProductTiling

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
needs_toolkit = pytest.mark.skipif(toolkit_unavailable_reason() is not None, reason=str(toolkit_unavailable_reason()))

LAYERS = {
    "odd sizes": matmul(50, 70, 33),
    "one row": matmul(1, 24, 40, transposed=True),
    "one column": matmul(20, 1, 16, bias=True),
    "vectors": matmul(64, 96, 128, bias=True, relu=True, narrow=True),
    "integers": matmul(24, 40, 48, "i8", bias=True, narrow=True),
    "transposed integers": matmul(40, 24, 32, "i8", transposed=True),
    "first layer": convolution("nchw_fchw", (1, 3, 11, 9), 10, (3, 3), stride=2, pad=1, relu=True),
    "window": convolution("nchw_fchw", (2, 16, 5, 6), 20, (1, 3), "i8", bias=True),
    "channels last": convolution("nhwc_hwcf", (2, 8, 5, 4), 16, (3, 3), pad=1, bias=True, narrow=True),
    "features first": convolution("nhwc_fhwc", (1, 3, 6, 5), 8, (3, 1), stride=2, narrow=True),
    "pointwise": convolution("nchw_fchw", (1, 32, 4, 8), 32, (1, 1), relu=True),
}
GEMM = """
func.func @f(%a: tensor<{a}xf16>, %b: tensor<{b}xf16>) -> tensor<{c}xf32> {{
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<{c}xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<{c}xf32>) -> tensor<{c}xf32>
  %product = linalg.{op} ins(%a, %b : tensor<{a}xf16>, tensor<{b}xf16>) outs(%init : tensor<{c}xf32>) -> tensor<{c}xf32>
  func.return %product : tensor<{c}xf32>
}}
"""


def check(layer: Contraction, architecture: str | None = None) -> vtac.CudaProgram:
    record = None if architecture is None else gpu_architecture(architecture)
    program = vtac.compile(layer.text(), "cuda", record)
    assert isinstance(program, vtac.CudaProgram)
    inputs = layer.inputs()
    assert np.array_equal(program(*inputs), evaluate(vtac.parse(layer.text()), *inputs))
    return program


@needs_compiler
@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_all_kinds(name: str) -> None:
    check(LAYERS[name])


@needs_compiler
@settings(max_examples=4)
@given(st.data())
def test_any_size(data: st.DataObject) -> None:
    layouts = st.sampled_from(("nchw_fchw", "nhwc_hwcf", "nhwc_fhwc"))
    sizes = tuple(data.draw(st.integers(low, high)) for low, high in ((1, 2), (1, 20), (3, 8), (3, 8)))
    window = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    tail = {name: data.draw(st.booleans()) for name in ("bias", "relu", "narrow")}
    element, stride, pad = (
        data.draw(st.sampled_from(("f16", "i8"))),
        data.draw(st.integers(1, 2)),
        data.draw(st.integers(0, 1)),
    )
    features = data.draw(st.integers(1, 40))
    assert len(sizes) == 4
    check(convolution(data.draw(layouts), sizes, features, window, element, stride, pad, **tail))


@needs_compiler
@pytest.mark.parametrize(("architecture", "stages"), [(None, 2), ("sm_90", 4)])
def test_warps_share_large_tiles_and_copies_run_ahead(
    architecture: str | None, stages: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tiles that a larger product would have: the operands of several steps, then the result in the same memory."""
    tiling = ProductTiling((16, 16, 16), 4, 2, 2, 2, 2, stages)

    def chosen(*_: object) -> ProductTiling:
        return tiling

    monkeypatch.setattr(instructions, "choose_tiling", chosen)
    program = check(matmul(128, 120, 160, bias=True), architecture)
    assert (program.launch.grid, program.launch.block) == ((1, 2, 1), (32, 2, 2))
    assert program.launch.shared_bytes == max(4 * 128 * 72, stages * 2 * (128 * 40 + 32 * 72))
    assert f"constexpr int stages = {stages};" in program.text
    assert "__pipeline_wait_prior(stages - 2);" in program.text


@needs_compiler
def test_bfloat16() -> None:
    layer = matmul(20, 24, 32, "bf16", narrow=True)
    program = vtac.compile(layer.text(), "cuda")
    ones = [np.full(shape, 0x3F80, np.uint16) for shape in (layer.data, layer.kernel)]
    assert np.array_equal(program(*ones), np.full(layer.result, 0x4200, np.uint16))


@needs_compiler
def test_halves_are_added_up_in_halves_where_the_program_says_so() -> None:
    """What frontends print for half-precision models; small whole numbers are exact."""
    text = gemm("matmul", "40x48", "48x56", "40x56").replace("f32", "f16")
    program = vtac.compile(text, "cuda")
    assert "wmma::fragment<wmma::accumulator, 16, 16, 16, half> sums" in program.text
    generator = np.random.default_rng(0)
    a, b = (generator.integers(-2, 3, p.shape).astype(np.float16) for p in program.arguments)
    assert np.array_equal(program(a, b), a.astype(np.float32) @ b.astype(np.float32))
    assert np.array_equal(evaluate(vtac.parse(text), a, b), program(a, b))


CONSTANT = """
func.func @main(%x: tensor<4x2xf16>) -> tensor<4x3xf16> {
  %weights = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf16>
  %bias = arith.constant dense<[10.0, 20.0, 30.0]> : tensor<3xf32>
  %least = arith.constant 0.0 : f32
  %wide = tensor.empty() : tensor<4x3xf32>
  %start = linalg.broadcast ins(%bias : tensor<3xf32>) outs(%wide : tensor<4x3xf32>) dimensions = [0]
  %product = linalg.matmul ins(%x, %weights : tensor<4x2xf16>, tensor<2x3xf16>)
    outs(%start : tensor<4x3xf32>) -> tensor<4x3xf32>
  %empty = tensor.empty() : tensor<4x3xf16>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%product : tensor<4x3xf32>) outs(%empty : tensor<4x3xf16>) {
  ^bb0(%v: f32, %o: f16):
    %more = arith.cmpf ugt, %v, %least : f32
    %kept = arith.select %more, %v, %least : f32
    %r = arith.truncf %kept : f32 to f16
    linalg.yield %r : f16
  } -> tensor<4x3xf16>
  func.return %y : tensor<4x3xf16>
}
"""


@needs_compiler
def test_constants_belong_to_the_program_and_a_bias_may_be_the_start(tmp_path: Path) -> None:
    program = vtac.compile(CONSTANT, "cuda")
    assert [argument.name for argument in program.arguments] == ["x"]
    x = np.array([[1, 1], [-9, 0], [0, -9], [np.nan, 0]], np.float16)
    expected = [[15, 27, 39], [1, 2, 3], [0, 0, 0], [np.nan] * 3]
    program.save(tmp_path)
    for run in (program, load_cuda_program(tmp_path)):
        assert np.array_equal(run(x), np.array(expected, np.float16), equal_nan=True)
    np.savez(tmp_path / "constants.npz", weights=np.zeros((2, 2), np.float16))
    with pytest.raises(CompileError, match="'weights' is no input of kernel `main_` with that shape and dtype"):
        load_cuda_program(tmp_path)


@pytest.mark.parametrize("name", LAYERS)
def test_scripts_are_taken_back(name: str) -> None:
    text = LAYERS[name].text()
    script = str(default_schedule(vtac.parse(text)))
    assert vtac.compile(text, "cuda", schedule=script).text == vtac.compile(text, "cuda").text


@needs_toolkit
@pytest.mark.parametrize("architecture", ["sm_75", "sm_80", "sm_90"])
@pytest.mark.parametrize(
    "layer", [matmul(4096, 4096, 512, narrow=True), convolution("nchw_fchw", (8, 64, 56, 56), 128, (3, 3), "i8", 2, 1)]
)
def test_large_layers_compile_without_spills(layer: Contraction, architecture: str) -> None:
    record = gpu_architecture(architecture)
    program = vtac.compile(layer.text(), "cuda", record)
    compiled = compile_kernel(program.text, program.launch.kernel, architecture)
    assert not compiled.spills
    compiled.check_launch(program.launch)


def gemm(operation: str, a: str, b: str, c: str) -> str:
    return GEMM.format(op=operation, a=a, b=b, c=c)


TWO = gemm("matmul", "16x16", "16x16", "16x16").replace(
    "  func.return %product",
    """  %wide = linalg.matmul ins(%a, %a : tensor<16x16xf16>, tensor<16x16xf16>) outs(%init : tensor<16x16xf32>)
    -> tensor<16x16xf32>
  func.return %wide""",
)
PADDED_BY_ONE = (
    convolution("nchw_fchw", (1, 3, 4, 4), 8, (3, 3), pad=1)
    .text()
    .replace("tensor.yield %zero", "%one = arith.constant 1.0 : f16\n    tensor.yield %one")
)
WINDOWS = """
func.func @f(%a: tensor<20xf16>, %b: tensor<3x4xf16>) -> tensor<18x4xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<18x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<18x4xf32>) -> tensor<18x4xf32>
  %sums = linalg.generic {indexing_maps = [affine_map<(x, f, r) -> (x + r)>, affine_map<(x, f, r) -> (r, f)>,
      affine_map<(x, f, r) -> (x, f)>], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%a, %b : tensor<20xf16>, tensor<3x4xf16>) outs(%init : tensor<18x4xf32>) {
  ^bb0(%x: f16, %w: f16, %acc: f32):
    %xw = arith.extf %x : f16 to f32
    %ww = arith.extf %w : f16 to f32
    %m = arith.mulf %xw, %ww : f32
    %s = arith.addf %acc, %m : f32
    linalg.yield %s : f32
  } -> tensor<18x4xf32>
  func.return %sums : tensor<18x4xf32>
}
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TWO, "block 'wide' is a second reduction, beside 'product'; one contraction with an elementwise tail"),
        (PADDED_BY_ONE, "block 'padded' pads with 1.0; padding with zeros is required, or give a schedule"),
        (WINDOWS, "no reduction variable ends where a dimension of both operands does"),
    ],
    ids=["two", "padding", "windows"],
)
def test_refusals(text: str, message: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        default_schedule(vtac.parse(text))
    assert "target 'cuda' has no default schedule for this program: " in str(caught.value)
    assert message in str(caught.value)
    assert str(caught.value).endswith("or give a schedule")
    assert caught.value.location


def test_a_batch_of_one_is_none() -> None:
    program = vtac.compile(gemm("batch_matmul", "1x16x16", "1x16x32", "1x16x32"), "cuda")
    assert program.launch.grid == (1, 2, 1)


BYTES = """
func.func @f(%a: tensor<20x48xi8>, %b: tensor<48x24xi8>) -> tensor<20x24xi32> {{
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<20x24xi32>
  %init = linalg.fill ins(%zero : i32) outs(%empty : tensor<20x24xi32>) -> tensor<20x24xi32>
  %sums = linalg.generic {{indexing_maps = [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>,
      affine_map<(i, j, k) -> (i, j)>], iterator_types = ["parallel", "parallel", "reduction"]}}
    ins(%a, %b : tensor<20x48xi8>, tensor<48x24xi8>) outs(%init : tensor<20x24xi32>) {{
  ^bb0(%x: i8, %w: i8, %acc: i32):
    %xw = arith.extui %x : i8 to i32
    %ww = arith.{other} %w : i8 to i32
    %m = arith.muli %xw, %ww : i32
    %s = arith.addi %acc, %m : i32
    linalg.yield %s : i32
  }} -> tensor<20x24xi32>
  func.return %sums : tensor<20x24xi32>
}}
"""


@needs_compiler
@pytest.mark.parametrize(("other", "uses_tensor_cores"), [("extui", True), ("extsi", False)])
def test_unsigned_bytes_are_multiplied_by_their_like(other: str, uses_tensor_cores: bool) -> None:
    text = BYTES.format(other=other)
    program = vtac.compile(text, "cuda")
    assert ("mma_sync" in program.text) == uses_tensor_cores
    generator = np.random.default_rng(0)
    inputs = [generator.integers(-128, 128, a.shape).astype(np.int8) for a in program.arguments]
    assert np.array_equal(program(*inputs), evaluate(vtac.parse(text), *inputs))
