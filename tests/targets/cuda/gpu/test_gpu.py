"""The GPU path: its messages without a device, its calls on a stand-in for cuda-core, and a run where there is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import cast

import numpy as np
import pytest
from cuda_kernels import blocked_conv2d, pipelined_matmul

from vtac.errors import LaunchError, ToolMissingError
from vtac.targets.cuda.gpu import launcher
from vtac.targets.cuda.gpu.compile import CompiledKernel
from vtac.targets.cuda.gpu.launcher import GpuRun, gpu_unavailable_reason, run_on_gpu


@pytest.mark.skipif(gpu_unavailable_reason() is not None, reason=str(gpu_unavailable_reason()))
def test_a_device_agrees_with_numpy() -> None:
    for sample in (pipelined_matmul(), blocked_conv2d()):
        run = run_on_gpu(sample.text, sample.launch, sample.arrays, repeats=3)
        np.testing.assert_array_equal(run.outputs[0], sample.expected)
        assert len(run.milliseconds) == 3


def test_without_cuda_core_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> ModuleType:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(launcher, "import_module", refuse)
    sample = pipelined_matmul()
    with pytest.raises(ToolMissingError, match=r"cuda-core cannot be imported \(No module .*pip install 'vtac\[gpu\]'"):
        run_on_gpu(sample.text, sample.launch, sample.arrays)
    assert "cannot run on a GPU" in str(gpu_unavailable_reason())


def test_untimed_runs_have_no_median() -> None:
    run = GpuRun((), (), "device", _COMPILED)
    with pytest.raises(LaunchError, match="pass repeats > 0"):
        _ = run.median_milliseconds
    assert replace(run, milliseconds=(3.0, 1.0, 2.0)).median_milliseconds == 2.0


_COMPILED = CompiledKernel("matmul", "sm_90", "none", 48, 13_056, 0, 0, 0, 128, "", b"cubin")


def _compiled(_text: str, _kernel: str, architecture: str) -> CompiledKernel:
    return replace(_COMPILED, architecture=architecture)


class _StandIn:
    """Records the calls that a launch makes, in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.driver_status = 0

    def note(self, name: str, *details: object) -> None:
        self.calls.append(" ".join([name, *map(str, details)]))

    def driver_call(self, name: str) -> Callable[..., tuple[int]]:
        def call(*details: object) -> tuple[int]:
            self.note(name, *(details[1:2] if name == "limit" else ()))
            return (self.driver_status,)

        return call

    def modules(self, name: str) -> ModuleType:
        def launch(*_: object) -> None:
            self.note("launch")

        def kernel(name: str) -> SimpleNamespace:
            return SimpleNamespace(handle=name)

        core = SimpleNamespace(
            Device=self.device,
            ObjectCode=SimpleNamespace(from_cubin={b"cubin": SimpleNamespace(get_kernel=kernel)}.__getitem__),
            LaunchConfig=SimpleNamespace,
            EventOptions=SimpleNamespace,
            launch=launch,
        )
        driver = SimpleNamespace(
            CUfunction_attribute=SimpleNamespace(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES="limit"),
            cuDeviceGet=[(0, "device")].__getitem__,
            cuKernelSetAttribute=self.driver_call("limit"),
            cuMemcpyHtoD=self.driver_call("upload"),
            cuMemsetD8=self.driver_call("poison"),
            cuMemcpyDtoH=self.driver_call("download"),
            cuCtxSynchronize=self.driver_call("synchronize"),
        )
        return cast("ModuleType", core if name == "cuda.core" else driver)

    def device(self, index: int) -> SimpleNamespace:
        def record(*, options: SimpleNamespace) -> _Event:
            assert options.timing_enabled
            return _Event()

        def allocate(size: int, *, stream: object) -> SimpleNamespace:
            def free(_: object) -> None:
                self.note("free")

            assert stream is queue
            return SimpleNamespace(handle=size, close=free)

        queue = SimpleNamespace(sync=lambda: None, close=lambda: self.note("close"), record=record)
        return SimpleNamespace(
            device_id=index,
            name="a stand-in",
            compute_capability=SimpleNamespace(major=9, minor=0),
            set_current=lambda: None,
            create_stream=lambda: queue,
            allocate=allocate,
        )


class _Event:
    def sync(self) -> None:
        pass

    def __sub__(self, other: object) -> float:
        return 0.25


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> _StandIn:
    device = _StandIn()
    monkeypatch.setattr(launcher, "import_module", device.modules)
    monkeypatch.setattr(launcher, "compile_kernel", _compiled)
    return device


def test_uploads_are_complete_before_the_launch_and_buffers_are_freed(stand_in: _StandIn) -> None:
    sample = pipelined_matmul()
    run = run_on_gpu(sample.text, sample.launch, sample.arrays, repeats=2, warm_up=1)
    head = ["upload", "upload", "upload", "poison", "synchronize", "launch", "download"]
    assert stand_in.calls == [*head, "launch", "launch", "launch", "free", "free", "free", "free", "close"]
    assert run.milliseconds == (0.25, 0.25)
    assert run.compiled.architecture == "sm_90"


def test_more_than_48_kib_is_asked_for(stand_in: _StandIn) -> None:
    sample = pipelined_matmul()
    run_on_gpu(sample.text, replace(sample.launch, shared_bytes=100_000), sample.arrays)
    assert stand_in.calls[0] == "limit 100000"
    with pytest.raises(LaunchError, match="of static and 300000 of dynamic shared memory"):
        run_on_gpu(sample.text, replace(sample.launch, shared_bytes=300_000), sample.arrays)


def test_a_driver_error_names_kernel_and_device(stand_in: _StandIn) -> None:
    stand_in.driver_status = 700
    sample = pipelined_matmul()
    with pytest.raises(LaunchError, match="kernel `matmul` on a stand-in: the driver answers 700"):
        run_on_gpu(sample.text, sample.launch, sample.arrays)
