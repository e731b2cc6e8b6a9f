"""Programs of several kernels: cut, planned, run on the CPU, saved and loaded, reported."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from cuda_networks import forked, gated, perceptron, repeated
from float_programs import Array, random_inputs

import vtac
from vtac.errors import CompileError, ConfigError, LaunchError
from vtac.evaluate import evaluate
from vtac.passes.gpu.outline_gpu_kernels import OutlineGpuKernels
from vtac.pipelines import Runner
from vtac.targets.cuda.compiling import KERNELS_PIPELINE, schedules
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.launch import LaunchRecord
from vtac.targets.cuda.plan import LaunchPlan, PlanBuffer, PlanStep, place_scratch
from vtac.text.context import make_context

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))


@cache
def network(text: str) -> vtac.CudaNetwork:
    program = vtac.compile(text, "cuda")
    assert isinstance(program, vtac.CudaNetwork)
    return program


def inputs_of(program: vtac.CudaNetwork) -> list[Array]:
    return random_inputs([(argument.shape, argument.dtype) for argument in program.arguments])


def numpy_kernels(program: vtac.CudaNetwork, arrays: list[Array], source: str) -> tuple[Array, ...]:
    found = evaluate(vtac.parse(source), *arrays)
    return found if isinstance(found, tuple) else (found,)


@needs_compiler
@pytest.mark.parametrize(
    "text", [perceptron(), repeated(), forked(), gated()], ids=["perceptron", "repeated", "forked", "gated"]
)
def test_equal_to_numpy(text: str) -> None:
    program = network(text)
    arrays = inputs_of(program)
    run = program.run_on_cpu(arrays)
    assert all(map(np.array_equal, program.run_on_cpu(*arrays).outputs, run.outputs))
    for found, expected in zip(run.outputs, numpy_kernels(program, arrays, text), strict=True):
        assert np.allclose(found.astype(np.float64), expected.astype(np.float64), rtol=2e-3, atol=2e-3)


def test_products_keep_their_tails_and_rows_stand_together() -> None:
    program = network(perceptron())
    names = [kernel.kernel for kernel in program.plan.kernels]
    assert names == ["perceptron_hidden", "perceptron_second", "perceptron_y"]
    assert [step.kernel for step in program.plan.steps] == [0, 1, 2]
    assert str(program).endswith("3 kernels in 3 launches, 4,096 bytes of scratch memory")


def test_what_does_not_follow_from_a_product_is_computed_beside_it() -> None:
    plan = network(gated()).plan
    assert [[p.name for p in kernel.inputs] for kernel in plan.kernels] == [["x", "v"], ["s", "x", "w", "gate"]]


def test_equal_kernels_are_one_and_buffers_take_turns() -> None:
    plan = network(repeated(4)).plan
    assert len(plan.kernels) == 1
    assert [step.kernel for step in plan.steps] == [0, 0, 0, 0]
    places = [(buffer.offset, buffer.first, buffer.last) for buffer in plan.of_role("scratch")]
    assert places == [(0, 0, 1), (1024, 1, 2), (0, 2, 3)]
    assert plan.scratch_bytes == 2048


def test_the_cut_module_computes_the_same() -> None:
    module = vtac.parse(perceptron())
    arrays = inputs_of(network(perceptron()))
    expected = evaluate(module, *arrays)
    Runner(make_context()).run_phases(KERNELS_PIPELINE.phases, module)
    assert np.array_equal(evaluate(module, *arrays), expected)
    before = str(module)
    OutlineGpuKernels().apply(make_context(), module)
    assert str(module) == before


def test_scripts_of_kernels_are_taken_back() -> None:
    scripts = "".join(str(script) for script in schedules(vtac.parse(perceptron())))
    assert scripts.count("schedule.script") == 3
    assert network(perceptron()) == vtac.compile(perceptron(), "cuda", schedule=scripts)
    foreign = scripts.replace("@perceptron_y", "@perceptron_z")
    with pytest.raises(
        CompileError, match="a schedule for 'perceptron_z'; the kernels of this program are perceptron_h"
    ):
        vtac.compile(perceptron(), "cuda", schedule=foreign)


def test_saved_and_loaded(tmp_path: Path) -> None:
    program = network(perceptron())
    program.save(tmp_path / "saved")
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == ["kernels.cu", "plan.json"]
    loaded = vtac.load_program(tmp_path / "saved", "cuda")
    assert loaded == program
    with pytest.raises(CompileError, match="holds a program for CUDA, not for VTA"):
        vtac.load_program(tmp_path / "saved", "vta")
    (tmp_path / "saved" / "kernels.cu").write_text("// other\n")
    with pytest.raises(CompileError, match=r"kernels\.cu is not the file that was saved with plan\.json"):
        vtac.load_program(tmp_path / "saved")
    record = json.loads((tmp_path / "saved" / "plan.json").read_text())
    record["steps"] = [{"kernel": 9, "buffers": []}]
    (tmp_path / "saved" / "plan.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match="step 0 launches kernel 9; there are 3"):
        vtac.load_program(tmp_path / "saved")


def test_report() -> None:
    page = network(perceptron()).report()
    assert "perceptron_hidden" in page
    assert "Launch plan" in page


def test_calls_that_do_not_fit() -> None:
    program = network(perceptron())
    with pytest.raises(LaunchError, match="program `perceptron` got 0 arrays; it takes 3: x, w1, w2"):
        program()
    arrays = inputs_of(program)
    with pytest.raises(LaunchError, match="blocks=2: a kernel needs all that the ones before it compute"):
        program(*arrays, blocks=2)
    with pytest.raises(
        LaunchError, match=r"argument `x` of program `perceptron` got float32 \[20, 16\]; it is float16"
    ):
        program(arrays[0].astype(np.float32), *arrays[1:])
    with pytest.raises(LaunchError, match="program 'perceptron' has 3 kernels: see its plan"):
        print(program.launch)


def plan(*buffers: PlanBuffer, order: tuple[int, ...] = (0, 1, 2)) -> LaunchPlan:
    record = LaunchRecord("k", (1, 1, 1), (32, 1, 1), 0, network(repeated()).plan.kernels[0].parameters)
    x = PlanBuffer("x", "argument", "float16", (16, 32))
    w = PlanBuffer("w", "argument", "float16", (32, 32))
    return LaunchPlan("p", (record,), (PlanStep(0, order),), (x, w, *buffers), 1024)


@pytest.mark.parametrize(
    ("buffer", "order", "message"),
    [
        (PlanBuffer("y", "result", "float32", (16, 32)), (0, 1, 2), "buffer y is float32"),
        (PlanBuffer("y", "result", "float16", (16, 32)), (2, 1, 0), "reads y, which no step before it writes"),
        (PlanBuffer("y", "argument", "float16", (16, 32)), (0, 1, 2), "writes argument y"),
        (PlanBuffer("y", "scratch", "float16", (16, 32), 8, 0, 0), (0, 1, 2), "buffer y lies at 8 in 1024 bytes"),
        (PlanBuffer("y", "scratch", "float16", (16, 32)), (0, 1, 2), "scratch buffer y has no place"),
        (PlanBuffer("y", "result", "float16", (16, 32)), (0, 1), "names buffers"),
    ],
)
def test_plans_that_contradict_themselves(buffer: PlanBuffer, order: tuple[int, ...], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(buffer, order=order)
    assert message in str(caught.value)


def test_buffers_that_are_needed_together_lie_apart() -> None:
    buffers = [
        PlanBuffer(f"b{at}", "scratch", "float32", (64 * (at + 1),), None, first, last)
        for at, (first, last) in enumerate([(0, 1), (1, 2), (2, 3), (0, 3)])
    ]
    placed, total = place_scratch(buffers)
    assert total == 1024 + 768 + 512
    assert {buffer.name: buffer.offset for buffer in placed} == {"b0": 1024, "b1": 1792, "b2": 1024, "b3": 0}


CALLS = """
func.func private @twice(%v: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %e = tensor.empty() : tensor<8x16xf32>
  %a = linalg.add ins(%v, %v : tensor<8x16xf32>, tensor<8x16xf32>) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  func.return %a : tensor<8x16xf32>
}
func.func @main(%x: tensor<8x16xf32>) -> (tensor<8x16xf32>, tensor<8x16xf32>) {
  %y = func.call @twice(%x) : (tensor<8x16xf32>) -> tensor<8x16xf32>
  %z = func.call @twice(%y) : (tensor<8x16xf32>) -> tensor<8x16xf32>
  func.return %y, %z : tensor<8x16xf32>, tensor<8x16xf32>
}
"""


@needs_compiler
def test_functions_that_call_others_are_one_program() -> None:
    program = network(CALLS)
    assert (program.plan.name, len(program.plan.kernels), len(program.plan.steps)) == ("main", 1, 2)
    x = np.arange(128, dtype=np.float32).reshape(8, 16)
    for found, factor in zip(program.run_on_cpu([x]).outputs, (2, 4), strict=True):
        assert np.array_equal(found, factor * x)


TENSOR_ARITHMETIC = """
func.func @larger(%x: tensor<4x16xi32>, %y: tensor<4x16xi32>) -> tensor<4x16xi32> {
  %p = arith.cmpi sgt, %x, %y : tensor<4x16xi32>
  %s = arith.select %p, %x, %y : tensor<4x16xi1>, tensor<4x16xi32>
  %z = arith.addi %s, %x : tensor<4x16xi32>
  func.return %z : tensor<4x16xi32>
}
"""


@needs_compiler
def test_arithmetic_on_tensors_is_a_kernel() -> None:
    program = vtac.compile(TENSOR_ARITHMETIC, "cuda")
    x, y = (np.random.default_rng(i).integers(-99, 99, (4, 16)).astype(np.int32) for i in (0, 1))
    np.testing.assert_array_equal(program(x, y), np.maximum(x, y) + x)
    assert "threadIdx.x" in str(schedules(vtac.parse(TENSOR_ARITHMETIC))[0])
