"""Vector addition: int8(A + B) on int32 vectors, in tiles of BATCH x BLOCK."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vtac.dialects.hardware import VTAConfig
from vtac.workloads.linalg_text import affine_map, elementwise, iterators, named, require_multiple, tensor

if TYPE_CHECKING:
    from vtac.schedule import Schedule


@dataclass(frozen=True)
class VectorAdd:
    """`batch` rows of `channels` int32 numbers; the sum's low 8 bits are the result."""

    channels: int = 1024
    batch: int = 1
    config: VTAConfig = field(default_factory=VTAConfig)

    def __post_init__(self) -> None:
        require_multiple("channels", self.channels, self.config.block_out, "BLOCK")
        require_multiple("batch", self.batch, self.config.batch, "BATCH")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(batch / BATCH, channels / BLOCK, BATCH, BLOCK)."""
        config = self.config
        return (self.batch // config.batch, self.channels // config.block_out, config.batch, config.block_out)

    def text(self) -> str:
        """The program as linalg text."""
        wide = tensor(self.shape, "i32")
        dims = "o, m, b, c"
        return f"""#tile = {affine_map(dims, dims)}
func.func @vadd(%A: {wide}, %B: {wide}) -> {tensor(self.shape, "i8")} {{
  %sum_empty = tensor.empty() : {wide}
  %C_buf = linalg.generic {{indexing_maps = [#tile, #tile, #tile], {iterators(4)}}}
    ins(%A, %B : {wide}, {wide}) outs(%sum_empty : {wide}) {named("C_buf")} {{
  ^bb0(%a: i32, %b: i32, %o: i32):
    %sum = arith.addi %a, %b : i32
    linalg.yield %sum : i32
  }} -> {wide}{elementwise("C", "%C_buf", self.shape, "%y = arith.trunci %x : i32 to i8", "i8")}
  func.return %C : {tensor(self.shape, "i8")}
}}
"""

    def schedule(self, block: int | None = None) -> Schedule:
        """Stage both inputs in the accumulator memory, add there, store the result.

        `block` channels at a time; all of them by default.
        """
        from vtac.schedule import Schedule

        schedule = Schedule(self.text(), config=self.config)
        total = schedule.get_block("C_buf")
        stored = schedule.get_block("C")
        copies = [schedule.cache_read(total, index, "vta.acc") for index in (0, 1)]
        schedule.set_scope(total, 0, "vta.acc")
        store_loop = schedule.get_loops(stored)[0]
        if block is not None:
            require_multiple("block", block, self.config.block_out, "BLOCK")
            rows, tiles, batch, channel = schedule.get_loops(stored)
            outer, inner = schedule.split(tiles, factor=block // self.config.block_out)
            schedule.reorder(rows, outer, inner, batch, channel)
            for producer in (total, *copies):
                schedule.compute_at(producer, outer)
            store_loop = inner
        for copy in copies:
            schedule.dma_copy(schedule.get_loop(copy, "i0"))
        schedule.alu(schedule.get_loop(total, "i0"))
        schedule.dma_copy(store_loop)
        return schedule
