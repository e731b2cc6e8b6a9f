"""What kernels count: micro-ops and hardware loops."""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from vtac.analysis.ir.locations import location_of
from vtac.dialects.vta.kernels import AluOp, GemmOp, KernelOp
from vtac.errors import CompileError
from vtac.targets.vta.stream.host_arithmetic import affine_function
from vtac.targets.vta.stream.host_bounds import TOO_LARGE, magnitude_of

MicroOps: TypeAlias = Callable[..., NDArray[np.int64]]
"""From the values that a kernel captures to its micro-ops, of shape (n, 3): dst, src, wgt, which is 0 in an ALU."""


def micro_ops_of(op: KernelOp) -> MicroOps:
    """The micro-ops of a kernel; the last micro-op loop is the fastest. Raises `CompileError` as its indices do."""
    extents, indices = op.micro_extents, op.indices.data
    inner = range(len(extents) - 1, -1, -1)  # how many loops run within each
    axes = [np.arange(extent).reshape(-1, *repeat(1, within)) for extent, within in zip(extents, inner, strict=True)]
    exact = [axis.astype(np.object_) for axis in axes]  # Python's numbers
    places = range(indices.num_dims + indices.num_symbols)
    columns = [affine_function(result, indices.num_dims, places, op) for result in indices.results]

    def micro_ops(*captures: int) -> NDArray[np.int64]:
        table = np.zeros((*extents, 3), np.int64)
        sizes = [*extents, *map(abs, captures)]
        fit = all(magnitude_of(result, indices.num_dims, sizes) < TOO_LARGE for result in indices.results)
        values = cast("tuple[int, ...]", (*(axes if fit else exact), *captures))
        for number, column in enumerate(columns):
            try:
                table[..., number] = column(values)
            except OverflowError:
                raise CompileError(
                    f"'{op.name}' names a tile by a number of more than 64 bits", location_of(op)
                ) from None
        return table.reshape(-1, 3)

    return micro_ops


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
