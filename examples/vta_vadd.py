"""Vector addition on the VTA's ALU."""

from __future__ import annotations

import sys
from typing import cast

import flags
import numpy as np
import runner

import vtac
from vtac.targets.vta.programs.arrays import Array
from vtac.workloads import reference
from vtac.workloads.vadd import VectorAdd


def main() -> int:
    options = runner.parser(__doc__ or "", "python examples/vta_vadd.py --channels 4096 --block 1024")
    options.add_argument("--channels", type=int, default=1024, help="numbers per row")
    options.add_argument("--batch", type=int, help="rows, a multiple of BATCH; BATCH without it")
    options.add_argument("--block", type=int, help="channels on chip at a time; all without it")
    given = options.parse_args()

    def work(config: vtac.VTAConfig) -> runner.Work:
        layer = VectorAdd(given.channels, config.batch if given.batch is None else given.batch, config)

        def arrays(random: np.random.Generator, low: int, high: int) -> tuple[Array, ...]:
            flags.check_range(low, high, np.iinfo(np.int32))
            plain = (layer.batch, layer.channels)
            made = [random.integers(low, high, plain, dtype=np.int32) for _ in range(2)]
            return tuple(cast(Array, reference.pack_rows(a, config.batch, config.block_out)) for a in made)

        def expected(given_arrays: tuple[Array, ...]) -> Array:
            a, b = given_arrays
            return reference.vadd(a.astype(np.int32), b.astype(np.int32))

        title = f"vector addition: {layer.batch} x {layer.channels}, int32 -> int8"
        return runner.Work(title, layer.text(), lambda: layer.schedule(given.block), arrays, expected)

    return runner.main(given, work)


if __name__ == "__main__":
    sys.exit(main())
