"""Linalg text of matrix products in 1 x 16 tiles and of what may follow them, with schedules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import vtac
from vtac.workloads.linalg_text import MULTIPLY_ACCUMULATE, affine_map, iterators, tensor

Int8 = NDArray[np.int8]

PRODUCT = [affine_map("m, n, i, j, c, k", it) for it in ("m, c, i, k", "n, c, j, k", "m, n, i, j")]
TILE = affine_map("m, n, i, j", "m, n, i, j")
COLUMN = affine_map("m, n, i, j", "n, i, j")


def product(name: str, data: str, weight: str, rows: int, depth: int, columns: int) -> str:
    """name = data @ weight.T in 1 x 16 tiles, from 0."""
    wide = tensor((rows, columns, 1, 16), "i32")
    inputs = f"{tensor((rows, depth, 1, 16), 'i8')}, {tensor((columns, depth, 16, 16), 'i8')}"
    return f"""
  %{name}_zero = arith.constant 0 : i32
  %{name}_empty = tensor.empty() : {wide}
  %{name}_fill = linalg.fill ins(%{name}_zero : i32) outs(%{name}_empty : {wide}) -> {wide}
  %{name} = linalg.generic {{indexing_maps = [{", ".join(PRODUCT)}], {iterators(4, 2)}}}
    ins(%{data}, %{weight} : {inputs}) outs(%{name}_fill : {wide}) {{{MULTIPLY_ACCUMULATE}
  }} -> {wide}"""


def pointwise(
    name: str, sources: Sequence[str], types: Sequence[str], maps: Sequence[str], body: str, result: str
) -> str:
    """An elementwise op over tiles; `body` computes %y from %x0, %x1."""
    scalars = ", ".join(f"%x{at}: {kind.split('x')[-1][:-1]}" for at, kind in enumerate(types))
    element = result.rsplit("x", maxsplit=1)[-1][:-1]
    return f"""
  %{name}_empty = tensor.empty() : {result}
  %{name} = linalg.generic {{indexing_maps = [{", ".join([*maps, TILE])}], {iterators(4)}}}
    ins({", ".join(f"%{source}" for source in sources)} : {", ".join(types)}) outs(%{name}_empty : {result}) {{
  ^bb0({scalars}, %o: {element}):
    {body}
    linalg.yield {"%y" if body else "%x0"} : {element}
  }} -> {result}"""


SHIFT = "%c = arith.constant 6 : i32\n    %y = arith.shrsi %x0, %c : i32"
CLIP = """%low = arith.constant -128 : i32
    %high = arith.constant 127 : i32
    %l = arith.maxsi %x0, %low : i32
    %y = arith.minsi %l, %high : i32"""
TRUNCATE = "%y = arith.trunci %x0 : i32 to i8"


def requantised(name: str, source: str, shape: Sequence[int]) -> str:
    """Blocks NAME_shift, NAME_clip and NAME."""
    wide, narrow = tensor(shape, "i32"), tensor(shape, "i8")
    return (
        pointwise(f"{name}_shift", [source], [wide], [TILE], SHIFT, wide)
        + pointwise(f"{name}_clip", [f"{name}_shift"], [wide], [TILE], CLIP, wide)
        + pointwise(name, [f"{name}_clip"], [wide], [TILE], TRUNCATE, narrow)
    )


def clipped(sums: NDArray[np.int64]) -> Int8:
    return np.clip(sums >> 6, -128, 127).astype(np.int8)


def multiply(data: Int8, weight: Int8) -> NDArray[np.int64]:
    """Packed data (m, c, 1, 16) and weight (n, c, 16, 16) -> (m, n, 1, 16)."""
    return np.einsum("mcik,ncjk->mnij", data.astype(np.int64), weight.astype(np.int64))


def schedule_product(schedule: vtac.Schedule, name: str, elementwise: Sequence[str], stored: str) -> None:
    """A product with what follows it, everything on chip at once."""
    block = schedule.get_block(name)
    for index, scope in enumerate(("vta.inp", "vta.wgt")):
        copy = schedule.cache_read(block, index, scope)
        schedule.dma_copy(schedule.get_loops(copy)[0])
    schedule.set_scope(block, "vta.acc")
    m, n, i, j, c, k = schedule.get_loops(block)
    schedule.reorder(c, m, n, i, j, k)
    schedule.tensorize(i, "vta.gemm")
    for other in elementwise:
        step = schedule.get_block(other)
        schedule.set_scope(step, "vta.acc")
        schedule.alu(schedule.get_loops(step)[0])
    schedule.dma_copy(schedule.get_loops(schedule.get_block(stored))[0])


def tiles(rows: int, columns: int, kind: str = "i8") -> str:
    """The type of rows x columns tiles of 1 x 16."""
    return tensor((rows, columns, 1, 16), kind)


def weights(rows: int, columns: int) -> str:
    """The type of rows x columns weight tiles."""
    return tensor((rows, columns, 16, 16), "i8")
