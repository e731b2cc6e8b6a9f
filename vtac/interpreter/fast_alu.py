"""An ALU instruction as a few array operations.

Tile operations run one after the other, so an array operation may stand for many of them only if
none reads what an earlier one writes. Those that do are put off to a later level:

    acc[9] = max(acc[9], acc[0])      level 0
    acc[9] = max(acc[9], acc[1])      level 1: reads 9, written at level 0
    acc[8] = max(acc[8], acc[1])      level 0
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vtac.interpreter.fast_nest import Indices, Loop, Nest, merge_loops
from vtac.interpreter.fast_workspace import Step, Workspace, strided
from vtac.interpreter.numerics import ALU_OPERATIONS, Accumulators, shift_right
from vtac.isa import Alu, AluOpcode

MAX_OPERATIONS = 1 << 20
"""Instructions with more tile operations are left to the reference interpreter."""

_UFUNCS = {
    AluOpcode.MIN: np.minimum,
    AluOpcode.MAX: np.maximum,
    AluOpcode.ADD: np.add,
    AluOpcode.MUL: np.multiply,
}


def _is_parallel(dst: Indices, src: Indices) -> bool:
    """Whether no operation reads or writes a tile that an earlier one writes."""
    if len(np.unique(dst)) < len(dst):
        return False
    written_at = np.full(int(max(dst.max(), src.max())) + 1, len(dst))
    written_at[dst] = np.arange(len(dst))
    return bool((written_at[src] >= np.arange(len(src))).all())


def _occurrences(dst: Indices) -> Indices:
    """For each entry, how many equal entries stand before it."""
    order = np.argsort(dst, kind="stable")
    ordered = dst[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    places = np.arange(len(dst))
    counts = np.empty_like(dst)
    counts[order] = places - np.maximum.accumulate(np.where(first, places, 0))
    return counts


def _levels(dst: Indices, src: Indices) -> Indices:
    """The level of each operation: above those that wrote what it reads, not below those that read what it writes."""
    size = int(max(dst.max(), src.max())) + 1
    after_write: list[int] = [0] * size
    last_read: list[int] = [0] * size
    levels: list[int] = []
    pairs: list[list[int]] = np.stack([dst, src], axis=1).tolist()
    for target, source in pairs:
        level = max(after_write[target], after_write[source], last_read[target])
        after_write[target] = level + 1
        last_read[source] = max(last_read[source], level)
        levels.append(level)
    return np.array(levels)


@lru_cache(maxsize=512)
def schedule(nest: Nest, reads_source: bool) -> list[tuple[Indices, Indices]]:
    """The operations as (dst, src) of each level; one level when they are parallel."""
    dst = nest.indices(0)
    src = nest.indices(1) if reads_source else dst
    if _is_parallel(dst, src):
        return [(dst, src)]
    depends_on_dst_only = not reads_source or not np.isin(src, dst).any()
    levels = _occurrences(dst) if depends_on_dst_only else _levels(dst, src)
    order = np.argsort(levels, kind="stable")
    bounds = np.flatnonzero(np.diff(levels[order])) + 1
    return [(dst[chosen], src[chosen]) for chosen in np.split(order, bounds)]


def _immediate(alu: Alu) -> Callable[[Accumulators], object]:
    """acc = op(acc, imm) on an array, in place."""
    if alu.opcode is AluOpcode.SHR:
        amount = np.array(abs(alu.imm) & 31, np.int32)
        shift = np.right_shift if alu.imm >= 0 else np.left_shift
        return lambda tiles: shift(tiles, amount, out=tiles)
    operation = _UFUNCS[alu.opcode]
    value = np.array(alu.imm, np.int32)
    return lambda tiles: operation(tiles, value, out=tiles)


def _view(workspace: Workspace, start: int, loops: tuple[Loop, ...], operand: int) -> Accumulators:
    """The accumulator tiles that an operand visits, shape (*loops, BATCH * BLOCK_OUT)."""
    acc = workspace.machine.acc
    axes = [(loop.extent, loop[1 + operand] * acc.strides[0]) for loop in loops]
    return strided(acc, start * acc.strides[0], [*axes, (acc.shape[1] * acc.shape[2], acc.itemsize)])


def _bind_affine(workspace: Workspace, alu: Alu, nest: Nest) -> Step:
    loops = merge_loops(tuple(Loop(loop.extent, loop.dst, loop.src, 0) for loop in nest.loops))
    dst, src, _ = nest.starts[0].tolist()
    target = _view(workspace, dst, loops, 0)
    source = target if alu.use_imm else _view(workspace, src, loops, 1)
    if target.flags.c_contiguous and source.flags.c_contiguous:
        target, source = target.reshape(-1), source.reshape(-1)
    if alu.use_imm:
        apply = _immediate(alu)

        def step_immediate(_: NDArray[np.uint8]) -> None:
            apply(target)

        return step_immediate
    if alu.opcode is AluOpcode.SHR:
        return lambda _: np.copyto(target, shift_right(target, source))
    operation = _UFUNCS[alu.opcode]

    def step(_: NDArray[np.uint8]) -> None:
        operation(target, source, out=target)

    return step


def bind_level(workspace: Workspace, alu: Alu, dst: Indices, src: Indices) -> Step:
    acc = workspace.machine.acc
    operation = ALU_OPERATIONS[alu.opcode]
    immediate = np.array(alu.imm, np.int32)

    def step(_: NDArray[np.uint8]) -> None:
        acc[dst] = operation(acc[dst], immediate if alu.use_imm else acc[src])

    return step


def bind_alu(workspace: Workspace, alu: Alu, nest: Nest) -> list[Step]:
    """The steps of an ALU instruction whose indices are all in range, at most `MAX_OPERATIONS` of them."""
    levels = schedule(nest, not alu.use_imm)
    if len(levels) == 1 and len(nest.starts) == 1:
        return [_bind_affine(workspace, alu, nest)]
    return [bind_level(workspace, alu, dst, src) for dst, src in levels]
