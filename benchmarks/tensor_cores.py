"""Tensor cores: the seed schedule, the fast schedule and the vendor's library, side by side.

Without a GPU nothing is timed: the first table, registers and shared memory from the compiler,
needs none. On a machine with one, `pip install 'vtac[gpu]'` and torch or cupy beside it give the
second table in one run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

import vtac
from vtac.dialects.gpu_hardware import GpuArchitecture, gpu_architecture, gpu_architectures
from vtac.errors import LaunchError, ToolMissingError
from vtac.schedule import Schedule
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.comparison import compare
from vtac.targets.cuda.gpu.compile import compile_kernel
from vtac.targets.cuda.gpu.device import device_architecture
from vtac.targets.cuda.program import CudaProgram
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_fast import choose_tiling, fast_schedule
from vtac.workloads.wmma_matmul import WmmaMatmul
from vtac.workloads.wmma_reference import conv2d_at, matmul_at

CONVOLUTION = WmmaConv2D()
PRODUCT = WmmaMatmul(8192, 8192, 8192)
_SAMPLED_BLOCKS = 8


@dataclass(frozen=True)
class Entry:
    """One workload with one schedule."""

    workload: str
    schedule: str
    text: str
    make: Callable[[GpuArchitecture], Schedule]
    operations: int

    def program(self, architecture: GpuArchitecture) -> CudaProgram:
        """The program for an architecture; `CompileError` where the schedule does not fit it."""
        program = vtac.compile(self.text, "cuda", architecture, schedule=self.make(architecture))
        if not isinstance(program, CudaProgram):
            raise LaunchError(f"{program}: a program of one kernel is timed here")
        return program


def entries() -> list[Entry]:
    """Both workloads, each with both schedules."""
    layer, product = CONVOLUTION, PRODUCT
    pixels = layer.batch * layer.out_height * layer.out_width
    work = 2 * pixels * layer.out_channels * layer.in_channels * layer.kernel**2
    flops = 2 * product.m * product.n * product.k
    return [
        Entry("conv2d", "seed", layer.text(), lambda _: layer.seed_schedule(), work),
        Entry("conv2d", "fast", layer.text(), lambda a: fast_schedule(layer, choose_tiling(layer, a)), work),
        Entry("matmul", "seed", product.text(), lambda _: product.schedule(), flops),
        Entry("matmul", "fast", product.text(), lambda a: product.schedule(product.fast_tiling(a)), flops),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python benchmarks/tensor_cores.py --arch sm_90 --repeats 50",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = ", ".join(gpu_architectures())
    parser.add_argument("--arch", nargs="*", metavar="sm_NN", help=f"architectures of the first table; known: {known}")
    parser.add_argument("--repeats", type=int, default=30, help="timed launches of each kernel; the median counts")
    parser.add_argument("--only", choices=("conv2d", "matmul"), help="one workload")
    options = parser.parse_args()
    chosen = [entry for entry in entries() if options.only in (None, entry.workload)]
    try:
        resources(chosen, [gpu_architecture(name) for name in options.arch or gpu_architectures()])
    except ToolMissingError as error:
        print(f"no resources: {error}", file=sys.stderr)
    except vtac.VtacError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print()
    try:
        timings(chosen, options.repeats)
    except ToolMissingError as error:
        print(f"nothing was timed: {error}")
    except vtac.VtacError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def resources(chosen: list[Entry], architectures: list[GpuArchitecture]) -> None:
    """What the compiler gives each kernel on each architecture."""
    print(f"{'':8}{'':6}{'':8}{'registers':>10}{'shared bytes':>14}{'spilled':>9}{'blocks/SM':>11}{'warps/SM':>10}")
    for entry in chosen:
        for architecture in architectures:
            head = f"{entry.workload:8}{entry.schedule:6}{architecture.name:8}"
            try:
                program = entry.program(architecture)
            except vtac.CompileError as error:
                print(f"{head}  {str(error).splitlines()[0]}")
                continue
            launch = program.launch
            compiled = compile_kernel(program.text, launch.kernel, architecture.name)
            blocks = compiled.resident_blocks(launch)
            spilled = compiled.spill_load_bytes + compiled.spill_store_bytes
            shared = compiled.static_shared_bytes + launch.shared_bytes
            warps = blocks * launch.threads // architecture.warp_size
            print(f"{head}{compiled.registers:>10}{shared:>14,}{spilled:>9}{blocks:>11}{warps:>10}")


def timings(chosen: list[Entry], repeats: int) -> None:
    """Milliseconds on this machine's GPU, and the share of the vendor's speed."""
    architecture = gpu_architecture(device_architecture())
    printed = False
    for workload in dict.fromkeys(entry.workload for entry in chosen):
        arrays = _arrays(workload)
        vendor = _vendor(workload, arrays, repeats)
        for entry in (entry for entry in chosen if entry.workload == workload):
            run = entry.program(architecture).run_on_gpu(arrays, repeats)
            if not printed:
                print(f"{run.device}, {architecture.name}\n{'':8}{'':10}{'ms':>10}{'TFLOP/s':>10}{'of vendor':>11}")
                printed = True
            share = f"{vendor[1] / run.median_milliseconds:>10.0%}" if vendor else f"{'-':>10}"
            right = "" if _is_right(workload, arrays, run.outputs[0]) else "   WRONG RESULT"
            print(_row(workload, entry.schedule, run.median_milliseconds, entry.operations) + f" {share}{right}")
        if vendor is None:
            print(f"{workload:8}{'vendor':10} not timed: neither torch with CUDA nor cupy is installed")
        else:
            print(_row(workload, vendor[0], vendor[1], next(e.operations for e in chosen if e.workload == workload)))


def _row(workload: str, name: str, milliseconds: float, operations: int) -> str:
    return f"{workload:8}{name:10}{milliseconds:>10.4f}{operations / milliseconds / 1e9:>10.1f}"


def _arrays(workload: str) -> tuple[Array, Array]:
    random = np.random.default_rng(0)
    shapes = (CONVOLUTION.data_shape, CONVOLUTION.kernel_shape)
    if workload == "matmul":
        shapes = ((PRODUCT.m, PRODUCT.k), (PRODUCT.k, PRODUCT.n))
    first, second = (random.integers(-4, 5, shape, np.int8).astype(np.float16) for shape in shapes)
    return first, second


def _is_right(workload: str, arrays: tuple[Array, Array], output: Array) -> bool:
    """Sampled pixels or rows against float64."""
    random = np.random.default_rng(1)
    wanted = np.zeros(output.shape, np.bool_)
    if workload == "conv2d":
        for _ in range(_SAMPLED_BLOCKS):
            wanted[:, random.integers(output.shape[1]), random.integers(output.shape[2])] = True
        return compare(output, conv2d_at(CONVOLUTION, arrays[0], arrays[1], wanted), wanted).correct
    wanted[random.integers(0, output.shape[0], _SAMPLED_BLOCKS)] = True
    return compare(output, matmul_at(PRODUCT, arrays, wanted), wanted).correct


def _vendor(workload: str, arrays: tuple[Array, Array], repeats: int) -> tuple[str, float] | None:
    """The vendor library's name and median milliseconds; None when there is none."""
    try:
        torch = import_module("torch")
    except ImportError:
        return _cupy(arrays, repeats) if workload == "matmul" else None
    if not torch.cuda.is_available():
        return None
    if workload == "matmul":
        a, b = (torch.from_numpy(array).cuda() for array in arrays)
        return "cuBLAS", _torch_milliseconds(torch, lambda: a @ b, repeats)
    data, kernel = arrays
    images = data.transpose(0, 4, 3, 5, 1, 2).reshape(CONVOLUTION.batch, -1, CONVOLUTION.height, CONVOLUTION.width)
    filters = kernel.transpose(3, 5, 2, 4, 0, 1).reshape(CONVOLUTION.out_channels, -1, *kernel.shape[:2])
    x, w = (
        torch.from_numpy(np.ascontiguousarray(array)).cuda().to(memory_format=torch.channels_last)
        for array in (images, filters)
    )
    torch.backends.cudnn.benchmark = True
    padding, stride = CONVOLUTION.padding, CONVOLUTION.stride
    run = lambda: torch.nn.functional.conv2d(x, w, stride=stride, padding=padding)  # noqa: E731
    return "cuDNN", _torch_milliseconds(torch, run, repeats)


def _torch_milliseconds(torch: Any, run: Callable[[], object], repeats: int) -> float:
    for _ in range(5):
        run()
    times: list[float] = []
    for _ in range(repeats):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        run()
        end.record()
        end.synchronize()
        times.append(float(begin.elapsed_time(end)))
    return float(np.median(times))


def _cupy(arrays: tuple[Array, Array], repeats: int) -> tuple[str, float] | None:
    try:
        cupy = import_module("cupy")
        a, b = (cupy.asarray(array) for array in arrays)
        profiled = import_module("cupyx.profiler").benchmark(lambda: a @ b, n_repeat=repeats, n_warmup=5)
    except Exception:  # without a usable device cupy raises errors of its own
        return None
    return "cuBLAS", float(np.median(profiled.gpu_times)) * 1000


if __name__ == "__main__":
    sys.exit(main())
