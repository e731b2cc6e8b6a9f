"""Running with numpy arrays on a GPU: on a stub in the driver's place, and on a device where there is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cuda_kernels import blocked_conv2d, pipelined_matmul
from cuda_networks import perceptron
from stub_gpu import StubGpu

import vtac
from vtac.errors import LaunchError, ToolMissingError
from vtac.targets.cuda.gpu.device import gpu_unavailable_reason, open_device
from vtac.targets.cuda.gpu.driver import Driver
from vtac.targets.cuda.gpu.launcher import GpuRun, Timing, run_on_gpu

HEAD = ["load", "synchronize", "upload 24576", "upload 12288", "upload 256", "fill 32768", "synchronize"]


@pytest.mark.skipif(gpu_unavailable_reason() is not None, reason=str(gpu_unavailable_reason()))
def test_a_device_agrees_with_numpy() -> None:
    for sample in (pipelined_matmul(), blocked_conv2d()):
        run = run_on_gpu(sample.text, sample.launch, sample.arrays, Timing(3))
        np.testing.assert_array_equal(run.outputs[0], sample.expected)
        assert len(run.milliseconds) == 3


def test_one_kernel_is_launched_as_its_record_says(gpu: StubGpu) -> None:
    sample = pipelined_matmul()
    run = run_on_gpu(sample.text, sample.launch, sample.arrays)
    grid, block = ("x".join(map(str, extents)) for extents in (sample.launch.grid, sample.launch.block))
    launch = f"launch matmul <<<{grid}, {block}, {sample.launch.shared_bytes}>>> on a stream"
    assert gpu.calls == [*HEAD, launch, "wait", "download 32768", "unload"]
    assert np.isnan(run.outputs[0]).all()  # no kernel has written it
    assert (run.device, run.compiled[0].architecture, run.milliseconds) == ("a stub", "sm_90", ())
    assert not gpu.held


def test_a_program_of_several_kernels_computes(gpu: StubGpu) -> None:
    """Arguments, constants and scratch memory are where the plan says: the text itself runs at each launch."""
    program = vtac.compile(perceptron(), "cuda")
    assert isinstance(program, vtac.CudaNetwork)
    random = np.random.default_rng(0)
    arrays = [(random.random(p.shape) - 0.5).astype(p.numpy_dtype) for p in program.arguments]
    gpu.execute(program)
    on_gpu = program(*arrays, device="gpu")
    np.testing.assert_array_equal(on_gpu, program(*arrays))
    assert gpu.compilations == [(tuple(one.kernel for one in program.plan.kernels), "sm_90")]
    assert not gpu.held


def test_times_are_of_bursts_in_one_graph(gpu: StubGpu) -> None:
    sample = pipelined_matmul()
    run = run_on_gpu(sample.text, sample.launch, sample.arrays, Timing(2, warm_up=1, burst=5, flush_bytes=4096))
    assert run.milliseconds == (0.25, 0.25)
    assert run.median_milliseconds == 0.25
    tail = ["graph of 5", "launch graph", *["fill 4096", "launch graph"] * 2, "unload"]
    assert gpu.calls[-len(tail) :] == tail
    assert not gpu.held


def test_untimed_runs_have_no_median() -> None:
    run = GpuRun((), (), "device", ())
    with pytest.raises(LaunchError, match="pass repeats > 0"):
        _ = run.median_milliseconds
    assert replace(run, milliseconds=(3.0, 1.0, 2.0)).median_milliseconds == 2.0
    with pytest.raises(LaunchError, match="one run in a burst or more, and no negative number, is required"):
        Timing(burst=0)


def test_more_than_48_kib_is_asked_for(gpu: StubGpu) -> None:
    sample = pipelined_matmul()
    run_on_gpu(sample.text, replace(sample.launch, shared_bytes=100_000), sample.arrays)
    assert gpu.calls[1] == "limit 100000"
    with pytest.raises(LaunchError, match="of static and 300000 of dynamic shared memory"):
        run_on_gpu(sample.text, replace(sample.launch, shared_bytes=300_000), sample.arrays)
    assert not gpu.held


FAILURES = {
    "cuModuleLoadData": (
        209,
        "program `matmul` on a stub: .*NO_BINARY_FOR_GPU; the kernel was compiled for another arch",
    ),
    "cuModuleGetFunction": (500, "answers CUDA_ERROR_NOT_FOUND; the compiled text holds no kernel of that name"),
    "cuMemAlloc_v2": (2, "cuMemAlloc_v2 answers CUDA_ERROR_OUT_OF_MEMORY; the GPU's memory is full"),
    "cuMemcpyHtoD_v2": (1, "cuMemcpyHtoD_v2 answers CUDA_ERROR_INVALID_VALUE"),
    "cuStreamCreate": (2, "cuStreamCreate answers CUDA_ERROR_OUT_OF_MEMORY"),
    "cuLaunchKernel": (
        719,
        "kernel `matmul` on a stub: .*LAUNCH_FAILED; the kernel failed; this process can use the GPU no",
    ),
    "cuStreamSynchronize": (
        700,
        "answers CUDA_ERROR_ILLEGAL_ADDRESS; an array does not lie on this device, or is freed",
    ),
    "cuMemcpyDtoH_v2": (12345, "cuMemcpyDtoH_v2 answers status 12345$"),
    "cuStreamEndCapture": (900, "cuStreamEndCapture answers CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"),
    "cuGraphInstantiateWithFlags": (2, "cuGraphInstantiateWithFlags answers CUDA_ERROR_OUT_OF_MEMORY"),
    "cuEventElapsedTime": (400, "answers CUDA_ERROR_INVALID_HANDLE; a stream or kernel is of another device"),
}


@pytest.mark.parametrize("function", FAILURES)
def test_what_fails_is_said_and_nothing_is_left(gpu: StubGpu, function: str) -> None:
    status, message = FAILURES[function]
    open_device()
    gpu.fail(function, status)
    sample = pipelined_matmul()
    with pytest.raises(LaunchError, match=message):
        run_on_gpu(sample.text, sample.launch, sample.arrays, Timing(1))
    assert not gpu.held


def test_drivers_that_cannot_be_used(gpu: StubGpu) -> None:
    with pytest.raises(
        ToolMissingError, match=r"the NVIDIA driver does not load .*; install NVIDIA's driver for CUDA 12"
    ):
        Driver("libnothing.so")
    with pytest.raises(ToolMissingError, match=r"the NVIDIA driver lacks a function .*cuInit"):
        Driver("libm.so.6")
    gpu.set_version(11080)
    with pytest.raises(ToolMissingError, match=r"the NVIDIA driver is for CUDA 11\.8; install"):
        Driver(str(gpu.path))
    gpu.fail("cuInit", 100)
    with pytest.raises(ToolMissingError, match="the NVIDIA driver does not start: CUDA_ERROR_NO_DEVICE"):
        Driver(str(gpu.path))


def test_a_device_that_is_not_there(gpu: StubGpu) -> None:
    with pytest.raises(ToolMissingError, match=r"device 3 does not open: device 3: .* CUDA_ERROR_INVALID_DEVICE"):
        open_device(3)
    assert not gpu.held
