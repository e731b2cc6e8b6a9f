"""Matrix multiplication with requantisation: clip((data @ weight.T) >> 8, 0, 127) as int8."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.spellings import TailName
from vtac.errors import CompileError
from vtac.workloads.linalg_text import (
    MULTIPLY_ACCUMULATE,
    affine_map,
    iterators,
    named,
    requantise,
    require_multiple,
    tensor,
)
from vtac.workloads.tile_schedules import instruct, place, share

if TYPE_CHECKING:
    from vtac.schedule import Schedule


@dataclass(frozen=True)
class MatmulTiling:
    """Block sizes in rows and features; `vthreads` split the output-feature block loop."""

    batch_block: int | None = None
    in_block: int = 256
    out_block: int = 256
    vthreads: int = 1
    tail: TailName = "error"


@dataclass(frozen=True)
class Matmul:
    """`batch` rows of `in_features`, times a weight of `out_features` x `in_features`."""

    batch: int = 1
    in_features: int = 1024
    out_features: int = 1024
    shift: int = 8
    config: VTAConfig = field(default_factory=VTAConfig)

    def __post_init__(self) -> None:
        require_multiple("batch", self.batch, self.config.batch, "BATCH")
        require_multiple("in-features", self.in_features, self.config.block_in, "BLOCK")
        require_multiple("out-features", self.out_features, self.config.block_out, "BLOCK")

    @property
    def data_shape(self) -> tuple[int, ...]:
        config = self.config
        return (self.batch // config.batch, self.in_features // config.block_in, config.batch, config.block_in)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        config = self.config
        rows, columns = self.out_features // config.block_out, self.in_features // config.block_in
        return (rows, columns, config.block_out, config.block_in)

    @property
    def output_shape(self) -> tuple[int, ...]:
        config = self.config
        return (self.batch // config.batch, self.out_features // config.block_out, config.batch, config.block_out)

    def text(self) -> str:
        """The program as linalg text."""
        data, weight = tensor(self.data_shape, "i8"), tensor(self.weight_shape, "i8")
        wide = tensor(self.output_shape, "i32")
        loops = "bo, co, bi, ci, ic, k"
        maps = [affine_map(loops, it) for it in ("bo, ic, bi, k", "co, ic, ci, k", "bo, co, bi, ci")]
        return f"""#tile = {affine_map("b, c, i, j", "b, c, i, j")}
func.func @matmul(%data: {data}, %weight: {weight}) -> {tensor(self.output_shape, "i8")} {{
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : {wide}
  %init = linalg.fill ins(%zero : i32) outs(%empty : {wide}) -> {wide}
  %res_gemm = linalg.generic {{indexing_maps = [{", ".join(maps)}], {iterators(4, 2)}}}
    ins(%data, %weight : {data}, {weight}) outs(%init : {wide}) {named("res_gemm")} {{{MULTIPLY_ACCUMULATE}
  }} -> {wide}{requantise("%res_gemm", self.output_shape, self.shift)}
  func.return %res : {tensor(self.output_shape, "i8")}
}}
"""

    def schedule(self, tiling: MatmulTiling | None = None) -> Schedule:
        """The blocked schedule: output blocks outside, reduction blocks inside, tiles in hardware.

        Raises `CompileError` for less than one virtual thread.
        """
        from vtac.schedule import Schedule

        tiling = MatmulTiling() if tiling is None else tiling
        config = self.config
        batch_block = config.batch if tiling.batch_block is None else tiling.batch_block
        if tiling.vthreads < 1:
            raise CompileError(f"vthreads is {tiling.vthreads}; at least 1 is required")
        require_multiple("batch-block", batch_block, config.batch, "BATCH")
        require_multiple("in-block", tiling.in_block, config.block_in, "BLOCK")
        require_multiple("out-block", tiling.out_block, config.block_out, "BLOCK")
        schedule = Schedule(self.text(), config=config)
        result = schedule.get_block("res")
        gemm = schedule.get_block("res_gemm")
        b, oc, b_tile, oc_tile = schedule.get_loops(result)
        b_out, b_inn = schedule.split(b, factor=batch_block // config.batch, tail=tiling.tail)
        oc_out, oc_inn = schedule.split(oc, factor=tiling.out_block // config.block_out, tail=tiling.tail)
        schedule.reorder(b_out, oc_out, b_inn, oc_inn, b_tile, oc_tile)
        elementwise = [schedule.get_block(name) for name in ("res_min", "res_max", "res_shr")]
        for block in (*elementwise, gemm):
            schedule.compute_at(block, oc_out)
        *_, rows, columns, row, column, ic, k = schedule.get_loops(gemm)
        ic_out, ic_inn = schedule.split(ic, factor=tiling.in_block // config.block_in, tail=tiling.tail)
        if batch_block > config.batch:
            schedule.reorder(ic_out, ic_inn, rows, columns, row, column, k)
        else:
            schedule.reorder(ic_out, rows, columns, ic_inn, row, column, k)
        share(schedule, oc_out, tiling.vthreads, b_out)
        data = schedule.cache_read(gemm, 0, "vta.inp")
        weight = schedule.cache_read(gemm, 1, "vta.wgt")
        place(schedule, gemm, elementwise, (data, weight), ic_out)
        instruct(schedule, elementwise, b_tile, row)
        return schedule
