"""Programs of a dynamic outermost size: for sizes of 1, primes and more than a tile, against numpy; what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from cuda_networks import gated, perceptron
from dynamic_programs import EXTENT, dynamic

import vtac
from vtac.errors import CompileError, ConfigError, LaunchError
from vtac.evaluate import evaluate
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.dynamic import CudaDynamic
from vtac.targets.cuda.dynamic_plan import DynamicPlan, GridSize
from vtac.tools.vtac import main
from vtac.workloads.attention import Attention

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
_CONVOLUTION = f"""
func.func @convolution(%x: tensor<{EXTENT}x6x6x16xf16>, %w: tensor<3x3x16x24xf16>) -> tensor<{EXTENT}x4x4x24xf32> {{
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<{EXTENT}x4x4x24xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<{EXTENT}x4x4x24xf32>) -> tensor<{EXTENT}x4x4x24xf32>
  %r = linalg.conv_2d_nhwc_hwcf {{dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}}
    ins(%x, %w : tensor<{EXTENT}x6x6x16xf16>, tensor<3x3x16x24xf16>)
    outs(%i : tensor<{EXTENT}x4x4x24xf32>) -> tensor<{EXTENT}x4x4x24xf32>
  func.return %r : tensor<{EXTENT}x4x4x24xf32>
}}
"""
_BATCH = f"""
func.func @batch(%x: tensor<{EXTENT}x20x16xf16>, %w: tensor<{EXTENT}x16x24xf16>) -> tensor<{EXTENT}x20x24xf32> {{
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<{EXTENT}x20x24xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<{EXTENT}x20x24xf32>) -> tensor<{EXTENT}x20x24xf32>
  %r = linalg.batch_matmul ins(%x, %w : tensor<{EXTENT}x20x16xf16>, tensor<{EXTENT}x16x24xf16>)
    outs(%i : tensor<{EXTENT}x20x24xf32>) -> tensor<{EXTENT}x20x24xf32>
  func.return %r : tensor<{EXTENT}x20x24xf32>
}}
"""
PROGRAMS: Mapping[str, str] = {
    "products and a softmax": perceptron(EXTENT, 48, 24),
    "a gate": gated().replace("20x", f"{EXTENT}x"),
    "convolution": _CONVOLUTION,
    "batch of products": _BATCH,
    "attention": Attention(EXTENT, 20, 40, 32, 32).text(),
}
"""Of each kind of kernel: products, rows, elementwise operations beside them, windows, batches, attention."""


_SHIFT = """
func.func @shift(%x: tensor<?x8xi32>) -> tensor<?x8xi32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xi32>
  %e = tensor.empty(%n) : tensor<?x8xi32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%x : tensor<?x8xi32>) outs(%e : tensor<?x8xi32>) {
  ^bb0(%a: i32, %o: i32):
    %c = arith.constant 59 : i32
    %y = arith.addi %a, %c : i32
    linalg.yield %y : i32
  } -> tensor<?x8xi32>
  func.return %r : tensor<?x8xi32>
}
"""


@cache
def program(name: str) -> CudaDynamic:
    found = vtac.compile(dynamic(PROGRAMS[name]), "cuda")
    assert isinstance(found, CudaDynamic)
    return found


def inputs(found: CudaDynamic, size: int) -> list[Array]:
    random = np.random.default_rng(size)
    buffers = found.dynamic.plan.of_role("argument")
    return [random.standard_normal(found.dynamic.shape(b.shape, size)).astype(b.numpy_dtype) for b in buffers]


@needs_compiler
@pytest.mark.parametrize("size", [1, 67])
@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "a gate"])
def test_equal_to_numpy(name: str, size: int) -> None:
    found = program(name)
    arrays = inputs(found, size)
    result, expected = found(*arrays), evaluate(vtac.parse(PROGRAMS[name].replace(str(EXTENT), str(size))), *arrays)
    assert isinstance(result, np.ndarray)
    assert isinstance(expected, np.ndarray)
    assert result.shape == expected.shape
    assert np.allclose(result.astype(np.float64), expected.astype(np.float64), rtol=0, atol=4e-3)
    assert all(np.array_equal(run.outputs[0], result) for run in (found.run_on_cpu(*arrays), found.run_on_cpu(arrays)))


def test_the_line_of_a_program_and_its_text_name_the_size() -> None:
    found = program("products and a softmax")
    assert str(found).startswith("perceptron(x: float16[n, 16], w1: float16[16, 48], w2: float16[48, 24]) -> ")
    assert "y: float32[n, 24]: 3 kernels in 3 launches" in str(found)
    assert "half *__restrict__ x,  // n x 16" in found.text
    assert "15104" not in found.text


def test_grids_and_memory_follow_the_size() -> None:
    found = program("products and a softmax")
    small, large = found.at(1).plan, found.at(1000).plan
    rows = [rule.step // rule.row for rule in found.dynamic.grids if rule is not None]
    assert [kernel.grid[0] for kernel in small.kernels] == [1, 1, 1]
    assert [kernel.grid[0] for kernel in large.kernels] == [-(-1000 // row) for row in rows]
    assert small.scratch_bytes < large.scratch_bytes <= 1000 * (2 * 48 + 4 * 24) + 512


@needs_compiler
def test_saved_and_loaded(tmp_path: Path) -> None:
    found = program("a gate")
    found.save(tmp_path / "gate")
    loaded = vtac.load_program(tmp_path / "gate", "cuda")
    assert isinstance(loaded, CudaDynamic)
    assert (loaded.dynamic, loaded.text) == (found.dynamic, found.text)
    arrays = inputs(found, 5)
    assert np.array_equal(loaded(*arrays), found(*arrays))


@needs_compiler
def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "batch.mlir"
    file.write_text(dynamic(PROGRAMS["batch of products"]), encoding="utf-8")
    assert main(["run", str(file), "--target", "cuda", "--size", "3", "--check"]) == 0
    assert "float32 3x20x24" in capsys.readouterr().out
    assert main(["run", str(file), "--target", "cuda"]) == 1
    assert "has a dynamic size n" in capsys.readouterr().err


REFUSED = {
    "no row": ([(0, 20, 16), (0, 16, 24)], "program `batch` for a size of 0; 1 or more is required"),
    "different": (
        [(3, 20, 16), (4, 16, 24)],
        "program `batch` got arrays of different sizes: `x` 3, `w` 4; all have to agree",
    ),
    "another shape": (
        [(3, 20, 17), (3, 16, 24)],
        r"argument `x` of program `batch` got an array of \[3, 20, 17\]; it is float16 \[n, 20, 16\] for a size n",
    ),
    "one array": ([(3, 20, 16)], "program `batch` got 1 arrays; it takes 2: x, w"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_arrays_that_do_not_fit(name: str) -> None:
    shapes, message = REFUSED[name]
    with pytest.raises(LaunchError, match=message):
        program("batch of products")(*(np.zeros(shape, np.float16) for shape in shapes))


def test_sizes_beyond_what_kernels_count() -> None:
    with pytest.raises(LaunchError, match=r"`x` would have 40,000,\d+ elements|kernels count to 2,147,483,647"):
        program("a gate").at(2**28)
    with pytest.raises(LaunchError, match=r"kernel `batch_r` for a size of 65,536: .*grid.z is 65536"):
        program("batch of products").at(2**16)


@pytest.mark.parametrize("size", ["3", None, 2.0, True])
def test_what_is_no_size(size: object) -> None:
    with pytest.raises(LaunchError, match=f"program `gated` for a size of {size!r}; an integer is required"):
        program("a gate").at(cast("int", size))


@pytest.mark.parametrize("size", [2**31, 2**70])
def test_sizes_beyond_an_integer_of_a_kernel(size: int) -> None:
    with pytest.raises(LaunchError, match=f"for a size of {size:,}: .* kernels count to 2,147,483,647"):
        program("a gate").at(size)


def test_a_size_of_numpy() -> None:
    assert program("a gate").at(cast("int", np.int64(3))).plan == program("a gate").at(3).plan


def test_a_constant_is_not_taken_for_the_size() -> None:
    found = vtac.compile(_SHIFT, "cuda")
    assert isinstance(found, CudaDynamic)
    assert found.dynamic.stand_in == 256 * 61
    assert "59" in found.text


def test_a_function_that_computes_nothing() -> None:
    text = "func.func @same(%x: tensor<?x5xf32>) -> tensor<?x5xf32> {\n  func.return %x : tensor<?x5xf32>\n}\n"
    with pytest.raises(CompileError, match="a function that computes nothing"):
        vtac.compile(text, "cuda")


def test_a_size_that_nothing_takes() -> None:
    text = """
