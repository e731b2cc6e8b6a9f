"""The runtime calls of matrix multiplication and vector addition, from the structure of the reference's output.

Loops of one iteration do not exist; the two outermost loops of a kernel run in hardware, the others are micro-ops in
order; a transfer folds neighbouring dimensions that are contiguous on both sides, unless they are padded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from replay import COMPUTE, LOAD, STORE, Loops, MicroOps, Replay, page_addresses

from vtac.dialects.hardware import VTAConfig
from vtac.workloads.matmul import Matmul, MatmulTiling
from vtac.workloads.vadd import VectorAdd


class OutOfScopeError(Exception):
    """A case that the reference compiler does not lower, or not to one obvious sequence of calls."""


@dataclass(frozen=True)
class Loop:
    """A loop of a kernel or copy: extent, then what one step adds to each index, in tiles."""

    extent: int
    steps: tuple[int, ...]


def kernel_of(loops: Sequence[Loop], bases: tuple[int, int, int]) -> tuple[Loops, MicroOps]:
    """Hardware loops and micro-ops of a kernel over these loops, outermost first."""
    real = [loop for loop in loops if loop.extent > 1]
    hardware, micro = real[:2], real[2:]
    points = product(*(range(loop.extent) for loop in micro))
    steps = [loop.steps for loop in micro]
    micro_ops = [
        tuple(
            base + sum(step[at] * index for step, index in zip(steps, point, strict=True))
            for at, base in enumerate(bases)
        )
        for point in points
    ]
    if any(
        micro_ops[at][0] in (before[0] for before in micro_ops[max(0, at - 2) : at]) for at in range(len(micro_ops))
    ):
        raise OutOfScopeError("a micro-op repeats a dst")
    if len(micro_ops) > 2048:
        raise OutOfScopeError("more micro-ops than the hardware holds")
    return [(loop.extent, *loop.steps) for loop in hardware], micro_ops  # pyright: ignore[reportReturnType]


def copies(dims: Sequence[Loop]) -> Iterator[tuple[int, int, tuple[int, int, int]]]:
    """(dram offset, sram offset, (x, y, stride)) of each transfer of an unpadded tile; steps are (dram, sram)."""
    folded: list[Loop] = []
    for dim in (dim for dim in dims if dim.extent > 1):
        last = folded[-1] if folded else None
        if last is not None and last.steps == tuple(step * dim.extent for step in dim.steps):
            folded[-1] = Loop(last.extent * dim.extent, dim.steps)
        else:
            folded.append(dim)
    x = folded.pop().extent if folded and folded[-1].steps[0] == 1 else 1
    y = folded.pop() if folded else Loop(1, (x, x))
    for point in product(*(range(dim.extent) for dim in folded)):
        dram, sram = (sum(d.steps[at] * index for d, index in zip(folded, point, strict=True)) for at in (0, 1))
        yield dram, sram, (x, y.extent, y.steps[0])


def row_major(extents: Sequence[int]) -> list[int]:
    """Steps of each dimension of a dense array."""
    return [prod(extents[at + 1 :]) for at in range(len(extents))]


def divide(whole: int, part: int) -> int:
    """How many parts a whole has. Raises `OutOfScopeError` when it does not divide."""
    if part > whole or whole % part:
        raise OutOfScopeError(f"{part} does not divide {whole}")
    return whole // part


class Requantised:
    """What the convolution and the product share: tiles of sums that are shifted, clipped and stored."""

    def __init__(self, replay: Replay, threads: int, outer: int, reduction: int, shift: int) -> None:
        self.replay = replay
        self.threads = threads
        self.is_looped = outer > 1
        self.reduction = reduction
        self.shift = shift

    def key(self, site: str, thread: int) -> tuple[str, int | None]:
        """A kernel captures the thread when there are several."""
        return site, thread if self.threads > 1 else None

    def tokens(self, call: str, source: int, target: int) -> None:
        """One push or pop per thread."""
        for _ in range(self.threads):
            (self.replay.push if call == "push" else self.replay.pop)(source, target)

    def reset(self, spatial: Sequence[Loop], tiles: int) -> None:
        """Zero each thread's accumulators."""
        for thread in range(self.threads):
            if self.is_looped:
                self.replay.pop(STORE, COMPUTE)
            loops, micro_ops = kernel_of(
                [Loop(loop.extent, (loop.steps[0], 0, 0)) for loop in spatial], (thread * tiles, 0, 0)
            )
            self.replay.gemm(self.key("reset", thread), lambda made=micro_ops: made, loops, reset=True)
            self.replay.push(COMPUTE, LOAD)

    def multiply(self, kernels: Sequence[tuple[Loops, MicroOps]], tiles: int) -> None:
        """One GEMM per thread on what was loaded; without a reduction loop the rest of the compute stage too."""
        for thread, (loops, micro_ops) in enumerate(kernels):
            self.replay.pop(LOAD, COMPUTE)
            self.replay.gemm(self.key("gemm", thread), lambda made=micro_ops: made, loops)
            if self.reduction > 1:
                self.replay.push(COMPUTE, LOAD)
            else:
                self._elementwise(thread, tiles)

    def end_reduction(self, tiles: int) -> None:
        """What follows the reduction loop, if there is one."""
        if self.reduction > 1:
            self.tokens("pop", COMPUTE, LOAD)
            for thread in range(self.threads):
                self._elementwise(thread, tiles)

    def _elementwise(self, thread: int, tiles: int) -> None:
        """Shift and clip in place, as one run over all tiles."""
        base = thread * tiles
        loops: Loops = [(tiles, 1, 1, 0)] if tiles > 1 else []
        for name, immediate in (("shr", self.shift), ("max", 0), ("min", 127)):
            self.replay.alu(self.key(name, thread), lambda: [(base, base, 0)], loops, name, immediate)
        self.replay.push(COMPUTE, STORE)

    def finish_store(self) -> None:
        """After a thread's stores."""
        if self.is_looped:
            self.replay.push(STORE, COMPUTE)


