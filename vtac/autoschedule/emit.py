"""A layer and its tiling as directives."""

from __future__ import annotations

from vtac.autoschedule.contraction import Contraction
from vtac.autoschedule.layers import Layer
from vtac.autoschedule.tiling import CHANNEL, SPATIAL, Tiling, kernel_order
from vtac.dialects.diagnostics import ScheduleError
from vtac.schedule import BlockRef, LoopRef, Schedule


def schedule_layer(schedule: Schedule, layer: Layer, tiling: Tiling) -> None:
    """Record the directives that give a layer this tiling. Raises `ScheduleError` when one is illegal."""
    if layer.contraction is None:
        _schedule_elementwise(schedule, layer, tiling)
    else:
        _ContractionSchedule(schedule, layer, layer.contraction, tiling).apply()


def _cut_store(
    schedule: Schedule, layer: Layer, tiling: Tiling, by_weight: tuple[bool, ...]
) -> tuple[list[LoopRef], LoopRef, list[LoopRef], list[LoopRef]]:
    """Split the store's loops: tile loops in order, the loop over pieces, what is inside it, the tile's own."""
    loops = list(schedule.get_loops(schedule.get_block(layer.store)))
    outer, within = loops[:-2], loops[-2:]
    pairs = [schedule.split(loop, factor=size) for loop, size in zip(outer, tiling.tile, strict=True)]
    cut = piece_dimension(tiling, by_weight)
    part, rest = schedule.split(pairs[cut][1], nparts=tiling.pieces)
    inner = [pair[1] for pair in pairs]
    inner[cut] = rest
    selecting = [pair[0] for pair, weight in zip(pairs, by_weight, strict=True) if weight]
    moving = [pair[0] for pair, weight in zip(pairs, by_weight, strict=True) if not weight]
    around = [*moving, *selecting] if tiling.weights_inside else [*selecting, *moving]
    schedule.reorder(*around, part, *inner, *within)
    return around, part, inner, within


def piece_dimension(tiling: Tiling, by_weight: tuple[bool, ...]) -> int:
    """The dimension whose tile is finished in pieces: the first that selects weights."""
    weighted = [number for number, weight in enumerate(by_weight) if weight and tiling.tile[number] > 1]
    return weighted[0] if weighted else 0


def _load_operands(schedule: Schedule, layer: Layer, at: LoopRef, copies: int | None = None) -> None:
    for operand in layer.operands:
        copy = schedule.cache_read(schedule.get_block(operand.block), operand.index, "vta.acc")
        schedule.compute_at(copy, at)
        schedule.dma_copy(schedule.get_loop(copy, "i0"))
        if copies is not None:
            schedule.double_buffer(copy, copies)


def _finish(schedule: Schedule, layer: Layer, store_loop: LoopRef) -> None:
    """Map the elementwise blocks and the store."""
    schedule.dma_copy(store_loop)
    for name in layer.tail:
        schedule.alu(schedule.get_loop(schedule.get_block(name), "i0"))


def _schedule_elementwise(schedule: Schedule, layer: Layer, tiling: Tiling) -> None:
    _, part, inner, _ = _cut_store(schedule, layer, tiling, (False,) * len(layer.extents))
    for name in reversed(layer.tail):
        schedule.compute_at(schedule.get_block(name), part)
    for name in layer.tail:
        schedule.set_scope(schedule.get_block(name), 0, "vta.acc")
    if not layer.tail:
        raise ScheduleError("default schedule: a store without any computation needs a schedule of its own")
    _load_operands(schedule, layer, part, tiling.acc)
    _finish(schedule, layer, inner[0])


