"""A GEMM instruction as matrix products.

Its loops fall into kinds by the indices that they move:

    dst src -    rows: another input tile, the same weights       (M)
    dst  -  wgt  columns: the same input, another weight tile     (N)
     -  src wgt  reduction into the same accumulator tile         (K)
    dst src wgt  independent products                             (batch)
     -   -   -   the same operation again: a factor

so that with P and W the tiles packed as matrices over (K, BLOCK_IN), acc[M, N] += P[M] W[N]^T.
Sums wrap in 32 bits and addition commutes, so the order of operations does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.machine.fast_nest import Indices, Loop, Nest
from vtac.targets.vta.machine.fast_workspace import Step, Workspace, strided, whole_runs

EXACT_TERMS = 1024
"""Products of two i8 are at most 2**14; float32 is exact up to 2**24, hence for sums of so many."""

# Products of more multiply-adds are taken one tile of columns after the other, whose operands stay in cache.
_LARGEST_PRODUCT = 1 << 18
_MAX_TILES = 1 << 15
_MIN_AFFINE_OPERATIONS = 64
_GATHER_CHUNK = 1 << 12


@dataclass(frozen=True, slots=True)
class Roles:
    """The loops of a nest by kind; `factor` counts the repetitions of the same operations."""

    batch: tuple[Loop, ...]
    rows: tuple[Loop, ...]
    columns: tuple[Loop, ...]
    reduction: tuple[Loop, ...]
    factor: int

    @staticmethod
    def of(loops: tuple[Loop, ...]) -> Roles:
        moving = [loop for loop in loops if loop.dst]
        return Roles(
            batch=tuple(loop for loop in moving if loop.src and loop.wgt),
            rows=tuple(loop for loop in moving if not loop.wgt),
            columns=tuple(loop for loop in moving if loop.wgt and not loop.src),
            reduction=tuple(loop for loop in loops if not loop.dst and (loop.src or loop.wgt)),
            factor=prod(loop.extent for loop in loops if not (loop.dst or loop.src or loop.wgt)),
        )


def _extent(loops: tuple[Loop, ...]) -> int:
    return prod(loop.extent for loop in loops)


def _axes(loops: tuple[Loop, ...], operand: int, tile_bytes: int) -> list[tuple[int, int]]:
    return [(loop.extent, loop[1 + operand] * tile_bytes) for loop in loops]


class _Packed:
    """Tiles gathered as a float32 matrix (batch, lines, terms); `pack` refreshes it from SRAM.

    Runs of BLOCK_IN bytes are moved whole before numbers are widened, which is faster than
    widening along the strides; tiles that lie in order already are not moved.
    """

    def __init__(
        self,
        workspace: Workspace,
        sram: NDArray[np.int8],
        start: int,
        axes: list[tuple[int, int]],
        shape: tuple[int, int, int],
    ) -> None:
        run = sram.shape[-1]
        purpose = f"tiles of {'inp' if sram is workspace.machine.inp else 'wgt'}"
        self._runs = strided(whole_runs(sram, run), start * sram.strides[0], axes)
        self._in_order = self._runs.flags.c_contiguous
        gathered = workspace.scratch(f"{purpose} i8", (self._runs.size * run,), np.int8)
        self._gathered = whole_runs(gathered, run).reshape(self._runs.shape)
        self._bytes = self._runs.reshape(-1).view(np.int8) if self._in_order else gathered
        self._numbers = workspace.scratch(f"{purpose} f32", (gathered.size,), np.float32)
        self.matrix = self._numbers.reshape(shape)

    def pack(self) -> None:
        if not self._in_order:
            np.copyto(self._gathered, self._runs)
        np.copyto(self._numbers, self._bytes)


class _Product:
    """Exact int32 sums of a float32 product left @ right, both stacks of matrices."""

    def __init__(
        self, workspace: Workspace, left: NDArray[np.float32], right: NDArray[np.float32], factor: int
    ) -> None:
        shape = (*np.broadcast_shapes(left.shape[:-2], right.shape[:-2]), left.shape[-2], right.shape[-1])
        terms = left.shape[-1]
        starts = range(0, terms, EXACT_TERMS)
        self._parts = [(left[..., at : at + EXACT_TERMS], right[..., at : at + EXACT_TERMS, :]) for at in starts]
        self._floats = workspace.scratch("product f32", shape, np.float32)
        self._more = workspace.scratch("product more", shape if len(self._parts) > 1 else (0,), np.int32)
        self._factor = np.array(factor & 0xFFFFFFFF, np.uint32).view(np.int32)
        self._repeated = factor != 1
        self.sums = workspace.scratch("product i32", shape, np.int32)

    def compute(self) -> None:
        (left, right), *rest = self._parts
        np.matmul(left, right, out=self._floats)
        np.copyto(self.sums, self._floats, casting="unsafe")
        for left, right in rest:
            np.matmul(left, right, out=self._floats)
            np.copyto(self._more, self._floats, casting="unsafe")
            np.add(self.sums, self._more, out=self.sums)
        if self._repeated:
            np.multiply(self.sums, self._factor, out=self.sums)


def _bind_accumulate(
    workspace: Workspace, start: int, loops: tuple[Loop, ...], tiles: NDArray[np.int32]
) -> Callable[[], None]:
    """Adding `tiles`, shape (*loops, BATCH, BLOCK_OUT), to the accumulator tiles that `loops` visit."""
    acc = workspace.machine.acc
    inner = [(acc.shape[1], acc.strides[1]), (acc.shape[2], acc.strides[2])]
    nest = Nest(loops, np.array([[start, 0, 0]]), ())
    if len(nest.touched_dst) == nest.operations:
        target = strided(acc, start * acc.strides[0], [*_axes(loops, 0, acc.strides[0]), *inner])
        order = sorted(range(target.ndim), key=lambda axis: -abs(tiles.strides[axis]))
        target, tiles = target.transpose(order), tiles.transpose(order)

        def add() -> None:
            np.add(target, tiles, out=target)

        return add
    positions = nest.indices(0).reshape([loop.extent for loop in loops])

    def add_repeatedly() -> None:
        np.add.at(acc, positions, tiles)

    return add_repeatedly


def _bind_product(workspace: Workspace, start: list[int], roles: Roles) -> Step:
    """The step acc[batch, M, N] += P[batch, M] W[batch, N]^T for tiles from `start` on."""
    machine = workspace.machine
    _, batch_rows, block_out = machine.acc.shape
    inp_bytes, wgt_bytes, run = machine.inp.strides[0], machine.wgt.strides[0], machine.inp.shape[-1]
    batch, terms, tiles = _extent(roles.batch), _extent(roles.reduction) * run, _extent(roles.columns)
    inputs_at = [*_axes(roles.batch + roles.rows, 1, inp_bytes), (batch_rows, run)]
    weights_at = [*_axes(roles.batch + roles.columns, 2, wgt_bytes), (block_out, run)]
    inputs_at += _axes(roles.reduction, 1, inp_bytes)
    weights_at += _axes(roles.reduction, 2, wgt_bytes)
    inputs = _Packed(workspace, machine.inp, start[1], inputs_at, (batch, _extent(roles.rows) * batch_rows, terms))
    weights = _Packed(workspace, machine.wgt, start[2], weights_at, (batch, tiles * block_out, terms))

    extents = {name: [loop.extent for loop in getattr(roles, name)] for name in ("batch", "rows", "columns")}
    sizes = [*extents["batch"], *extents["columns"], *extents["rows"], batch_rows, block_out]
    if weights.matrix.size * inputs.matrix.shape[1] > _LARGEST_PRODUCT:
        by_tile = weights.matrix.reshape(batch, tiles, block_out, terms)
        product = _Product(workspace, inputs.matrix[:, None], by_tile.swapaxes(-1, -2), roles.factor)
        sums = product.sums.reshape(sizes)
    else:
        product = _Product(workspace, inputs.matrix, weights.matrix.swapaxes(-1, -2), roles.factor)
        by_row = product.sums.reshape(*extents["batch"], *extents["rows"], batch_rows, *extents["columns"], block_out)
        first, width = len(extents["batch"]), len(extents["rows"]) + 1
        moved = [first + width + place for place in range(len(extents["columns"]))]
        rest = list(range(first, first + width))
        sums = by_row.transpose([*range(first), *moved, *rest, by_row.ndim - 1])
    add = _bind_accumulate(workspace, start[0], roles.batch + roles.columns + roles.rows, sums)

    def step(_: NDArray[np.uint8]) -> None:
        inputs.pack()
        weights.pack()
        product.compute()
        add()

    return step


def is_one_product(nest: Nest) -> bool:
    """Whether `bind_gemm` makes a single step of a nest."""
    return len(nest.starts) == 1 and len(_split(nest.starts[0].tolist(), nest.loops)) == 1


def _split(start: list[int], loops: tuple[Loop, ...]) -> list[tuple[list[int], tuple[Loop, ...]]]:
    """The same operations as smaller nests: the longest loop halved until the matrices are of modest size."""
    roles = Roles.of(loops)
    lines = _extent(roles.batch) * (_extent(roles.rows) + _extent(roles.columns)) * _extent(roles.reduction)
    tiles = _extent(roles.batch) * _extent(roles.rows) * _extent(roles.columns)
    if max(lines, tiles) <= _MAX_TILES:
        return [(start, loops)]
    counted = [place for place, loop in enumerate(loops) if loop[1:] != (0, 0, 0)]
    longest = max(counted, key=lambda place: loops[place].extent)
    loop, half = loops[longest], loops[longest].extent // 2
    middle = [value + half * step for value, step in zip(start, loop[1:], strict=True)]
    low = (*loops[:longest], loop._replace(extent=half), *loops[longest + 1 :])
    high = (*loops[:longest], loop._replace(extent=loop.extent - half), *loops[longest + 1 :])
    return _split(start, low) + _split(middle, high)


def _bind_gathered(workspace: Workspace, nest: Nest) -> list[Step]:
    """Micro-ops without structure: tile by tile products of gathered tiles, in chunks."""
    indices = [nest.indices(operand) for operand in range(3)]
    chunks = [
        [column[at : at + _GATHER_CHUNK] for column in indices] for at in range(0, nest.operations, _GATHER_CHUNK)
    ]
    return [_bind_chunk(workspace, *chunk) for chunk in chunks]


def _bind_chunk(workspace: Workspace, dst: Indices, src: Indices, wgt: Indices) -> Step:
    machine = workspace.machine

    def step(_: NDArray[np.uint8]) -> None:
        left = machine.inp[src].astype(np.float32)
        right = machine.wgt[wgt].astype(np.float32)
        np.add.at(machine.acc, dst, (left @ right.swapaxes(-1, -2)).astype(np.int32))

    return step


def bind_gemm(workspace: Workspace, nest: Nest) -> list[Step]:
    """The steps of a GEMM without reset whose indices are all in range."""
    if len(nest.starts) > 1 and nest.operations < _MIN_AFFINE_OPERATIONS * len(nest.starts):
        return _bind_gathered(workspace, nest)
    starts: list[list[int]] = nest.starts.tolist()
    pieces = [piece for start in starts for piece in _split(start, nest.loops)]
    return [_bind_product(workspace, start, Roles.of(loops)) for start, loops in pieces]


def bind_reset(workspace: Workspace, nest: Nest) -> Step:
    """The step of a GEMM with reset: zero in every accumulator tile that it visits."""
    acc, tiles = workspace.machine.acc, nest.touched_dst
    if len(tiles) == tiles[-1] - tiles[0] + 1:
        block = acc[tiles[0] : tiles[-1] + 1].reshape(-1)
        return lambda _: block.fill(0)

    def step(_: NDArray[np.uint8]) -> None:
        acc[tiles] = 0

    return step
