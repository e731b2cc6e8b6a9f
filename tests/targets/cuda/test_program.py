"""CUDA programs: called on arrays, saved, and refused with a reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from memref_copy import MEMREFS

import vtac
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.errors import CompileError, LaunchError, ToolMissingError
from vtac.targets.cuda.arrays import Array, fitted
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.gpu.device import gpu_unavailable_reason
from vtac.targets.cuda.launch import Parameter
from vtac.targets.cuda.program import CudaProgram, load_cuda_program
from vtac.workloads.wmma_matmul import WmmaMatmul

needs_compiler = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))
LAYER = WmmaMatmul(64, 32, 32, bias=True)


def program() -> CudaProgram:
    compiled = vtac.compile(LAYER.text(), "cuda", schedule=LAYER.schedule())
    assert isinstance(compiled, CudaProgram)
    return compiled


def arrays() -> tuple[Array, Array, Array]:
    random = np.random.default_rng(0)
    a, b = (random.integers(-4, 5, shape).astype(np.float16) for shape in ((64, 32), (32, 32)))
    return a, b, random.integers(-4, 5, 32).astype(np.float32)


def expected(a: Array, b: Array, bias: Array) -> Array:
    return a.astype(np.float32) @ b.astype(np.float32) + bias.astype(np.float32)


@needs_compiler
def test_a_call_equals_numpy_and_leaves_the_arguments() -> None:
    a, b, bias = arrays()
    before = a.copy()
    result = program()(a, b, bias)
    assert isinstance(result, np.ndarray)
    assert np.array_equal(result, expected(a, b, bias))
    assert np.array_equal(a, before)


@needs_compiler
def test_runs_take_arrays_as_calls_do_or_a_list_of_them() -> None:
    made, given = program(), arrays()
    for run in (made.run_on_cpu(*given), made.run_on_cpu(list(given)), made.run_on_cpu(given, blocks=None)):
        assert np.array_equal(run.outputs[0], expected(*given))
    with pytest.raises(LaunchError, match=r"got 2 arrays; it takes 3: a, b, bias"):
        made.run_on_cpu(*given[:2])
    with pytest.raises(LaunchError, match=r"got 1 arrays; it takes 3: a, b, bias"):
        made.run_on_cpu(given[0])


@needs_compiler
def test_a_sampled_call_masks_the_rest() -> None:
    layer = WmmaMatmul(256, 128, 32)
    made = vtac.compile(layer.text(), "cuda", schedule=layer.schedule())
    a, b = np.ones((256, 32), np.float16), np.ones((32, 128), np.float16)
    result = made(a, b, blocks=1)
    assert isinstance(result, np.ma.MaskedArray)
    assert result.count() == 256 * 128 // made.launch.blocks
    assert result.min() == result.max() == 32


@needs_compiler
def test_a_function_on_memrefs_takes_its_output_too() -> None:
    made = vtac.compile(MEMREFS, "cuda")
    assert [p.name for p in made.arguments] == ["x", "y"]
    assert [p.name for p in made.results] == ["y"]
    y = np.zeros(64, np.float32)
    result = made(np.arange(64, dtype=np.float32), y)
    assert isinstance(result, np.ndarray)
    assert result.tolist() == list(range(64))
    assert not y.any()


def test_the_module_is_not_changed() -> None:
    module = vtac.parse(LAYER.text())
    before = str(module)
    vtac.compile(module, "cuda", schedule=LAYER.schedule())
    assert str(module) == before


def test_saved_and_loaded(tmp_path: Path) -> None:
    made = program()
    made.save(tmp_path / "saved")
    assert load_cuda_program(tmp_path / "saved") == made
    made.emit(tmp_path / "kernel.cu")
    assert (tmp_path / "kernel.cu").read_text() == made.text


@pytest.mark.parametrize(
    ("shapes", "dtype", "message"),
    [
        ([(64, 32), (32, 32)], "float16", "kernel `matmul` got 2 arrays; it takes 3: a, b, bias"),
        ([(64, 32), (32, 32), (32,)], "float32", "argument `a` of kernel `matmul` got float32 [64, 32]"),
        ([(64, 32), (16, 32), (32,)], "float16", "argument `b` of kernel `matmul` got float16 [16, 32]; it is float16"),
    ],
)
def test_arrays_that_do_not_fit(shapes: list[tuple[int, ...]], dtype: str, message: str) -> None:
    with pytest.raises(LaunchError) as caught:
        program()(*(np.zeros(shape, dtype) for shape in shapes))
    assert message in str(caught.value)


def test_devices() -> None:
    with pytest.raises(LaunchError, match="device 'tpu' is not known; the devices are 'cpu' and 'gpu'"):
        program()(*arrays(), device="tpu")  # pyright: ignore[reportArgumentType]
    with pytest.raises(LaunchError, match="a GPU runs the whole launch; leave blocks out"):
        program()(*arrays(), device="gpu", blocks=1)


@pytest.mark.skipif(gpu_unavailable_reason() is None, reason="there is a GPU")
def test_without_a_gpu() -> None:
    with pytest.raises(ToolMissingError, match=r"cannot run on a GPU: .*; install NVIDIA's driver"):
        program()(*arrays(), device="gpu")


@pytest.mark.skipif(gpu_unavailable_reason() is not None, reason=str(gpu_unavailable_reason()))
def test_on_a_gpu() -> None:
    a, b, bias = arrays()
    assert np.array_equal(program()(a, b, bias, device="gpu"), expected(a, b, bias))


def test_targets_and_their_configurations() -> None:
    with pytest.raises(CompileError, match="unknown target 'tpu'; the targets are vta, cuda"):
        vtac.compile(LAYER.text(), "tpu")  # pyright: ignore[reportCallIssue, reportArgumentType]
    with pytest.raises(CompileError, match="config is of type VTAConfig with target 'cuda': a GpuArch"):
        vtac.compile(LAYER.text(), "cuda", vtac.VTAConfig())  # pyright: ignore[reportCallIssue, reportArgumentType]
    with pytest.raises(CompileError, match="config is of type GpuArchitecture with target 'vta': a VTAConfig"):
        vtac.compile(LAYER.text(), "vta", gpu_architecture("sm_90"))  # pyright: ignore[reportCallIssue, reportArgumentType]


def test_programs_are_values() -> None:
    made = program()
    assert made == program()
    assert replace(made, text="") != made


def test_a_directory_that_holds_no_program(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match=r"cannot read .*kernel\.cu: No such file"):
        load_cuda_program(tmp_path)


def test_a_saved_program_is_read_whichever_its_target(tmp_path: Path) -> None:
    made = program()
    made.save(tmp_path)
    assert vtac.load_program(tmp_path) == made
    assert vtac.load_program(tmp_path, "cuda") == made
    with pytest.raises(CompileError, match="holds a program for CUDA, not for VTA"):
        vtac.load_program(tmp_path, "vta")


def test_an_empty_directory_is_no_program(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="is not a saved program: it holds no file that one of a target has"):
        vtac.load_program(tmp_path)


def test_the_name_of_an_architecture_stands_for_it() -> None:
    schedule = LAYER.schedule()
    named = vtac.compile(LAYER.text(), "cuda", config="sm_90", schedule=schedule)
    assert named == vtac.compile(LAYER.text(), "cuda", config=gpu_architecture("sm_90"), schedule=schedule)
    with pytest.raises(
        CompileError, match=r"config='sm_1' with target 'cuda': a GpuArchitecture .* or its name.*known"
    ):
        vtac.compile(LAYER.text(), "cuda", config="sm_1", schedule=schedule)


def test_what_is_no_array_is_refused() -> None:
    _, b, bias = arrays()
    text = r"argument `a` of kernel `matmul` got a list, no numpy array; it is float16 \[64, 32\]"
    with pytest.raises(LaunchError, match=text):
        program()([[1.0] * 32] * 64, b, bias)  # pyright: ignore[reportArgumentType]


def test_unsigned_arrays_stand_for_signless_integers() -> None:
    signless, unsigned = (Parameter("a", "input", dtype, (2,)) for dtype in ("int8", "uint8"))
    found = fitted(signless, np.array([255, 1], np.uint8))
    assert found is not None
    assert (found.dtype, found.tolist()) == (np.dtype(np.int8), [-1, 1])
    assert fitted(unsigned, np.array([-1, 1], np.int8)) is None
    assert fitted(signless, np.array([255, 1], np.uint16)) is None