def require_fit(config: VTAConfig, needed: dict[str, int]) -> None:
    """Raises `OverflowError` when a tile does not fit its memory."""
    for memory, tiles in needed.items():
        if tiles > config.capacity(memory):  # pyright: ignore[reportArgumentType]
            raise OverflowError(f"{memory.upper()}: {tiles} of {config.capacity(memory)}")  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True)
class _MatmulBlocks:
    """The blocks of a matrix multiplication: how many tiles of each index one has, and where the arrays begin.

    `addresses` are the bytes of data, weights and results in DRAM.
    """

    layer: Matmul
    threads: int
    tiles: tuple[int, int, int]
    addresses: tuple[int, int, int]

    def load(self, replay: Replay, rows: int, depth: int, columns: int, thread: int) -> None:
        """The data and the weights of one block of a thread."""
        config, length, (m, k, n) = self.layer.config, self.layer.data_shape[1], self.tiles
        first = rows * m * length + depth * k + self.addresses[0] // config.inp_element_bytes
        for dram, sram, sizes in copies([Loop(m, (length, k)), Loop(k, (1, 1))]):
            replay.load("inp", first + dram, sizes, (0,) * 4, thread * m * k + sram)
        first = (columns * self.threads + thread) * n * length + depth * k
        first += self.addresses[1] // config.wgt_element_bytes
        for dram, sram, sizes in copies([Loop(n, (length, k)), Loop(k, (1, 1))]):
            replay.load("wgt", first + dram, sizes, (0,) * 4, thread * n * k + sram)

    def store(self, replay: Replay, rows: int, columns: int, thread: int) -> None:
        """The results of one block of a thread, tile by tile."""
        width, (m, _, n) = self.layer.weight_shape[0], self.tiles
        first = self.addresses[2] // self.layer.config.out_element_bytes
        for i, j in product(range(m), range(n)):
            dram = (rows * m + i) * width + (columns * self.threads + thread) * n + j
            replay.store(thread * m * n + i * n + j, first + dram, (1, 1, 1))


