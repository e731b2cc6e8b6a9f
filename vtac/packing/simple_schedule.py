"""A schedule for packed functions of any shape: one tile of the result after the other.

Everything that one tile of the result needs is computed inside its loops: inputs are
loaded, accumulators filled over the whole reduction, operations applied, the tile stored.
It is what functions get for which there is no better default.
"""

from __future__ import annotations

from collections.abc import Iterator

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import BlockArgument

from vtac.compiler import context
from vtac.dialects.diagnostics import CompileError, VtacError
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.payload import BlockOp
from vtac.passes.analysis.bodies import is_copy
from vtac.passes.analysis.nest import blocks_under, shape_of, writers_of
from vtac.pipelines import run_phases
from vtac.schedule import BlockRef, LoopRef, Schedule

_ATTEMPTS = 12


def simple_schedule(module: ModuleOp, config: VTAConfig) -> Schedule:
    """The schedule with the largest tile of the result that compiles.

    Raises the error of the smallest one when none does.
    """
    problem: VtacError | None = None
    for tile in _tiles(module):
        try:
            schedule = _Scheduler(module, config, tile).schedule
            _lower(module, schedule)
            return schedule
        except VtacError as error:
            problem = error
    raise problem or CompileError("the function has no result to schedule")


def _lower(module: ModuleOp, schedule: Schedule) -> None:
    work = module.clone()
    work.body.block.add_op(schedule.script)
    run_phases(work, context())


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


class _Scheduler:
    """Writes the schedule for one tile size."""

    def __init__(self, module: ModuleOp, config: VTAConfig, tile: tuple[int, ...]) -> None:
        self.schedule = Schedule(module, config=config)
        self.blocks = self._payload()
        *producers, store = self.blocks
        at, inside = self._split(store, tile)
        computed = [block for block in reversed(producers) if not _is_padding(block)]
        names = {block.block_name: self.schedule.get_block(block.block_name) for block in self.blocks}
        for block in computed:
            self.schedule.compute_at(names[block.block_name], at)
            self.schedule.set_scope(names[block.block_name], 0, "vta.acc")
        for block in computed:
            self._place(block, names[block.block_name], at)
        self.schedule.dma_copy(inside)

    def _payload(self) -> list[BlockOp]:
        function = next(op for op in self.schedule.module.ops if isinstance(op, FuncOp))
        return list(blocks_under(function))

    def _split(self, store: BlockOp, tile: tuple[int, ...]) -> tuple[LoopRef, LoopRef]:
        """Loops over tiles outside; the last of them, and the first loop inside a tile."""
        schedule = self.schedule
        loops = schedule.get_loops(schedule.get_block(store.block_name))
        parts = [schedule.split(loop, factor=size) for loop, size in zip(loops, tile, strict=False)]
        schedule.reorder(*(outer for outer, _ in parts), *(inner for _, inner in parts), *loops[len(tile) :])
        return parts[-1][0], parts[0][1]

    def _place(self, block: BlockOp, ref: BlockRef, at: LoopRef) -> None:
        schedule = self.schedule
        if block.has_reduction:
            self._contraction(block, ref)
            return
        if is_copy(block):
            schedule.dma_copy(schedule.get_loop(ref, "i0"))
            return
        given = [index for index, value in enumerate(block.inputs) if isinstance(value, BlockArgument)]
        for index in given:
            copy = schedule.cache_read(ref, index, "vta.acc")
            schedule.compute_at(copy, at)
            schedule.dma_copy(schedule.get_loop(copy, "i0"))
        schedule.alu(schedule.get_loop(ref, "i0"))

    def _contraction(self, block: BlockOp, ref: BlockRef) -> None:
        """Channel blocks outermost, taps outside of rows and columns, x innermost: no tile twice in a row."""
        schedule = self.schedule
        data, _ = block.inputs[:2]
        own = schedule.get_loops(ref)[-len(block.variables) :]
        reductions = [loop for loop, one in zip(own, block.variables, strict=True) if one.reduction]
        spatial = [loop for loop, one in zip(own, block.variables, strict=True) if not one.reduction]
        channel, *taps, k = reductions
        *outer, row, lane = spatial
        schedule.reorder(channel, *outer[:-1], *taps, outer[-1], row, lane, k)
        if isinstance(data, BlockArgument):
            load = schedule.cache_read(ref, 0, "vta.inp")
        else:
            load = schedule.get_block(writers_of(data)[0].block_name)
            schedule.set_scope(load, 0, "vta.inp")
        weights = schedule.cache_read(ref, 1, "vta.wgt")
        for copy in (load, weights):
            schedule.compute_at(copy, channel)
            schedule.dma_copy(schedule.get_loop(copy, "i0"))
        schedule.tensorize(row, "vta.gemm")


def _is_padding(block: BlockOp) -> bool:
    """A block that only pads what a product reads."""
    return is_copy(block) and block.accesses.data[0].pad_value is not None and len(shape_of(block.output)) > 2
