"""Blocked matrix multiplication with requantisation on the VTA."""

from __future__ import annotations

import sys
from typing import cast

import flags
import numpy as np
import runner

import vtac
from vtac.targets.vta.programs.arrays import Array
from vtac.workloads import reference
from vtac.workloads.matmul import Matmul, MatmulTiling


def main() -> int:
    options = runner.parser(__doc__ or "", "python examples/vta_matmul.py --batch 16 --batch-block 4 --out-block 128")
    options.add_argument("--batch", type=int, help="rows, a multiple of BATCH; BATCH without it")
    options.add_argument("--in-features", type=int, default=1024)
    options.add_argument("--out-features", type=int, default=1024)
    options.add_argument("--batch-block", type=int, help="rows on chip at a time; BATCH without it")
    options.add_argument("--in-block", type=int, default=256, help="input features on chip at a time")
    options.add_argument("--out-block", type=int, default=256, help="output features on chip at a time")
    options.add_argument("--vthreads", type=int, default=1, help="virtual threads over the output-feature blocks")
    options.add_argument("--tail", choices=("error", "guard"), default="error", help="blocks that do not divide")
    given = options.parse_args()

    def work(config: vtac.VTAConfig) -> runner.Work:
        layer = Matmul(
            config.batch if given.batch is None else given.batch, given.in_features, given.out_features, config=config
        )
        tiling = MatmulTiling(given.batch_block, given.in_block, given.out_block, given.vthreads, given.tail)

        def arrays(random: np.random.Generator, low: int, high: int) -> tuple[Array, ...]:
            flags.check_range(low, high, np.iinfo(np.int8))
            data = random.integers(low, high, (layer.batch, layer.in_features)).astype(np.int8)
            weight = random.integers(low, high, (layer.out_features, layer.in_features)).astype(np.int8)
            return (
                cast(Array, reference.pack_rows(data, config.batch, config.block_in)),
                cast(Array, reference.pack_rows(weight, config.block_out, config.block_in)),
            )

        def expected(packed: tuple[Array, ...]) -> Array:
            data, weight = (reference.unpack_rows(array) for array in packed)
            result = reference.matmul(layer, data.astype(np.int8), weight.astype(np.int8))
            return cast(Array, reference.pack_rows(result, config.batch, config.block_out))

        title = f"matrix multiplication: {layer.batch} x {layer.in_features} -> {layer.out_features}, int8"
        return runner.Work(title, layer.text(), lambda: layer.schedule(tiling), arrays, expected)

    return runner.main(given, work)


if __name__ == "__main__":
    sys.exit(main())
