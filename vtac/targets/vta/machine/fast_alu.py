"""An ALU instruction as a few array operations.

Loops that move neither operand repeat the same operations. They are not run trip by trip when the
result is known: immediates act on each tile by itself, and so do tensors that nothing writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.isa import Alu, AluOpcode
from vtac.targets.vta.machine.fast_levels import MAX_LISTED_REPETITIONS, MIN_LEVEL_SIZE, parallel_levels
from vtac.targets.vta.machine.fast_nest import Indices, Loop, Nest, merge_loops
from vtac.targets.vta.machine.fast_repetitions import power, visits_of
from vtac.targets.vta.machine.fast_workspace import Step, Workspace, strided
from vtac.targets.vta.machine.numerics import ALU_OPERATIONS, Accumulators, shift_right

MAX_OPERATIONS = 1 << 20
"""How many tile operations are listed at once."""

_MAX_MATRIX = 128

_UFUNCS = {
    AluOpcode.MIN: np.minimum,
    AluOpcode.MAX: np.maximum,
    AluOpcode.ADD: np.add,
    AluOpcode.MUL: np.multiply,
}


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
    """Tensor operations that are parallel."""
    acc = workspace.machine.acc
    operation = ALU_OPERATIONS[alu.opcode]

    def step(_: NDArray[np.uint8]) -> None:
        acc[dst] = operation(acc[dst], acc[src])

    return step


def _pairs(nest: Nest) -> list[list[int]]:
    """The (dst, src) of each tile operation in order."""
    return np.stack([nest.indices(0), nest.indices(1)], axis=1).tolist()


def _bind_sequence(workspace: Workspace, alu: Alu, nest: Nest) -> Step:
    """Tensor operations one after the other."""
    acc = workspace.machine.acc
    operation = ALU_OPERATIONS[alu.opcode]
    pairs = _pairs(nest)

    def step(_: NDArray[np.uint8]) -> None:
        for dst, src in pairs:
            acc[dst] = operation(acc[dst], acc[src])

    return step


def _bind_immediate(workspace: Workspace, alu: Alu, nest: Nest) -> Step:
    """An immediate applied to tiles several times: as often as each tile is the dst, in one operation."""
    visits = visits_of(nest)
    dst = np.flatnonzero(visits)
    times = visits[dst]
    operation = np.right_shift if alu.opcode is AluOpcode.SHR else _UFUNCS[alu.opcode]
    bits = times * (abs(alu.imm) & 31)
    match alu.opcode:
        case AluOpcode.ADD:
            values = alu.imm * times
        case AluOpcode.MUL:
            values = power(np.array(alu.imm & 0xFFFFFFFF, np.uint32), times)
        case AluOpcode.SHR if alu.imm < 0:
            operation = np.multiply
            values = np.where(bits < 32, 1 << np.minimum(bits, 32), 0)
        case AluOpcode.SHR:
            values = np.minimum(bits, 31)
        case AluOpcode.MIN | AluOpcode.MAX:
            values = np.full_like(times, alu.imm)
    acc = workspace.machine.acc
    operands = values.astype(np.uint32).view(np.int32).reshape(-1, 1, 1)

    def step(_: NDArray[np.uint8]) -> None:
        acc[dst] = operation(acc[dst], operands)

    return step


def _is_still(loop: Loop) -> bool:
    """Whether all trips do the same operations."""
    return not (loop.dst or loop.src)


def _bind_accumulated(workspace: Workspace, alu: Alu, nest: Nest, times: int) -> list[Step]:
    """ADD or MUL, `times` times in all, of tiles that are never written."""
    acc = workspace.machine.acc
    src = nest.touched_src
    kept = np.empty_like(acc[src])
    count = np.array(times)

    def prepare(_: NDArray[np.uint8]) -> None:
        kept[:] = acc[src]
        words = kept.view(np.uint32)
        powers = power(words, count) if alu.opcode is AluOpcode.MUL else words * np.uint32(times & 0xFFFFFFFF)
        acc[src] = powers.view(np.int32)

    def restore(_: NDArray[np.uint8]) -> None:
        acc[src] = kept

    return [prepare, *_bind_tensor(workspace, alu, nest), restore]


def _bind_repeated(workspace: Workspace, alu: Alu, body: Nest, trips: int) -> Step:
    """Trips of the same operations, until one changes nothing; looked at after 1, 2, 4, 8, ... trips."""
    acc = workspace.machine.acc
    dst = body.touched_dst
    steps = _bind_tensor(workspace, alu, body)

    def step(dram: NDArray[np.uint8]) -> None:
        for trip in range(trips):
            before = acc[dst] if trip & (trip - 1) == 0 else None
            for part in steps:
                part(dram)
            if before is not None and np.array_equal(before, acc[dst]):
                return

    return step


def _bind_sums(workspace: Workspace, body: Nest, trips: int) -> Step:
    """Repeated ADDs of tiles into each other: a matrix of how much of each tile is in each, mod 2**32."""
    acc = workspace.machine.acc
    tiles = np.union1d(body.touched_dst, body.touched_src)
    place = {tile: row for row, tile in enumerate(tiles.tolist())}
    once = np.eye(len(tiles), dtype=np.uint32)
    for dst, src in _pairs(body):
        once[place[dst]] += once[place[src]]
    after = np.linalg.matrix_power(once, trips)

    def step(_: NDArray[np.uint8]) -> None:
        numbers = acc[tiles]
        words = numbers.view(np.uint32).reshape(len(tiles), -1)
        acc[tiles] = (after @ words).view(np.int32).reshape(numbers.shape)

    return step


def _bind_trips(workspace: Workspace, alu: Alu, body: Nest, loop: Loop) -> Step:
    """A loop whose operations are too many to list: trip by trip, each made when it runs."""

    def step(dram: NDArray[np.uint8]) -> None:
        for trip in range(loop.extent):
            moved = replace(body, starts=body.starts + trip * np.array(loop[1:]))
            for part in _bind_tensor(workspace, alu, moved):
                part(dram)

    return step


def _is_small_sum(body: Nest) -> bool:
    tiles = len(body.touched_dst) + len(body.touched_src)
    return tiles <= _MAX_MATRIX and body.operations <= MAX_OPERATIONS


def _bind_tensor(workspace: Workspace, alu: Alu, nest: Nest) -> list[Step]:
    hardware = merge_loops(nest.hardware)
    limit = MAX_LISTED_REPETITIONS if any(map(_is_still, hardware)) else MAX_OPERATIONS
    if hardware and nest.operations > limit:
        body = replace(nest, hardware=hardware[1:])
        if _is_still(hardware[0]):
            if alu.opcode is AluOpcode.ADD and _is_small_sum(body):
                return [_bind_sums(workspace, body, hardware[0].extent)]
            return [_bind_repeated(workspace, alu, body, hardware[0].extent)]
        return [_bind_trips(workspace, alu, body, hardware[0])]
    levels = parallel_levels(nest)
    if levels is None or 1 < nest.operations < MIN_LEVEL_SIZE * len(levels):
        return [_bind_sequence(workspace, alu, nest)]
    if len(levels) == 1 and len(nest.starts) == 1:
        return [_bind_affine(workspace, alu, nest)]
    return [bind_level(workspace, alu, dst, src) for dst, src in levels]


def bind_alu(workspace: Workspace, alu: Alu, nest: Nest) -> list[Step]:
    """The steps of an ALU instruction whose indices are all in range."""
    if alu.use_imm:
        if len(nest.starts) == 1 and nest.operations == len(nest.touched_dst):
            return [_bind_affine(workspace, alu, nest)]
        return [_bind_immediate(workspace, alu, nest)]
    times = prod(loop.extent for loop in nest.loops if _is_still(loop))
    if times == 1 or alu.opcode is AluOpcode.SHR or np.isin(nest.touched_src, nest.touched_dst).any():
        return _bind_tensor(workspace, alu, nest)
    moving = Nest(
        tuple(loop for loop in nest.hardware if not _is_still(loop)),
        nest.starts,
        tuple(loop for loop in nest.inner if not _is_still(loop)),
    )
    if alu.opcode in {AluOpcode.MIN, AluOpcode.MAX}:
        return _bind_tensor(workspace, alu, moving)
    return _bind_accumulated(workspace, alu, moving, times)