def replay_matmul(layer: Matmul, tiling: MatmulTiling) -> Replay:
    """Calls of a blocked matrix multiplication."""
    config, threads = layer.config, tiling.vthreads
    m, k, n = (
        (tiling.batch_block or config.batch) // config.batch,
        tiling.in_block // config.block_in,
        tiling.out_block // config.block_out,
    )
    m_out, k_out = divide(layer.data_shape[0], m), divide(layer.data_shape[1], k)
    n_out = divide(divide(layer.weight_shape[0], n), threads)
    require_fit(config, {"acc": threads * m * n, "inp": threads * m * k, "wgt": threads * n * k})
    *arrays, uops = page_addresses([prod(s) for s in (layer.data_shape, layer.weight_shape, layer.output_shape)])
    blocks = _MatmulBlocks(layer, threads, (m, k, n), (arrays[0], arrays[1], arrays[2]))
    replay = Replay(config, uops)
    stages = Requantised(replay, threads, m_out * n_out, k_out, layer.shift)
    row, column, inner = Loop(m, (n, k, 0)), Loop(n, (1, 0, k)), Loop(k, (0, 1, 1))
    order = [inner, row, column] if m > 1 else [row, column, inner]
    kernels = [kernel_of(order, (t * m * n, t * m * k, t * n * k)) for t in range(threads)]
    if stages.is_looped:
        stages.tokens("push", STORE, COMPUTE)
    outer = [(no, mo) for no in range(n_out) for mo in range(m_out)]
    for no, mo in outer if threads > 1 else sorted(outer, key=lambda at: (at[1], at[0])):
        stages.reset([row, column], m * n)
        for ko in range(k_out):
            for thread in range(threads):
                replay.pop(COMPUTE, LOAD)
                blocks.load(replay, mo, ko, no, thread)
                replay.push(LOAD, COMPUTE)
            stages.multiply(kernels, m * n)
        stages.end_reduction(m * n)
        for thread in range(threads):
            replay.pop(COMPUTE, STORE)
            blocks.store(replay, mo, no, thread)
            stages.finish_store()
    if stages.is_looped:
        stages.tokens("pop", STORE, COMPUTE)
    replay.sync()
    return replay


def replay_vadd(layer: VectorAdd, block: int | None) -> Replay:
    """Calls of a vector addition, `block` channels at a time."""
    config = layer.config
    rows, columns = layer.shape[:2]
    tiles = rows * columns if block is None else block // config.block_out
    count = divide(rows * columns, tiles) if block is None else rows * divide(columns, tiles)
    require_fit(config, {"acc": 2 * tiles})
    nbytes = prod(layer.shape)
    first, second, result, uops = page_addresses([4 * nbytes, 4 * nbytes, nbytes])
    replay = Replay(config, uops)
    if count > 1:
        replay.push(STORE, COMPUTE)
    for at in range(count):
        if count > 1:
            replay.pop(STORE, COMPUTE)
        sizes = (tiles, 1, tiles)
        for sram, address in ((0, first), (tiles, second)):
            replay.load("acc", address // config.acc_element_bytes + at * tiles, sizes, (0,) * 4, sram)
        loops: Loops = [(tiles, 1, 1, 0)] if tiles > 1 else []
        replay.alu("add", lambda: [(0, tiles, 0)], loops, "add", None)
        replay.push(COMPUTE, STORE)
        replay.pop(COMPUTE, STORE)
        replay.store(0, result // config.out_element_bytes + at * tiles, sizes)
        if count > 1:
            replay.push(STORE, COMPUTE)
    if count > 1:
        replay.pop(STORE, COMPUTE)
    replay.sync()
    return replay
