"""Three programs as the reference runtime emits them: streams, memory images and numpy's results.

Buffers lie on 4 KiB pages from 0x1000 in argument order, then the micro-ops.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_STREAMS = Path(__file__).parents[1] / "data" / "reference_streams"
_PAGE = 0x1000
NAMES = ("vadd", "gemm", "conv2d")


def stream_of(name: str) -> bytes:
    """The instruction bytes of a program."""
    return (_STREAMS / name / "insn.bin").read_bytes()


def micro_ops_of(name: str) -> bytes:
    """The micro-op bytes of a program."""
    return (_STREAMS / name / "uop.bin").read_bytes()


COUNTERS: dict[str, dict[str, int]] = {
    "vadd": {"acc_load_nbytes": 8192, "uop_load_nbytes": 4, "out_store_nbytes": 1024, "alu_counter": 64},
    "gemm": {
        "inp_load_nbytes": 4096,
        "wgt_load_nbytes": 1048576,
        "uop_load_nbytes": 20,
        "out_store_nbytes": 1024,
        "gemm_counter": 4096,
        "alu_counter": 192,
    },
    "conv2d": {
        "inp_load_nbytes": 114688,
        "wgt_load_nbytes": 1179648,
        "uop_load_nbytes": 1144,
        "out_store_nbytes": 50176,
        "gemm_counter": 451584,
        "alu_counter": 9408,
    },
}
"""The reference's counters; those not named are 0."""


@dataclass(frozen=True)
class ReferenceRun:
    """A program's stream, a memory image with random inputs, and the bytes that it must compute."""

    instructions: bytes
    image: NDArray[np.uint8]
    expected: NDArray[np.int8]
    output_address: int

    def output(self, image: NDArray[np.uint8]) -> NDArray[np.int8]:
        """The result in a memory image after a run."""
        return image[self.output_address : self.output_address + self.expected.size].view(np.int8)


def _place(name: str, arrays: list[NDArray[np.int8] | NDArray[np.int32]], expected: NDArray[np.int8]) -> ReferenceRun:
    micro_ops = np.frombuffer(micro_ops_of(name), np.uint8)
    buffers = [*(array.reshape(-1).view(np.uint8) for array in arrays), np.zeros(expected.size, np.uint8), micro_ops]
    pages = [-(-len(buffer) // _PAGE) for buffer in buffers]
    starts = [_PAGE * (1 + sum(pages[:place])) for place in range(len(buffers))]
    image = np.zeros(_PAGE * (1 + sum(pages)), np.uint8)
    for start, buffer in zip(starts, buffers, strict=True):
        image[start : start + len(buffer)] = buffer
    return ReferenceRun(stream_of(name), image, expected.reshape(-1), starts[-2])


def _requantised(sums: NDArray[np.int64]) -> NDArray[np.int8]:
    return np.clip(sums >> 8, 0, 127).astype(np.int8)


def _vadd(random: np.random.Generator) -> ReferenceRun:
    first, second = (random.integers(-128, 128, 1024, dtype=np.int32) for _ in range(2))
    return _place("vadd", [first, second], (first + second).astype(np.int8))


def _gemm(random: np.random.Generator) -> ReferenceRun:
    data = random.integers(-128, 128, 1024, dtype=np.int8)
    weight = random.integers(-128, 128, (64, 64, 16, 16), dtype=np.int8)
    matrix = weight.astype(np.int64).transpose(0, 2, 1, 3).reshape(1024, 1024)
    return _place("gemm", [data, weight], _requantised(matrix @ data.astype(np.int64)))


def _conv2d(random: np.random.Generator) -> ReferenceRun:
    data = random.integers(-128, 128, (16, 14, 14, 16), dtype=np.int8)
    kernel = random.integers(-128, 128, (16, 16, 3, 3, 16, 16), dtype=np.int8)
    padded = np.pad(data.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)))
    sums = np.zeros((16, 14, 14, 16))
    for y in range(3):
        for x in range(3):
            window = padded[:, y : y + 14, x : x + 14].transpose(1, 2, 0, 3).reshape(196, 256)
            weights = kernel[:, :, y, x].astype(np.float64).transpose(0, 2, 1, 3).reshape(256, 256)
            sums += (window @ weights.T).reshape(14, 14, 16, 16).transpose(2, 0, 1, 3)
    return _place("conv2d", [data, kernel], _requantised(sums.astype(np.int64)))


def reference_run(name: str, seed: int = 0) -> ReferenceRun:
    """A program with inputs drawn over all of i8."""
    return {"vadd": _vadd, "gemm": _gemm, "conv2d": _conv2d}[name](np.random.default_rng(seed))
