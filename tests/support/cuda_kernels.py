"""Hand-written kernels with their launch records, data and expected results."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.launch import LaunchRecord, Parameter

_KERNELS = Path(__file__).parents[1] / "targets" / "cuda" / "kernels"


@dataclass(frozen=True)
class Sample:
    """A kernel's text, its launch, inputs, and its one output as numpy computes it."""

    text: str
    launch: LaunchRecord
    arrays: tuple[Array, ...]
    expected: Array


def kernel_text(name: str) -> str:
    return (_KERNELS / name).read_text(encoding="utf-8")


@cache
def pipelined_matmul() -> Sample:
    """relu(a * b + bias) of 128 x 96 and 96 x 64, through a ring of asynchronous copies."""
    rng = np.random.default_rng(1)
    a = rng.integers(-4, 5, (128, 96)).astype(np.float16)
    b = rng.integers(-4, 5, (96, 64)).astype(np.float16)
    bias = rng.integers(-9, 10, 64).astype(np.float32)
    launch = LaunchRecord(
        kernel="matmul",
        grid=(2, 2, 1),
        block=(128, 1, 1),
        shared_bytes=64 * 40 * 4,
        parameters=(
            Parameter("a", "input", "float16", (128, 96)),
            Parameter("b", "input", "float16", (96, 64)),
            Parameter("bias", "input", "float32", (64,)),
            Parameter("c", "output", "float32", (128, 64)),
        ),
    )
    expected = np.maximum(a.astype(np.float32) @ b.astype(np.float32) + bias, 0)
    return Sample(kernel_text("matmul_pipelined.cu"), launch, (a, b, bias), expected)


@cache
def blocked_conv2d() -> Sample:
    """A 3 x 3 convolution of 32 images of 5 x 5, 64 to 64 channels, in blocks of 16."""
    rng = np.random.default_rng(2)
    data = rng.integers(-3, 4, (2, 5, 5, 4, 16, 16)).astype(np.float16)
    kernel = rng.integers(-3, 4, (3, 3, 4, 4, 16, 16)).astype(np.float16)
    launch = LaunchRecord(
        kernel="conv2d",
        grid=(1, 1, 25),
        block=(32, 2, 2),
        shared_bytes=0,
        parameters=(
            Parameter("data", "input", "float16", data.shape),
            Parameter("kernel", "input", "float16", kernel.shape),
            Parameter("output", "output", "float32", (2, 5, 5, 4, 16, 16)),
        ),
    )
    return Sample(kernel_text("conv2d_blocked.cu"), launch, (data, kernel), blocked_convolution(data, kernel))


def blocked_convolution(data: Array, kernel: Array) -> Array:
    """The convolution on (n, h, w, i, nn, ii) and (kh, kw, i, o, ii, oo), padding 1, in float32."""
    padded = np.pad(data.astype(np.float32), ((0, 0), (1, 1), (1, 1), (0, 0), (0, 0), (0, 0)))
    _, height, width = data.shape[:3]
    total = np.zeros((*data.shape[:3], kernel.shape[3], 16, 16), dtype=np.float32)
    for kh in range(3):
        for kw in range(3):
            window = padded[:, kh : kh + height, kw : kw + width]
            total += np.einsum("nhwiab,iobc->nhwoac", window, kernel[kh, kw].astype(np.float32))
    return total
