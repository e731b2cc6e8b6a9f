"""Each barrier, wait and commit of each kind of kernel is removed, weakened or moved in turn: every fault is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from cuda_kernels import blocked_conv2d, kernel_text, pipelined_matmul
from planted_barriers import Fault, plant

import vtac
from vtac.errors import KernelFault
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.cpu.running import run_on_cpu
from vtac.targets.cuda.cpu.toolchain import cpu_unavailable_reason
from vtac.targets.cuda.launch import LaunchRecord, Parameter
from vtac.workloads.attention import Attention
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_conv2d_plain import PlainConv2D
from vtac.workloads.wmma_fast import fast_schedule
from vtac.workloads.wmma_matmul import MatmulTiling, WmmaMatmul

pytestmark = pytest.mark.skipif(cpu_unavailable_reason() is not None, reason=str(cpu_unavailable_reason()))


@dataclass(frozen=True)
class Kernel:
    """A text, its launch, and the name of the elements of one stage of one of its rings, where it has any."""

    text: str
    launch: LaunchRecord
    stage: str | None = None

    @property
    def arrays(self) -> list[Array]:
        """Small whole numbers for the inputs."""
        random = np.random.default_rng(0)
        return [random.integers(-5, 6, p.shape).astype(p.numpy_dtype) for p in self.launch.inputs]


def product(layer: WmmaMatmul, tiling: MatmulTiling | None = None, stage: str | None = None) -> Kernel:
    program = vtac.compile(layer.text(), "cuda", schedule=layer.schedule(tiling))
    return Kernel(program.text, program.launch, stage)


def convolution(layer: WmmaConv2D | PlainConv2D, *, fast: bool, stage: str | None = None) -> Kernel:
    program = vtac.compile(layer.text(), "cuda", schedule=fast_schedule(layer) if fast else layer.seed_schedule())
    return Kernel(program.text, program.launch, stage)


def warps_of_their_own() -> Kernel:
    parameters = (
        Parameter("a", "input", "float16", (64, 48)),
        Parameter("b", "input", "float16", (48, 32)),
        Parameter("c", "output", "float32", (64, 32)),
    )
    return Kernel(kernel_text("matmul_warps.cu"), LaunchRecord("matmul", (2, 1, 1), (64, 1, 1), 0, parameters))


def attention() -> Kernel:
    program = vtac.compile(Attention(1, 40, 80, 32, 32).text(), "cuda")
    assert isinstance(program, vtac.CudaNetwork)
    return Kernel(program.text, program.plan.kernels[0])


KERNELS: Mapping[str, tuple[Callable[[], Kernel], int]] = {
    "product": (lambda: product(WmmaMatmul(64, 64, 64, bias=True, relu=True)), 5),
    "guarded product": (lambda: product(WmmaMatmul(50, 64, 100, "s8", bias=True)), 5),
    "pipelined product": (
        lambda: product(WmmaMatmul(64, 64, 128, bias=True), MatmulTiling(2, 2, 2, 2, 1, 3), "a_shared_stage"),
        9,
    ),
    "convolution": (lambda: convolution(WmmaConv2D(16, 4, 4, 32, 16), fast=False), 4),
    "fast convolution": (lambda: convolution(WmmaConv2D(64, 4, 4, 32, 128), fast=True, stage="data_shared_stage"), 8),
    "plain convolution": (lambda: convolution(PlainConv2D(5, 3, 4, 3, 10, 5, 2, 2), fast=False), 5),
    "fast plain convolution": (lambda: convolution(PlainConv2D(16, 5, 4, 16, 32, 2, 0, 2), fast=True), 6),
    "pipelined product by hand": (lambda: Kernel(pipelined_matmul().text, pipelined_matmul().launch), 7),
    "convolution by hand": (lambda: Kernel(blocked_conv2d().text, blocked_conv2d().launch), 4),
    "attention": (attention, 13),
    "warps of their own": (warps_of_their_own, 12),
}
"""Kernels, and how many faults there are to plant."""

REDUNDANT = {
    ("attention", 1): "the first barrier of a step orders the copy of the queries, too",
    ("attention", 10): "the last barrier of a step is between the maxima's readers and the sums' writers already",
    (
        "warps of their own",
        11,
    ): "the barriers in the next round's steps order the tile's readers before its next writers",
    ("warps of their own", 12): "as above, once per round",
}
"""Barriers that nothing needs, by kernel and the fault's number, and why."""


ALLOWED = {False: {"race"}, True: {"race", "unwritten", "out-of-bounds"}}
"""Kinds of faults, by whether an index was changed and not what orders accesses: it may lead to an
unfilled stage, or beyond the last."""


@pytest.mark.parametrize("name", KERNELS)
def test_every_planted_fault_is_found(name: str) -> None:
    make, count = KERNELS[name]
    kernel = make()
    planted = plant(kernel.text, kernel.launch, kernel.stage)
    assert len(planted.faults) == count

    def outcome(fault: Fault | None, orders: int) -> str:
        try:
            run = run_on_cpu(
                planted.text, planted.launch, planted.arrays(fault, kernel.arrays), orders=orders, blocks=3
            )
        except KernelFault as found:
            return found.kind
        return "clean" if run.written[0].any() else "nothing ran"

    assert outcome(None, orders=6) == "clean"
    found = {str(fault): outcome(fault, orders=2) for fault in planted.faults}
    needless = {str(fault) for fault in planted.faults if (name, fault.number) in REDUNDANT}
    kinds = {fault: {"clean"} if fault in needless else ALLOWED[fault.startswith("stage")] for fault in found}
    assert all(found[fault] in kinds[fault] for fault in found), found
