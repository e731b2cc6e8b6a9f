"""A layer and its tiling as directives."""

from __future__ import annotations

from vtac.schedule import LoopRef, Schedule
from vtac.targets.vta.schedules.contraction_directives import ContractionSchedule
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.nests import TileNest, cut_nest
from vtac.targets.vta.schedules.stages import Product, Stage
from vtac.targets.vta.schedules.tiling import Tiling, operand_level


def schedule_layer(schedule: Schedule, layer: Layer, tiling: Tiling) -> None:
    """Record the directives that give a layer this tiling. Raises `ScheduleError` when one is illegal."""
    _LayerSchedule(schedule, layer, tiling).apply()


class _LayerSchedule:
    """The directives of one layer: cut the results' loops, bring every stage there, then map it to its unit."""

    def __init__(self, schedule: Schedule, layer: Layer, tiling: Tiling) -> None:
        self.schedule = schedule
        self.layer = layer
        self.tiling = tiling
        self.contraction = (
            None if layer.contraction is None else ContractionSchedule(schedule, layer, layer.contraction, tiling)
        )

    def apply(self) -> None:
        schedule, layer = self.schedule, self.layer
        if self.contraction is not None:
            self.contraction.skip()
        nest = cut_nest(schedule, layer, self.tiling)
        self._gather(nest)
        if self.contraction is not None:
            self.contraction.schedule_kernel(nest)
        for stage in layer.stages:
            schedule.set_scope(schedule.get_block(stage.block), 0, "vta.acc")
        self._mark_copies()
        self._load_operands(nest)
        for stage in layer.stages:
            for product in stage.products:
                self._multiply(stage, product, nest)
        if self.contraction is not None:
            self.contraction.tensorize()
        self._finish(nest)

    def _gather(self, nest: TileNest) -> None:
        """Bring every stage into the loops over tiles, where it is needed."""
        schedule, layer = self.schedule, self.layer
        behind = self._behind_anchor()
        if layer.anchor is not None:
            anchor = layer.stages[layer.anchor]
            for name in (product.block for product in anchor.products if product.block != anchor.block):
                schedule.reverse_compute_at(schedule.get_block(name), nest.inside)
            for number in sorted(behind):
                stage = layer.stages[number]
                for name in dict.fromkeys((stage.block, *(product.block for product in stage.products))):
                    schedule.reverse_compute_at(schedule.get_block(name), nest.inside)
            for name in layer.stores:
                schedule.reverse_compute_at(schedule.get_block(name), nest.inside)
        for number, stage in reversed(list(enumerate(layer.stages))):
            if number in behind or number == layer.anchor:
                continue
            at = nest.around[-1] if stage.kind == "contraction" else nest.inside
            schedule.compute_at(schedule.get_block(stage.block), at)

    def _behind_anchor(self) -> set[int]:
        """Stages that depend on the one whose loops are cut."""
        found: set[int] = set()
        for number, stage in enumerate(self.layer.stages):
            if self.layer.anchor is not None and set(stage.reads) & (found | {self.layer.anchor}):
                found.add(number)
        return found

    def _mark_copies(self) -> None:
        """Accumulators that are stored from have copies, so that the next tile need not wait for the store unit."""
        for space in self.layer.accumulators:
            if space.stage is None:
                continue
            stage = self.layer.stages[space.stage]
            if space.stored or stage.kind == "contraction":
                copies = 1 if self.layer.pools_sums and not space.stored else self.tiling.acc
                self.schedule.double_buffer(self.schedule.get_block(stage.block), copies)

    def _load_operands(self, nest: TileNest) -> None:
        schedule, layer, tiling = self.schedule, self.layer, self.tiling
        kept = {space.operand: space for space in layer.accumulators if space.operand is not None}
        for number, operand in enumerate(layer.operands):
            copy = schedule.cache_read(schedule.get_block(operand.block), operand.index, "vta.acc")
            level = operand_level(layer, tiling, operand)
            if level is None or number in kept:
                schedule.compute_at(copy, nest.inside)
            elif level >= 0:
                schedule.compute_at(copy, nest.around[level])
            schedule.dma_copy(schedule.get_loop(copy, "i0"))
            if number in kept and kept[number].stored:
                schedule.double_buffer(copy, tiling.acc)

    def _multiply(self, stage: Stage, product: Product, nest: TileNest) -> None:
        """Load int8 tiles and weights, and multiply them."""
        schedule, tiling = self.schedule, self.tiling
        block = schedule.get_block(product.block)
        if product.pad is not None:
            data = schedule.get_block(product.pad)
            schedule.set_scope(data, 0, "vta.inp")
        else:
            data = schedule.cache_read(block, product.index, "vta.inp")
        weight = schedule.cache_read(block, 1 - product.index, "vta.wgt")
        at = nest.inside if tiling.streamed and stage.kind != "contraction" else nest.around[-1]
        for copy, copies in ((weight, 1), (data, 1 if product.is_bias else tiling.operands)):
            schedule.compute_at(copy, at)
            schedule.dma_copy(schedule.get_loop(copy, "i0"))
            if not tiling.streamed:
                schedule.double_buffer(copy, copies)
        rank = len(stage.region)
        *outer, row, _, _ = list(schedule.get_loops(block))[-rank - 3 :]
        if product.starts:
            reset = schedule.decompose_reduction(block, outer[0])
            *loops, reset_row, _ = list(schedule.get_loops(reset))[-rank - 2 :]
            self._tensorize(loops, reset_row)
        self._tensorize(outer, row)

    def _tensorize(self, outer: list[LoopRef], row: LoopRef) -> None:
        """One kernel over all tiles, the longest two loops in hardware."""
        if len(outer) > 1:
            self.schedule.reorder(*sorted(outer, key=lambda loop: -loop.extent))
        self.schedule.tensorize(row, "vta.gemm")

    def _finish(self, nest: TileNest) -> None:
        """Map elementwise blocks, loads and stores."""
        schedule, layer = self.schedule, self.layer
        for number, stage in enumerate(layer.stages):
            if stage.kind == "alu":
                at = nest.inner if number == layer.anchor else schedule.get_loop(schedule.get_block(stage.block), "i0")
                schedule.alu(at)
            elif stage.kind == "load":
                schedule.dma_copy(schedule.get_loop(schedule.get_block(stage.block), "i0"))
        for name in layer.stores:
            at = nest.inner if layer.anchor is None else schedule.get_loop(schedule.get_block(name), "i0")
            schedule.dma_copy(at)
