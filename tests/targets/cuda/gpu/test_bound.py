"""Programs on arrays of other libraries: how these are read, what is launched on which stream, what is refused."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import cast

import numpy as np
import pytest
from cuda_networks import perceptron

import vtac
from vtac.errors import LaunchError
from vtac.targets.cuda.gpu import bound, launcher
from vtac.targets.cuda.gpu.compile import CompiledKernel
from vtac.targets.cuda.gpu.device_arrays import device_array, read_capsule, stream_handle
from vtac.targets.cuda.launch import LaunchRecord, Parameter
from vtac.targets.cuda.program import CudaProgram

COMPILED = CompiledKernel("matmul", "sm_90", "none", 48, 13_056, 0, 0, 0, 1024, "", b"cubin")


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


class Driver:
    """Stands in for cuda-core and the driver: records launches with their streams and addresses."""

    def __init__(self) -> None:
        self.launches: list[tuple[object, ...]] = []
        self.freed = 0
        self.closed = 0
        self.waited: list[object] = []
        self.failure: Exception | None = None
        self.status = 0

    def modules(self, name: str) -> ModuleType:
        def launch(stream: object, _config: object, _kernel: object, *addresses: int) -> None:
            if self.failure is not None:
                raise self.failure
            self.launches.append((stream, *addresses))

        def code(_: bytes) -> SimpleNamespace:
            return SimpleNamespace(get_kernel=named)

        def named(name: str) -> SimpleNamespace:
            return SimpleNamespace(handle=name)

        def from_handle(handle: int) -> str:
            return f"stream {handle}"

        core = SimpleNamespace(
            Device=self.device,
            ObjectCode=SimpleNamespace(from_cubin=code),
            LaunchConfig=SimpleNamespace,
            Stream=SimpleNamespace(from_handle=from_handle),
            launch=launch,
        )
        driver = SimpleNamespace(
            CUfunction_attribute=SimpleNamespace(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES="limit"),
            cuMemcpyHtoD=_succeeds,
            cuCtxSynchronize=lambda: (self.status,),
            cuStreamSynchronize=self.wait,
        )
        return cast("ModuleType", core if name == "cuda.core" else driver)

    def wait(self, stream: object) -> tuple[int]:
        self.waited.append(stream)
        return (0,)

    def device(self, index: int) -> SimpleNamespace:
        def free(_: object) -> None:
            self.freed += 1

        def close() -> None:
            self.closed += 1

        def allocate(size: int, *, stream: object) -> SimpleNamespace:
            assert stream is not None
            return SimpleNamespace(handle=1 << 20, close=free, size=size)

        return SimpleNamespace(
            device_id=index,
            name="a stand-in",
            compute_capability=SimpleNamespace(major=9, minor=0),
            set_current=lambda: None,
            create_stream=lambda: SimpleNamespace(sync=lambda: None, close=close),
            default_stream="the default stream",
            allocate=allocate,
        )


def _succeeds(*_: object) -> tuple[int]:
    return (0,)


def _compiled(_text: str, kernel: str, architecture: str) -> CompiledKernel:
    return replace(COMPILED, kernel=kernel, architecture=architecture)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    found = Driver()
    monkeypatch.setattr(launcher, "import_module", found.modules)
    monkeypatch.setattr(bound, "compile_kernel", _compiled)
    return found


def matmul() -> tuple[CudaProgram, list[OnGpu], OnGpu]:
    a, b = Parameter("a", "input", "float16", (64, 48)), Parameter("b", "input", "float16", (48, 32))
    launch = LaunchRecord("matmul", (2, 1, 1), (64, 1, 1), 0, (a, b, Parameter("c", "output", "float32", (64, 32))))
    return (
        CudaProgram("", launch),
        [OnGpu(4096, a.shape, "<f2"), OnGpu(8192, b.shape, "<f2")],
        OnGpu(65536, (64, 32), "<f4"),
    )


def test_arrays_are_taken_where_they_lie(driver: Driver) -> None:
    program, (a, b), c = matmul()
    with program.on_gpu() as on_gpu:
        on_gpu(a, b, out=[c])
        on_gpu(a, b, out=[c], stream=SimpleNamespace(cuda_stream=77))
    assert driver.launches == [("the default stream", 4096, 8192, 65536), ("stream 77", 4096, 8192, 65536)]
    assert driver.freed == 1


def test_nothing_is_left_where_the_program_cannot_be_put(driver: Driver) -> None:
    driver.status = 700
    program, _, _ = matmul()
    with pytest.raises(LaunchError, match="program `matmul` on a stand-in: the driver answers 700"):
        program.on_gpu()
    assert (driver.freed, driver.closed) == (1, 1)


def test_the_owner_s_stream_is_waited_for(driver: Driver) -> None:
    program, (a, b), c = matmul()
    late = OnGpu(4096, program.launch.inputs[0].shape, "<f2", stream=5)
    program.on_gpu()(late, b, out=[c])
    program.on_gpu()(late, b, out=[c], stream=5)
    assert driver.waited == [5]
    assert a is not late


def test_several_kernels_share_scratch_memory(driver: Driver) -> None:
    program = vtac.compile(perceptron(), "cuda")
    assert isinstance(program, vtac.CudaNetwork)
    kinds = {"float16": "<f2", "float32": "<f4"}
    arrays = [OnGpu(4096 * (at + 1), p.shape, kinds[p.dtype]) for at, p in enumerate(program.arguments)]
    out = [OnGpu(1 << 30, p.shape, kinds[p.dtype]) for p in program.results]
    program.on_gpu()(*arrays, out=out)
    assert len(driver.launches) == len(program.plan.steps)
    scratch = list(program.plan.of_role("scratch"))
    assert any((1 << 20) + (one.offset or 0) in launch for one in scratch for launch in driver.launches)


MISFITS: dict[str, tuple[object, str]] = {
    "dtype": (OnGpu(4096, (64, 48), "<f4"), r"argument `a` of program `matmul` got float32 .*; it is float16"),
    "shape": (OnGpu(4096, (48, 64), "<f2"), r"got float16 \[48, 64\]; it is float16 \[64, 48\]"),
    "alignment": (OnGpu(4098, (64, 48), "<f2"), "starts at address 0x1002; a multiple of 32 is required"),
    "strides": (OnGpu(4096, (64, 48), "<f2", strides=(2, 128)), "is not dense; kernels take dense row-major arrays"),
    "cpu": (np.zeros((64, 48), np.float16), "a ndarray lies on the CPU; a launch on the GPU takes arrays there"),
    "number": (3, "a int has neither __cuda_array_interface__ nor __dlpack__"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_arrays_that_do_not_fit(driver: Driver, name: str) -> None:
    program, (_, b), c = matmul()
    given, message = MISFITS[name]
    with pytest.raises(LaunchError, match=message):
        program.on_gpu()(given, b, out=[c])
    assert not driver.launches


def test_numbers_of_arrays_and_results_that_cannot_be_written(driver: Driver) -> None:
    program, (a, b), c = matmul()
    with pytest.raises(LaunchError, match="program `matmul` got 1 arguments; it takes 2: a, b"):
        program.on_gpu()(a, out=[c])
    fixed = OnGpu(65536, program.launch.outputs[0].shape, "<f4", data=(65536, True))
    with pytest.raises(LaunchError, match="result `c` of program `matmul` is read-only"):
        program.on_gpu()(a, b, out=[fixed])
    assert not driver.launches


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("CUDA_ERROR_ILLEGAL_ADDRESS", "this process can use the GPU no more"),
        ("CUDA_ERROR_OUT_OF_MEMORY", "the GPU's memory is full"),
        ("CUDA_ERROR_NO_BINARY_FOR_GPU", "compiled for another architecture"),
    ],
)
def test_what_the_driver_refuses_is_said(driver: Driver, name: str, meaning: str) -> None:
    program, (a, b), c = matmul()
    driver.failure = RuntimeError(f"{name}: something")
    with pytest.raises(LaunchError, match=f"program `matmul` on a stand-in: {name}: something; .*{meaning}"):
        program.on_gpu()(a, b, out=[c])


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
