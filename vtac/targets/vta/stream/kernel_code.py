"""What kernels count: micro-ops and hardware loops."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import cast

import numpy as np
from numpy.typing import NDArray
from xdsl.ir.affine import AffineMap

from vtac.dialects.vta.kernels import AluOp, GemmOp


@dataclass(frozen=True, slots=True)
class MicroOps:
    """A kernel's micro-ops as a function of the values that it captures."""

    indices: AffineMap
    extents: tuple[int, ...]

    def __call__(self, *captures: int) -> NDArray[np.int64]:
        """Of shape (n, 3), columns dst, src and wgt, which is 0 in an ALU; the last micro-op loop is the fastest."""
        table = np.zeros((*self.extents, 3), np.int64)
        inner = range(len(self.extents) - 1, -1, -1)  # how many loops run within each
        axes = [np.arange(extent).reshape(-1, *repeat(1, n)) for extent, n in zip(self.extents, inner, strict=True)]
        for column, index in enumerate(self.indices.eval(cast("list[int]", axes), captures)):
            table[..., column] = index
        return table.reshape(-1, 3)


def gemm_loops(op: GemmOp) -> tuple[int, ...]:
    """iter_out, iter_in and factors; a single loop is the outer one."""
    loops = [(loop.extent, loop.dst, loop.src, loop.wgt) for loop in op.hardware_loops]
    outer, inner = [*loops, (1, 0, 0, 0), (1, 0, 0, 0)][:2]
    return (outer[0], inner[0], outer[1], inner[1], outer[2], inner[2], outer[3], inner[3])


def alu_loops(op: AluOp) -> tuple[int, ...]:
    """iter_out, iter_in and factors; a single loop is the inner one."""
    loops = [(loop.extent, loop.dst, loop.src) for loop in op.hardware_loops]
    outer, inner = [(1, 0, 0), (1, 0, 0), *loops][-2:]
    return (outer[0], inner[0], outer[1], inner[1], outer[2], inner[2])
