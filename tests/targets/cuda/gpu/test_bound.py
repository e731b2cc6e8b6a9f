"""Programs on arrays of other libraries: how these are read, what is launched on which stream, what is refused."""

from __future__ import annotations

import ctypes
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from cuda_networks import perceptron
from stub_gpu import StubGpu

import vtac
from vtac.errors import LaunchError
from vtac.targets.cuda.dynamic import CudaDynamic
from vtac.targets.cuda.dynamic_plan import DynamicPlan, GridSize
from vtac.targets.cuda.gpu.device_arrays import device_array, read_capsule, stream_handle
from vtac.targets.cuda.launch import LaunchRecord, Parameter
from vtac.targets.cuda.plan import plan_of
from vtac.targets.cuda.program import CudaProgram


class OnGpu:
    """An array as libraries with `__cuda_array_interface__` show it."""

    def __init__(self, address: int, shape: tuple[int, ...], kind: str, **more: object) -> None:
        self.__cuda_array_interface__ = {
            "shape": shape,
            "typestr": kind,
            "data": (address, False),
            "version": 3,
            **more,
        }
        self.address = address

    def read(self, like: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> object:
        found = np.empty_like(like)
        ctypes.memmove(found.ctypes.data, self.address, found.nbytes)
        return found

    def write(self, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> None:
        ctypes.memmove(self.address, array.ctypes.data, array.nbytes)


class Exported:
    """An array as DLPack shows it, on a device of a kind."""

    def __init__(self, array: np.ndarray[tuple[int, ...], np.dtype[np.float16]], kind: int) -> None:
        self.array = array
        self.kind = kind
        self.streams: list[int] = []

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.kind, 0

    def __dlpack__(self, *, stream: int) -> object:
        self.streams.append(stream)
        return self.array.__dlpack__()


TEXT = "void matmul(const half *a, const half *b, float *c)"


def matmul() -> CudaProgram:
    a, b = Parameter("a", "input", "float16", (64, 48)), Parameter("b", "input", "float16", (48, 32))
    launch = LaunchRecord("matmul", (2, 1, 1), (64, 1, 1), 0, (a, b, Parameter("c", "output", "float32", (64, 32))))
    return CudaProgram(TEXT, launch)


class Memory:
    """Arrays on the stub's device, as another library would have them."""

    def __init__(self, gpu: StubGpu) -> None:
        self.library = ctypes.CDLL(str(gpu.path))
        self.addresses: list[ctypes.c_uint64] = []

    def array(self, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]], **more: object) -> OnGpu:
        address = ctypes.c_uint64()
        with self._current():
            self.library.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(array.nbytes + 64))
        self.addresses.append(address)
        ctypes.memmove(address.value or 0, array.ctypes.data, array.nbytes)
        return OnGpu(address.value or 0, array.shape, array.dtype.str, **more)

    def free(self) -> None:
        with self._current():
            for address in self.addresses:
                self.library.cuMemFree_v2(address)

    @contextmanager
    def _current(self) -> Generator[None]:
        context = ctypes.c_void_p()
        self.library.cuDevicePrimaryCtxRetain(ctypes.byref(context), 7)
        self.library.cuCtxPushCurrent_v2(context)
        yield
        self.library.cuCtxPopCurrent_v2(ctypes.byref(context))


@pytest.fixture
def memory(gpu: StubGpu) -> Iterator[Memory]:
    found = Memory(gpu)
    yield found
    found.free()
    assert not gpu.held


def operands(memory: Memory) -> tuple[OnGpu, OnGpu, OnGpu]:
    shapes = (((64, 48), "float16"), ((48, 32), "float16"), ((64, 32), "float32"))
    a, b, c = (memory.array(np.zeros(shape, dtype)) for shape, dtype in shapes)
    return a, b, c


def launches(gpu: StubGpu) -> list[str]:
    return [call for call in gpu.calls if call.startswith("launch")]


def test_arrays_are_taken_where_they_lie(gpu: StubGpu, memory: Memory) -> None:
    a, b, c = operands(memory)
    with matmul().on_gpu() as on_gpu:
        on_gpu(a, b, out=[c])
        on_gpu(a, b, out=[c], stream=SimpleNamespace(cuda_stream=77))
    start = "launch matmul <<<2x1x1, 64x1x1, 0>>> on"
    assert launches(gpu) == [f"{start} the default stream", f"{start} another's stream"]