class _ContractionSchedule:
    """The directives of one contraction layer."""

    def __init__(self, schedule: Schedule, layer: Layer, contraction: Contraction, tiling: Tiling) -> None:
        self.schedule = schedule
        self.layer = layer
        self.contraction = contraction
        self.tiling = tiling

    def apply(self) -> None:
        schedule, layer, tiling = self.schedule, self.layer, self.tiling
        skip = tiling.skip and self.contraction.pad is not None
        if skip and self.contraction.pad is not None:
            schedule.compute_inline(schedule.get_block(self.contraction.pad))
        around, part, inner, _ = _cut_store(schedule, layer, tiling, self.contraction.by_weight)
        for name in reversed(layer.tail):
            schedule.compute_at(schedule.get_block(name), part)
        block = schedule.get_block(self.contraction.block)
        schedule.compute_at(block, around[-1])
        passes, window, gemm = self._order_kernel(block)
        reset = self._decompose(block, passes)
        self._rotate(passes, around)
        if skip:
            schedule.skip_padding(block)
        self._load(block, passes, window)
        for name in (self.contraction.block, *layer.tail):
            schedule.set_scope(schedule.get_block(name), 0, "vta.acc")
        schedule.double_buffer(block, tiling.acc)
        _load_operands(schedule, layer, part)
        schedule.tensorize(gemm, "vta.gemm")
        schedule.tensorize(reset, "vta.gemm")
        _finish(schedule, layer, inner[0])

    def _order_kernel(self, block: BlockRef) -> tuple[LoopRef, list[LoopRef], LoopRef]:
        """Passes over channels, window positions of their own, hardware loops, micro-ops, one tile."""
        schedule, contraction, tiling = self.schedule, self.contraction, self.tiling
        loops = list(schedule.get_loops(block))
        rank = len(contraction.extents)
        own = loops[-(rank + 2 + 1 + len(contraction.window) + 1) :]
        spatial, tile, reductions = own[:rank], own[rank : rank + 2], own[rank + 2 :]
        first = rank + 2
        passes, channels = schedule.split(reductions[contraction.channel_loop - first], factor=tiling.channels)
        windows = [reductions[loop - first] for loop in contraction.window_loops]
        k = next(
            loop
            for number, loop in enumerate(reductions)
            if number + first not in (contraction.channel_loop, *contraction.window_loops)
        )
        order = kernel_order(contraction, tiling)
        if order is None:
            raise ScheduleError("default schedule: every order of the kernel's loops writes a tile twice in a row")
        chosen = [
            spatial[one.number] if one.kind == SPATIAL else channels if one.kind == CHANNEL else windows[one.number]
            for one in order[0]
        ]
        apart = windows if tiling.splits_window else []
        single = [loop for loop in (*spatial, channels, *windows) if loop not in chosen and loop not in apart]
        schedule.reorder(passes, *apart, *single, *chosen, *tile, k)
        for loop in () if tiling.streamed else apart:
            schedule.unroll(loop)
        return passes, apart, tile[0]

    def _decompose(self, block: BlockRef, passes: LoopRef) -> LoopRef:
        """The reset as one run over the tile."""
        schedule = self.schedule
        reset = schedule.decompose_reduction(block, passes)
        loops = list(schedule.get_loops(reset))
        rank = len(self.contraction.extents)
        named = {loop.name: loop for loop in loops[-(rank + 2) :]}
        inner = [named[f"i{number}"] for number in range(rank)]
        if rank > 1:
            schedule.reorder(*inner)
        run = [loop for loop in inner if loop.extent > 1]
        while len(run) > 1:
            run = [*run[:-2], schedule.fuse(run[-2], run[-1])]
        return named[f"i{rank}"]

    def _rotate(self, passes: LoopRef, around: list[LoopRef]) -> None:
        """Let each tile begin with the channels that the one before left on chip."""
        innermost = [loop for loop in around if loop.extent > 1][-1:]
        if not innermost:
            return
        number = around.index(innermost[0])
        selecting = sum(self.contraction.by_weight)
        weights = number >= len(around) - selecting if self.tiling.weights_inside else number < selecting
        kept = self.tiling.inp if weights else self.tiling.wgt
        if 1 < kept < passes.extent:
            self.schedule.rotate(passes, innermost[0], passes.extent - kept)

    def _load(self, block: BlockRef, passes: LoopRef, window: list[LoopRef]) -> None:
        schedule, contraction, tiling = self.schedule, self.contraction, self.tiling
        position = contraction.input_index
        if contraction.pad is not None and not tiling.skip:
            data = schedule.get_block(contraction.pad)
            schedule.set_scope(data, 0, "vta.inp")
        else:
            data = schedule.cache_read(block, position, "vta.inp", gather=contraction.steps)
        weights = schedule.cache_read(block, 1 - position, "vta.wgt")
        weight_loop = window[-1] if (tiling.taps or tiling.streamed) and window else passes
        data_loop = window[-1] if tiling.streamed and window else passes
        for copy, loop, copies in ((weights, weight_loop, tiling.wgt), (data, data_loop, tiling.inp)):
            schedule.compute_at(copy, loop)
            schedule.dma_copy(schedule.get_loop(copy, "i0"))
            schedule.double_buffer(copy, copies)
