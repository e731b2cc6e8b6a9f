"""The contraction of a layer as directives: order of its kernels, loads, copies of its operands."""

from __future__ import annotations

from vtac.errors import TilingError
from vtac.schedule import BlockRef, LoopRef, Schedule
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.nests import TileNest
from vtac.targets.vta.schedules.tiled_contraction import TiledContraction
from vtac.targets.vta.schedules.tiling import CHANNEL, SPATIAL, Tiling, kernel_order, tile_loops


class ContractionSchedule:
    """The directives of one contraction, in the loops over tiles."""

    def __init__(self, schedule: Schedule, layer: Layer, contraction: TiledContraction, tiling: Tiling) -> None:
        self.schedule = schedule
        self.layer = layer
        self.contraction = contraction
        self.tiling = tiling
        self.skips = tiling.skip and contraction.pad is not None
        self.tiles: list[LoopRef] = []

    def skip(self) -> None:
        """Read the padding where it is multiplied, so that it can be left out."""
        if self.skips and self.contraction.pad is not None:
            self.schedule.compute_inline(self.schedule.get_block(self.contraction.pad))

    def schedule_kernel(self, nest: TileNest) -> None:
        """Order the contraction's loops, reset before them, and load inside."""
        schedule = self.schedule
        block = schedule.get_block(self.contraction.block)
        passes, window, gemm, spatial = self._order_kernel(block)
        reset = self._decompose(block, passes, spatial)
        self._rotate(passes, nest.around)
        if self.skips:
            schedule.skip_padding(block)
        self._load(block, passes, window)
        self.tiles = [gemm, reset]

    def tensorize(self) -> None:
        """Give the kernels to GEMM."""
        for loop in self.tiles:
            self.schedule.tensorize(loop, "vta.gemm")

    def _order_kernel(self, block: BlockRef) -> tuple[LoopRef, list[LoopRef], LoopRef, list[tuple[str, bool]]]:
        """Passes over channels, window positions of their own, hardware loops, micro-ops, one tile.

        What comes back are the loop over passes, those over the window, that of the tile, and of the spatial loops
        their names and whether they are shorter in the last tile.
        """
        schedule, contraction, tiling = self.schedule, self.contraction, self.tiling
        loops = list(schedule.get_loops(block))
        rank = len(contraction.extents)
        reducing = (contraction.channel_loop is not None) + len(contraction.window) + 1
        own = loops[-(rank + 2 + reducing) :]
        whole, tile, reductions = own[:rank], own[rank : rank + 2], dict(enumerate(own[rank + 2 :], rank + 2))
        windows = [reductions.pop(loop) for loop in contraction.window_loops]
        if contraction.channel_loop is not None:
            passes, channels = schedule.split(reductions.pop(contraction.channel_loop), factor=tiling.channels)
            around = [*windows, channels]
        else:
            passes, windows[0] = schedule.split(windows[0], nparts=1)
            channels, around = passes, windows
        (k,) = reductions.values()
        spatial = self._split_groups(whole)
        order = kernel_order(contraction, tiling)
        if order is None:
            raise TilingError("default schedule: every order of the kernel's loops writes a tile twice in a row")
        chosen = [
            spatial[one.number, one.step]
            if one.kind == SPATIAL
            else channels
            if one.kind == CHANNEL
            else windows[one.number]
            for one in order[0]
        ]
        apart = windows if tiling.splits_window else []
        single = [loop for loop in (*spatial.values(), *around) if loop not in chosen and loop not in apart]
        schedule.reorder(passes, *apart, *single, *chosen, *tile, k)
        for loop in () if tiling.streamed else apart:
            schedule.unroll(loop)
        names = [(loop.name, self._is_ragged(*place)) for place, loop in spatial.items()]
        return passes, apart, tile[0], names

    def _split_groups(self, loops: list[LoopRef]) -> dict[tuple[int, int], LoopRef]:
        """The spatial loops by dimension and step; of results that share inputs one over groups, one inside a group."""
        found: dict[tuple[int, int], LoopRef] = {}
        for number, (loop, share) in enumerate(zip(loops, self.contraction.shares, strict=True)):
            if share > 1 and loop.extent > share and loop.extent % share == 0:
                found[number, share], found[number, 1] = self.schedule.split(loop, factor=share)
            else:
                found[number, 1] = loop
        return found

    def _decompose(self, block: BlockRef, passes: LoopRef, names: list[tuple[str, bool]]) -> LoopRef:
        """The reset as one run over the tile, or as few as smaller tiles at the ends have, too."""
        schedule = self.schedule
        reset = schedule.decompose_reduction(block, passes)
        loops = list(schedule.get_loops(reset))
        named = {loop.name: loop for loop in loops[-len(names) - 2 :]}
        inner = [named[name] for name, _ in names]
        run = [(loop, ragged) for loop, (_, ragged) in zip(inner, names, strict=True) if loop.extent > 1]
        if len(inner) > 1:
            schedule.reorder(*(loop for loop in inner if loop.extent == 1), *(loop for loop, _ in run))
        while len(run) > 1:
            (outer, ragged), (loop, is_cut) = run[-2:]
            run[-2:] = [(outer, ragged)] if is_cut else [(schedule.fuse(outer, loop), ragged)]
        return loops[-2]

    def _is_ragged(self, number: int, step: int) -> bool:
        """Whether a loop is shorter in the last tile: rows of it do not follow each other as in the others."""
        inside = step == 1 < self.contraction.shares[number]
        return not inside and self.layer.extents[number] % self.tiling.tile[number] > 0

    def _rotate(self, passes: LoopRef, around: list[LoopRef]) -> None:
        """Let each tile begin with the channels that the one before left on chip."""
        innermost = [loop for loop in around if loop.extent > 1][-1:]
        if not innermost or self.tiling.threads > 1:
            return
        dimension = tile_loops(self.layer, self.tiling)[around.index(innermost[0])]
        kept = self.tiling.inp if self.contraction.by_weight[dimension] else self.tiling.wgt
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
            if not tiling.streamed:
                schedule.double_buffer(copy, copies)