def test_the_grid_follows_the_size_of_the_arrays(gpu: StubGpu, memory: Memory) -> None:
    shapes = {"a": (15104, 48), "b": (48, 32), "c": (15104, 32)}
    parameters = [Parameter(one, "input", "float16", shapes[one]) for one in "ab"]
    parameters += [Parameter("c", "output", "float32", shapes["c"]), Parameter("size", "input", "int32", (1,))]
    launch = LaunchRecord("matmul", (1, 1, 1), (64, 1, 1), 0, tuple(parameters))
    dynamic = DynamicPlan(plan_of(launch, ["size"]), 15104, (GridSize(0, 1, 32, 1024),), "size")
    program = CudaDynamic(TEXT, dynamic.at(1), {"size": np.ones(1, np.int32)}, dynamic=dynamic)
    b = memory.array(np.zeros((48, 32), np.float16))
    with program.sizes_on_gpu() as on_gpu:
        for size in (64, 16, 64):
            a, c = memory.array(np.zeros((size, 48), np.float16)), memory.array(np.zeros((size, 32), np.float32))
            on_gpu(a, b, out=[c])
        with pytest.raises(LaunchError, match=r"result `c` of program `matmul` got .*it is float32 \[64, 32\]"):
            on_gpu(memory.array(np.zeros((64, 48), np.float16)), b, out=[b])
    grids = [line.split("<<<")[1].split(",")[0] for line in launches(gpu)]
    assert grids == ["2x1x1", "1x1x1", "2x1x1"]
    assert gpu.compilations == [(("matmul",), "sm_90")]


def test_a_kernel_is_compiled_and_loaded_once(gpu: StubGpu, memory: Memory) -> None:
    program = matmul()
    with program.on_gpu(), program.on_gpu(), matmul().on_gpu():
        assert gpu.calls.count("load") == 1
    with program.on_gpu() as on_gpu:
        on_gpu.close()
        on_gpu.close()
    assert gpu.compilations == [(("matmul",), "sm_90")]
    assert gpu.calls.count("load") == gpu.calls.count("unload") == 2
    assert not memory.addresses


def test_nothing_is_left_where_the_program_cannot_be_put(gpu: StubGpu) -> None:
    program = matmul()
    program.on_gpu().close()
    gpu.fail("cuCtxSynchronize", 700)
    with pytest.raises(
        LaunchError, match="program `matmul` on a stub: cuCtxSynchronize answers CUDA_ERROR_ILLEGAL_ADDR"
    ):
        program.on_gpu()
    assert not gpu.held


def test_the_owner_s_stream_is_waited_for(gpu: StubGpu, memory: Memory) -> None:
    _, b, c = operands(memory)
    late = memory.array(np.zeros((64, 48), np.float16), stream=5)
    with matmul().on_gpu() as on_gpu:
        on_gpu(late, b, out=[c])
        on_gpu(late, b, out=[c], stream=5)
    assert gpu.calls.count("wait") == 1


def test_several_kernels_compute_on_the_caller_s_arrays(gpu: StubGpu, memory: Memory) -> None:
    """As calls, and as a graph that is launched again after its arguments have changed."""
    program = vtac.compile(perceptron(), "cuda")
    assert isinstance(program, vtac.CudaNetwork)
    random = np.random.default_rng(1)
    arrays = [(random.random(p.shape) - 0.5).astype(p.dtype) for p in program.arguments]
    given = [memory.array(array) for array in arrays]
    (result,) = (np.zeros(p.shape, p.dtype) for p in program.results)
    out = memory.array(result)
    gpu.execute(program)
    with program.on_gpu() as on_gpu, on_gpu.graph(*given, out=[out]) as graph:
        on_gpu(*given, out=[out])
        np.testing.assert_array_equal(out.read(result), program(*arrays))
        arrays[0] = arrays[0][::-1].copy()
        given[0].write(arrays[0])
        graph.launch()
        np.testing.assert_array_equal(out.read(result), program(*arrays))
    assert gpu.calls.count(f"graph of {len(program.plan.steps)}") == 1


