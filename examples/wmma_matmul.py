"""Matrix multiplication on tensor cores, with a fused bias and relu."""

from __future__ import annotations

import sys

import flags
import numpy as np
import wmma_runner as runner
from numpy.typing import NDArray

import vtac
from vtac.dialects.gpu_hardware import GpuArchitecture
from vtac.errors import ScheduleError
from vtac.evaluate.bfloat16 import to_bfloat16
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.schedules.mma_products import mma_schedule
from vtac.targets.cuda.schedules.tma_products import tma_schedule
from vtac.targets.cuda.schedules.wgmma_products import wgmma_schedule
from vtac.workloads.mma_matmul import MmaMatmul
from vtac.workloads.wmma_matmul import FRAGMENTS, WmmaMatmul
from vtac.workloads.wmma_reference import matmul_at

_IN_REGISTERS = {"mma": mma_schedule, "wgmma": wgmma_schedule, "tma": tma_schedule}
"""Schedules whose sums lie in registers: of products of any sizes, with nothing padded in the program."""


def main() -> int:
    example = "python examples/wmma_matmul.py --m 256 --n 128 --k 100 --bias --relu"
    options = runner.parser(__doc__ or "", example, ("seed", "fast", *_IN_REGISTERS))
    options.add_argument("--m", type=int, default=1024, help="rows of a and c")
    options.add_argument("--n", type=int, default=1024, help="columns of b and c")
    options.add_argument("--k", type=int, default=1024, help="columns of a, rows of b")
    options.add_argument("--dtype", choices=tuple(FRAGMENTS), default="f16", help="element type of a and b")
    options.add_argument("--bias", action="store_true", help="add a row of n numbers")
    options.add_argument("--relu", action="store_true", help="take the maximum with zero")
    options.add_argument("--cluster", type=int, default=1, help="blocks that share boxes, of --schedule tma")
    given = options.parse_args()

    def work(architecture: GpuArchitecture) -> runner.Work:
        kind = MmaMatmul if given.schedule in _IN_REGISTERS else WmmaMatmul
        layer = kind(given.m, given.n, given.k, given.dtype, given.bias, given.relu)
        wide = np.int32 if layer.element == "s8" else np.float32

        def schedule() -> vtac.Schedule:
            if given.cluster != 1 and given.schedule != "tma":
                raise ScheduleError("--cluster: blocks share boxes: choose --schedule tma")
            if given.schedule == "tma":
                return tma_schedule(layer.text(), architecture, cluster=given.cluster)
            if given.schedule in _IN_REGISTERS:
                return _IN_REGISTERS[given.schedule](layer.text(), architecture)
            return layer.schedule(layer.fast_tiling(architecture) if given.schedule == "fast" else None)

        def arrays(random: np.random.Generator, low: int, high: int) -> tuple[Array, ...]:
            flags.check_range(low, high, np.iinfo(np.int8 if layer.element == "s8" else np.int16))
            a, b = (random.integers(low, high, shape) for shape in ((layer.m, layer.k), (layer.k, layer.n)))
            bias = random.integers(low, high, layer.n).astype(wide)
            return _narrow(a, layer.element), _narrow(b, layer.element), *((bias,) if layer.bias else ())

        def expected(inputs: tuple[Array, ...], wanted: NDArray[np.bool_]) -> Array:
            return matmul_at(layer, inputs, wanted)

        epilogue = "".join([" + bias" if layer.bias else "", ", relu" if layer.relu else ""])
        title = f"matrix product: {layer.m} x {layer.k} by {layer.k} x {layer.n}{epilogue}, {layer.element}"
        return runner.Work(title, layer.text(), schedule, arrays, expected, 2 * layer.m * layer.n * layer.k)

    return runner.main(given, work)


def _narrow(numbers: NDArray[np.int64], element: str) -> Array:
    if element == "bf16":
        return to_bfloat16(numbers.astype(np.float32))
    return numbers.astype(np.int8 if element == "s8" else np.float16)


if __name__ == "__main__":
    sys.exit(main())
