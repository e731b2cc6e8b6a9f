"""A schedule for packed functions of any shape: one tile of the result after the other.

Everything that one tile of the result needs is computed inside its loops: inputs are
loaded, accumulators filled over the whole reduction, operations applied, the tile stored.
It is what functions get for which there is no better default.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import BlockArgument

from vtac.analysis.nests.bodies import is_copy, is_widening_copy
from vtac.analysis.nests.nest import blocks_under, readers_of, shape_of, writers_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.payload import BlockOp
from vtac.errors import CompileError, TilingError
from vtac.pipelines import Runner
from vtac.schedule import BlockRef, LoopRef, Schedule
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.targets.vta.schedules.lowering import Lowering
from vtac.text.context import make_context


def simple_lowering(module: ModuleOp, config: VTAConfig) -> Lowering:
    """The module at the vta level, with the largest tile of its result that the hardware can execute.

    Raises what speaks against the function, or `TilingError` of the smallest tile.
    """
    problem: TilingError | None = None
    for tile in _tiles(module):
        try:
            return _lower(_write(module, config, tile))
        except TilingError as error:
            problem = error
    raise problem or CompileError("the function has no result to schedule")


def _write(module: ModuleOp, config: VTAConfig, tile: tuple[int, ...]) -> Schedule:
    schedule = Schedule(module, config=config)
    blocks = list(blocks_under(next(op for op in schedule.module.ops if isinstance(op, FuncOp))))
    stores = [block for block in blocks if isinstance(block.output, BlockArgument)]
    writer = _FromResult if len(stores) == 1 else _FromFirst
    writer(schedule, blocks, tile).write()
    return schedule


def _lower(schedule: Schedule) -> Lowering:
    Runner(make_context(), verify_phases=False).run_phases(VTA_PIPELINE.beyond("scheduled"), schedule.module)
    return Lowering(schedule.script, schedule.module)


def _tiles(module: ModuleOp) -> Iterator[tuple[int, ...]]:
    """Extents of the result's outer dimensions in one tile, larger tiles first: whole rows, then less."""
    function = next(op for op in module.ops if isinstance(op, FuncOp))
    kinds = list(function.function_type.outputs)
    shape = tuple(getattr(kinds[0], "get_shape", tuple[int, ...])())[:-2]
    tile = list(shape)
    yield tuple(tile)
    for dim in (0, 1, *range(2, len(shape))):
        while tile[dim] > 1:
            tile[dim] = next(d for d in range(tile[dim] // 2, 0, -1) if shape[dim] % d == 0)
            yield tuple(tile)


class _Writer:
    """Writes the schedule for one tile size."""

    def __init__(self, schedule: Schedule, blocks: list[BlockOp], tile: tuple[int, ...]) -> None:
        self.schedule = schedule
        self.tile = tile
        self.blocks = [block for block in blocks if not _is_padding(block)]
        self.refs = {block: schedule.get_block(block.block_name) for block in self.blocks}

    def split(self, loops: Sequence[LoopRef]) -> tuple[list[LoopRef], list[LoopRef]]:
        """Outer loops cut into those over tiles and those inside one."""
        parts = [self.schedule.split(loop, factor=size) for loop, size in zip(loops, self.tile, strict=True)]
        return [outer for outer, _ in parts], [inner for _, inner in parts]

    def compute(self, block: BlockOp, at: LoopRef) -> None:
        """Load what a block takes from DRAM, inside loop `at`, and give it to its unit."""
        schedule, ref = self.schedule, self.refs[block]
        if _is_load(block):
            schedule.dma_copy(schedule.get_loop(ref, "i0"))
            return
        if block.has_reduction:
            self._contraction(block, ref, at)
            return
        for index in [index for index, value in enumerate(block.inputs) if isinstance(value, BlockArgument)]:
            copy = schedule.cache_read(ref, index, "vta.acc")
            schedule.compute_at(copy, at)
            schedule.dma_copy(schedule.get_loop(copy, "i0"))
        schedule.alu(self.first_inside(ref))

    def first_inside(self, ref: BlockRef) -> LoopRef:
        """The first loop of a block inside a tile."""
        return self.schedule.get_loops(ref)[len(self.tile)]

    def _contraction(self, block: BlockOp, ref: BlockRef, at: LoopRef) -> None:
        """Channel blocks outermost, taps outside of rows and columns, x innermost: no tile twice in a row.

        Without channel blocks the weights are one tile for all, which is loaded once.
        """
        schedule = self.schedule
        loops = schedule.get_loops(ref)[len(self.tile) :]
        *reductions, k = [loop for loop in loops if loop.reduces]
        *outer, row, lane = [loop for loop in loops if loop not in (*reductions, k)]
        if reductions:
            at, *taps = reductions
            schedule.reorder(at, *outer[:-1], *taps, outer[-1], row, lane, k)
        if isinstance(data := block.inputs[0], BlockArgument):
            load = schedule.cache_read(ref, 0, "vta.inp")
        else:
            load = schedule.get_block(writers_of(data)[0].block_name)
            schedule.set_scope(load, 0, "vta.inp")
        weights = schedule.cache_read(ref, 1, "vta.wgt")
        schedule.compute_at(load, at)
        if shape_of(block.inputs[1])[:-2]:
            schedule.compute_at(weights, at)
        for copy in (load, weights):
            schedule.dma_copy(schedule.get_loop(copy, "i0"))
        if block.init is not None and not reductions and outer:
            reset = schedule.decompose_reduction(ref, outer[0])
            schedule.tensorize(schedule.get_loops(reset)[-2], "vta.gemm")
        schedule.tensorize(row, "vta.gemm")


class _FromResult(_Writer):
    """One result: its loops are the tile loops, and producers move into them."""

    def write(self) -> None:
        schedule = self.schedule
        *producers, store = self.blocks
        loops = schedule.get_loops(self.refs[store])
        tiles, inside = self.split(loops[: len(self.tile)])
        schedule.reorder(*tiles, *inside, *loops[len(self.tile) :])
        for block in reversed([block for block in producers if not _is_update(block)]):
            schedule.compute_at(self.refs[block], tiles[-1])
            schedule.set_scope(self.refs[block], 0, "vta.acc")
        for block in reversed(producers):
            self.compute(block, tiles[-1])
        schedule.dma_copy(inside[0])


class _FromFirst(_Writer):
    """Several results: the loops of the first block are the tile loops, and consumers move into them."""

    def write(self) -> None:
        schedule = self.schedule
        loads = [block for block in self.blocks if _is_load(block)]
        first, *consumers = (block for block in self.blocks if block not in loads)
        loops = schedule.get_loops(self.refs[first])
        tiles, inside = self.split(loops[: len(self.tile)])
        schedule.reorder(*tiles, *inside, *loops[len(self.tile) :])
        schedule.set_scope(self.refs[first], 0, "vta.acc")
        for block in consumers:
            schedule.reverse_compute_at(self.refs[block], tiles[-1])
            if not isinstance(block.output, BlockArgument):
                schedule.set_scope(self.refs[block], 0, "vta.acc")
        for block in loads:
            schedule.compute_at(self.refs[block], tiles[-1])
            schedule.set_scope(self.refs[block], 0, "vta.acc")
        for block in reversed(self.blocks):
            if isinstance(block.output, BlockArgument):
                schedule.dma_copy(self.first_inside(self.refs[block]))
            else:
                self.compute(block, tiles[-1])


def _is_load(block: BlockOp) -> bool:
    """A block that only loads an argument, with padding where it is for the ALU."""
    moves = is_copy(block) or is_widening_copy(block)
    return moves and isinstance(block.inputs[0], BlockArgument) and not _is_padding(block)


def _is_update(block: BlockOp) -> bool:
    """A block that goes on in the buffer of the one before, and moves with it."""
    return block.has_reduction and block.init is None


def _is_padding(block: BlockOp) -> bool:
    """A block that only pads what a product reads."""
    if not is_copy(block) or block.accesses.data[0].pad_value is None or len(shape_of(block.output)) <= 2:
        return False
    return any(reader.has_reduction for reader in readers_of(block.output))