MISFITS: dict[str, tuple[tuple[int, ...], str, int, dict[str, object], str]] = {
    "dtype": ((64, 48), "<f4", 0, {}, r"argument `a` of program `matmul` got float32 .*; it is float16"),
    "shape": ((48, 64), "<f2", 0, {}, r"got float16 \[48, 64\]; it is float16 \[64, 48\]"),
    "alignment": ((64, 48), "<f2", 2, {}, "starts at address 0x.*2; a multiple of 32 is required"),
    "strides": ((64, 48), "<f2", 0, {"strides": (2, 128)}, "is not dense; kernels take dense row-major arrays"),
    "freed": (
        (64, 48),
        "<f2",
        -(1 << 40),
        {},
        "lies on no GPU, or was freed; the program is on device 0: move the array",
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_arrays_that_do_not_fit(gpu: StubGpu, memory: Memory, name: str) -> None:
    shape, kind, moved, more, message = MISFITS[name]
    a, b, c = operands(memory)
    wrong = OnGpu(a.address + moved, shape, kind, **more)
    with matmul().on_gpu() as on_gpu, pytest.raises(LaunchError, match=message):
        on_gpu(wrong, b, out=[c])
    assert not launches(gpu)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((64, 48), np.float16), "a ndarray lies on the CPU; a launch on the GPU takes arrays there"),
        (3, "a int has neither __cuda_array_interface__ nor __dlpack__"),
    ],
)
def test_what_is_no_array_on_a_gpu(gpu: StubGpu, memory: Memory, given: object, message: str) -> None:
    _, b, c = operands(memory)
    with matmul().on_gpu() as on_gpu, pytest.raises(LaunchError, match=message):
        on_gpu(given, b, out=[c])
    assert not launches(gpu)


def test_numbers_of_arrays_and_results_that_cannot_be_written(gpu: StubGpu, memory: Memory) -> None:
    a, b, c = operands(memory)
    with matmul().on_gpu() as on_gpu:
        with pytest.raises(LaunchError, match="program `matmul` got 1 arguments; it takes 2: a, b"):
            on_gpu(a, out=[c])
        fixed = OnGpu(c.address, (64, 32), "<f4", data=(c.address, True))
        with pytest.raises(LaunchError, match="result `c` of program `matmul` is read-only"):
            on_gpu(a, b, out=[fixed])
    assert not launches(gpu)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (700, "this process can use the GPU no more"),
        (2, "the GPU's memory is full"),
        (209, "compiled for another arch"),
    ],
)
def test_what_the_driver_refuses_is_said(gpu: StubGpu, memory: Memory, status: int, meaning: str) -> None:
    a, b, c = operands(memory)
    with matmul().on_gpu() as on_gpu:
        gpu.fail("cuLaunchKernel", status)
        with pytest.raises(
            LaunchError, match=f"kernel `matmul` on a stub: cuLaunchKernel answers CUDA_.*; .*{meaning}"
        ):
            on_gpu(a, b, out=[c])
        gpu.fail("cuGraphLaunch", status)
        with on_gpu.graph(a, b, out=[c]) as graph, pytest.raises(LaunchError, match=meaning):
            graph.launch()


def test_dlpack_is_read() -> None:
    array = np.arange(6, dtype=np.float16).reshape(2, 3)
    shown = Exported(array, 2)
    found = device_array(shown, 9)
    assert (found.address, found.shape, found.dtype) == (array.ctypes.data, (2, 3), "float16")
    assert shown.streams == [9]
    with pytest.raises(LaunchError, match="is not dense"):
        read_capsule(array.T.__dlpack__())
    with pytest.raises(LaunchError, match="lies on the CPU"):
        device_array(Exported(array, 1), 0)


def test_streams_of_libraries() -> None:
    assert stream_handle(None) == 0
    assert stream_handle(SimpleNamespace(ptr=3)) == 3
    assert stream_handle(SimpleNamespace(__cuda_stream__=lambda: (0, 4))) == 4
    assert stream_handle(SimpleNamespace(handle=SimpleNamespace(value=5))) == 5
    with pytest.raises(LaunchError, match="a str is no CUDA stream"):
        stream_handle("main")