func.func @twice(%x: tensor<?x8xf32>, %y: tensor<5x8xf32>) -> tensor<5x8xf32> {
  %e = tensor.empty() : tensor<5x8xf32>
  %r = linalg.add ins(%y, %y : tensor<5x8xf32>, tensor<5x8xf32>) outs(%e : tensor<5x8xf32>) -> tensor<5x8xf32>
  func.return %r : tensor<5x8xf32>
}
"""
    with pytest.raises(CompileError, match="no kernel of 'twice' takes the dynamic size"):
        vtac.compile(text, "cuda")


def test_options_that_are_of_other_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "shift.mlir"
    file.write_text(_SHIFT, encoding="utf-8")
    assert main(["run", str(file), "--target", "cuda", "--size", "3", "--blocks", "1"]) == 1
    assert "has a dynamic size; it is executed whole" in capsys.readouterr().err
    assert main(["run", str(Path(__file__).parents[3] / "examples/vta_matmul.mlir"), "--size", "3"]) == 1
    assert "--size 3: dynamic sizes are of CUDA programs; the target is vta" in capsys.readouterr().err


def test_what_depends_on_the_size_is_asked_of_one() -> None:
    found = program("a gate")
    for act in (found.on_gpu, found.report, lambda: found.torch_op("mine::gate")):
        with pytest.raises(LaunchError, match="has a dynamic size"):
            act()


def test_a_script_for_the_whole_function() -> None:
    text = dynamic(_BATCH) + "schedule.script @batch {\n  schedule.yield\n}\n"
    with pytest.raises(CompileError):
        vtac.compile(text, "cuda")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"stand_in": 4, "grids": [], "number": "size"},
        {"stand_in": 15104, "grids": [{"dimension": 0, "times": 0, "row": 1, "step": 1}], "number": "size"},
    ],
)
def test_a_record_that_says_nothing_of_its_grids(data: object) -> None:
    with pytest.raises(ConfigError, match=r"plan\.json: (dynamic|a grid) is"):
        DynamicPlan.from_json(program("batch of products").dynamic.plan, data, "plan.json")


@pytest.mark.parametrize(
    "changed", [{"stand_in": 0}, {"stand_in": 7}, {"stand_in": True}, {"stand_in": 256 * 61}, {"number": "nope"}]
)
def test_a_record_of_another_plan(changed: dict[str, object]) -> None:
    dynamic = program("batch of products").dynamic
    with pytest.raises(ConfigError, match=r"plan\.json: dynamic is"):
        DynamicPlan.from_json(dynamic.plan, {**dynamic.to_json(), **changed}, "plan.json")


@pytest.mark.parametrize("changed", [{"dimension": 7}, {"dimension": -1}, {"step": 0}, {"times": True}, {"row": "1"}])
def test_a_record_of_a_grid_that_is_none(changed: dict[str, object]) -> None:
    dynamic = program("batch of products").dynamic
    grids = [{"dimension": 0, "times": 1, "row": 1, "step": 1, **changed}] * len(dynamic.grids)
    with pytest.raises(ConfigError, match=r"plan\.json: a grid is"):
        DynamicPlan.from_json(dynamic.plan, {**dynamic.to_json(), "grids": grids}, "plan.json")


def test_blocks_of_a_rule() -> None:
    assert [GridSize(0, 3, 96, 256).blocks(size) for size in (1, 2, 3, 8)] == [3, 3, 6, 9]
