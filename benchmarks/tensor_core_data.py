"""Data, references and the vendor's library for the workloads of `tensor_cores.py`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np
from tensor_core_programs import CONVOLUTION, Work

from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.gpu.measuring import Sample
from vtac.targets.cuda.launch import Parameter

_ROWS = 16


def normal_arrays(parameters: Sequence[Parameter]) -> list[Array]:
    """Random f16 with a normal distribution: power, and so speed, depends on the data."""
    random = np.random.default_rng(0)
    return [random.standard_normal(p.shape, np.float32).astype(np.float16) for p in parameters]


def reference(work: Work, arrays: list[Array], shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Some rows or pixels in float64, and where they are."""
    random = np.random.default_rng(1)
    wanted = np.zeros(shape, np.bool_)
    if work.kind == CONVOLUTION:
        from vtac.workloads.wmma_conv2d import WmmaConv2D
        from vtac.workloads.wmma_reference import conv2d_at

        for _ in range(2):
            wanted[:, random.integers(shape[1]), random.integers(shape[2])] = True
        return conv2d_at(WmmaConv2D(), arrays[0], arrays[1], wanted), wanted
    rows = np.unique(random.integers(0, shape[0], _ROWS))
    wanted[rows] = True
    expected = np.zeros(shape, np.float32)
    expected[rows] = arrays[0][rows].astype(np.float64) @ arrays[1].astype(np.float64)
    return expected, wanted


@contextmanager
def vendor_sample(work: Work, arrays: list[Array]) -> Generator[Sample | None]:
    """What times the vendor's library on the same data; None where torch does not drive a GPU."""
    try:
        torch = import_module("torch")
    except ImportError:
        yield None
        return
    if not torch.cuda.is_available():
        yield None
        return
    run = _torch_run(torch, work, arrays)
    for _ in range(5):
        run()

    def sample(burst: int = 10) -> float:
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(burst):
            run()
        end.record()
        end.synchronize()
        return float(begin.elapsed_time(end)) / burst

    yield sample


def _torch_run(torch: Any, work: Work, arrays: list[Array]) -> Callable[[], object]:
    first, second = (torch.from_numpy(array).cuda() for array in arrays)
    if work.kind != CONVOLUTION:
        return lambda: first @ second
    images = first.permute(0, 4, 3, 5, 1, 2).reshape(256, 256, 14, 14).contiguous(memory_format=torch.channels_last)
    filters = second.permute(3, 5, 2, 4, 0, 1).reshape(512, 256, 3, 3).contiguous(memory_format=torch.channels_last)
    torch.backends.cudnn.benchmark = True
    return lambda: torch.nn.functional.conv2d(images, filters, padding=1)
