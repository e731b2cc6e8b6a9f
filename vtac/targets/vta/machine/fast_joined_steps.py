"""Joined products as steps: a move of tiles for each, and one sum behind the last.

Where few rows meet many weights, most of the time would go into widening these. They stay as they are from run to run,
and are widened again where SRAM holds others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.machine.fast_joined import Joined, Product
from vtac.targets.vta.machine.fast_nest import Loop
from vtac.targets.vta.machine.fast_operands import Buffers, KeptWeights, Operand
from vtac.targets.vta.machine.fast_workspace import Step, Workspace, strided

_STILL = Loop(1, 0, 0, 0)
_FEW_ROWS = 4
_MOST_KEPT = 1 << 22
"""How many weights of a plan stay widened."""


def can_stay(workspace: Workspace, joined: Joined, kept: int) -> bool:
    """Whether weights had better stay widened, where `kept` do: those of few rows, in one block for each product."""
    few_rows = joined.height * workspace.machine.acc.shape[1] <= _FEW_ROWS
    if joined.has_gaps or not few_rows:
        return False
    return kept + numbers_kept(workspace, joined) <= _MOST_KEPT and all(map(_is_a_block, joined.products))


def numbers_kept(workspace: Workspace, joined: Joined) -> int:
    """How many weights there are."""
    return joined.columns * joined.terms * workspace.machine.wgt[0].size


def _is_a_block(product: Product) -> bool:
    """Whether weights are all tiles from the first one on."""
    tiles = 1
    for loop in sorted(product.columns + product.reduction, key=_weight_step):
        if loop.wgt != tiles:
            return False
        tiles *= loop.extent
    return True


def _weight_step(loop: Loop) -> int:
    return loop.wgt


def bind_joined(buffers: Buffers, joined: Joined, *, stays: bool = False) -> list[Step]:
    """The step that stands for each product, and the one behind the last. Weights that stay are for one place only."""
    machine, first = buffers.workspace.machine, joined.first
    batch, block_out = machine.acc.shape[1:]
    rows = (*[loop.extent for loop in joined.rows[::-1]], batch, joined.terms)
    columns = (*[loop.extent for loop in first.columns[::-1]], block_out, joined.terms)
    inputs = buffers.operand("inputs", machine.inp, rows)
    weights = buffers.kept(machine.wgt, columns) if stays else buffers.operand("weights", machine.wgt, columns)
    steps, term = list[Step](), 0
    for product, offsets in zip(joined.products, joined.offsets, strict=True):
        place = [at - low for at, low in zip(offsets, joined.low, strict=True)][::-1]
        lines = (*[(loop.extent, loop.src) for loop in _along(first, product)], (batch, 0))
        tiles = (*[(loop.extent, loop.wgt) for loop in product.columns[::-1]], (block_out, 0))
        cleared = inputs.bytes if joined.has_gaps and not steps else None
        key = rows, columns, product.start[1:], lines, tiles, product.reduction, tuple(place), term, cleared is None
        step = None if stays else buffers.moves.get(key)
        if step is None:
            by_src, by_wgt = ([(loop.extent, loop[operand]) for loop in product.reduction] for operand in (2, 3))
            moved = inputs.move(product.start[1], lines, by_src, [*place, 0, term])
            moved += weights.move(product.start[2], tiles, by_wgt, [*[0] * len(tiles), term])
            if isinstance(weights, KeptWeights):
                tile = product.start[2]
                block = machine.wgt[tile : tile + product.terms * joined.columns].reshape(-1)
                step = _bind_changes(*moved, weights, block.data)
            else:
                step = buffers.moves[key] = _bind_moves(*moved, cleared)
        steps.append(step)
        term += product.terms
    return [*steps, _bind_sum(buffers.workspace, joined, inputs, weights)]


def _along(first: Product, product: Product) -> list[Loop]:
    """A product's loops along the axes of the first one, the longest step first."""
    if len(product.rows) == len(first.rows):
        return [*product.rows[::-1]]
    loops = {loop.dst: loop for loop in product.rows}
    return [loops.get(axis.dst, _STILL) for axis in first.rows[::-1]]


def _bind_moves(
    to: NDArray[np.void],
    source: NDArray[np.void],
    weights_to: NDArray[np.void],
    weights: NDArray[np.void],
    cleared: NDArray[np.int8] | None,
) -> Step:
    def move(_: NDArray[np.uint8]) -> None:
        np.copyto(to, source)
        np.copyto(weights_to, weights)

    if cleared is None:
        return move

    def move_first(dram: NDArray[np.uint8]) -> None:
        cleared.fill(0)
        move(dram)

    return move_first


def _bind_changes(
    to: NDArray[np.void],
    source: NDArray[np.void],
    weights_to: NDArray[np.void],
    weights: NDArray[np.void],
    operand: KeptWeights,
    block: memoryview[int],
) -> Step:
    held = bytearray(block.nbytes)

    def move(_: NDArray[np.uint8]) -> None:
        np.copyto(to, source)
        if held != block:  # pyright: ignore[reportUnnecessaryComparison]  compares bytes, quicker than numpy
            operand.is_stale = True  # first and last, so that an interrupt leaves nothing half done
            np.copyto(weights_to, weights)
            held[:] = block

    return move


def _bind_sum(workspace: Workspace, joined: Joined, inputs: Operand, weights: Operand) -> Step:
    """acc += inputs weights^T. The order of the accumulator comes first: adding across it would take longer."""
    acc = workspace.machine.acc
    batch, block_out = acc.shape[1:]
    tile, line, number = acc.strides
    axes = [(loop.extent, loop.dst * tile) for loop in joined.rows[::-1]] + [(batch, line)]
    axes += [(loop.extent, loop.dst * tile) for loop in joined.first.columns[::-1]] + [(block_out, number)]
    by_step = sorted(range(len(axes)), key=lambda axis: -axes[axis][1])
    target = strided(acc, joined.start * tile, [axes[axis] for axis in by_step])
    left, right = inputs.matrix, weights.matrix.T
    floats = workspace.scratch("product f32", (len(left), right.shape[1]), np.float32)
    by_line = floats.reshape([extent for extent, _ in axes])
    sums = workspace.scratch("product i32", target.shape, np.int32)
    as_product = sums.transpose(np.argsort(by_step))

    def add(_: NDArray[np.uint8]) -> None:
        inputs.widen()
        weights.widen()
        np.matmul(left, right, out=floats)
        np.copyto(as_product, by_line, casting="unsafe")
        np.add(target, sums, out=target)

    return add
