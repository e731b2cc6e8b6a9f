"""2D convolution with requantisation, in the layouts NCHWnc and OIHWoi."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.spellings import TailName
from vtac.errors import CompileError
from vtac.workloads.conv_window import ConvWindow
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
    from vtac.schedule import BlockRef, LoopRef, Schedule

ThreadAxis = Literal["oc", "h"]


@dataclass(frozen=True)
class Conv2DTiling:
    """Block sizes in images, rows, columns and channels.

    The virtual-thread loop is the inner part of splitting the outer block loop of
    `vthread_axis` by `vthreads`, and stands outermost.
    """

    h_block: int = 7
    w_block: int = 14
    ic_block: int = 16
    oc_block: int = 128
    batch_block: int | None = None
    vthreads: int = 2
    vthread_axis: ThreadAxis = "oc"
    tail: TailName = "error"


@dataclass(frozen=True)
class Conv2D(ConvWindow):
    """A square-kernel convolution; the defaults are ResNet-18's ninth."""

    batch: int = 1
    height: int = 14
    width: int = 14
    in_channels: int = 256
    out_channels: int = 256
    kernel: int = 3
    padding: int = 1
    stride: int = 1
    shift: int = 8
    config: VTAConfig = field(default_factory=VTAConfig)

    def __post_init__(self) -> None:
        require_multiple("batch", self.batch, self.config.batch, "BATCH")
        require_multiple("in-channels", self.in_channels, self.config.block_in, "BLOCK")
        require_multiple("out-channels", self.out_channels, self.config.block_out, "BLOCK")
        self.require_window()

    @property
    def data_shape(self) -> tuple[int, ...]:
        """(N, IC, H, W, n, ic)."""
        config = self.config
        outer = (self.batch // config.batch, self.in_channels // config.block_in)
        return (*outer, self.height, self.width, config.batch, config.block_in)

    @property
    def kernel_shape(self) -> tuple[int, ...]:
        """(OC, IC, KH, KW, oc, ic)."""
        config = self.config
        outer = (self.out_channels // config.block_out, self.in_channels // config.block_in)
        return (*outer, self.kernel, self.kernel, config.block_out, config.block_in)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(N, OC, OH, OW, n, oc)."""
        config = self.config
        outer = (self.batch // config.batch, self.out_channels // config.block_out)
        return (*outer, self.out_height, self.out_width, config.batch, config.block_out)

    def text(self) -> str:
        """The program as linalg text; padding, when there is any, is a tensor.pad."""
        data, kernel = tensor(self.data_shape, "i8"), tensor(self.kernel_shape, "i8")
        wide = tensor(self.output_shape, "i32")
        source, pad, padded = self._pad(data)
        row = f"i * {self.stride} + dy" if self.stride > 1 else "i + dy"
        column = f"j * {self.stride} + dx" if self.stride > 1 else "j + dx"
        loops = "n, co, i, j, b, c, ic, dy, dx, k"
        maps = [
            affine_map(loops, it)
            for it in (f"n, ic, {row}, {column}, b, k", "co, ic, dy, dx, c, k", "n, co, i, j, b, c")
        ]
        return f"""#tile = {affine_map("n, co, i, j, b, c", "n, co, i, j, b, c")}
func.func @conv2d(%data: {data}, %kernel: {kernel}) -> {tensor(self.output_shape, "i8")} {{{pad}
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : {wide}
  %init = linalg.fill ins(%zero : i32) outs(%empty : {wide}) -> {wide}
  %res_conv = linalg.generic {{indexing_maps = [{", ".join(maps)}], {iterators(6, 4)}}}
    ins({source}, %kernel : {padded}, {kernel}) outs(%init : {wide}) {named("res_conv")} {{{MULTIPLY_ACCUMULATE}
  }} -> {wide}{requantise("%res_conv", self.output_shape, self.shift)}
  func.return %res : {tensor(self.output_shape, "i8")}
}}
"""

    def _pad(self, data: str) -> tuple[str, str, str]:
        """The convolution's input, the op that pads it, and its type."""
        if not self.padding:
            return "%data", "", data
        n, ic, height, width, row, lane = self.data_shape
        padded = tensor((n, ic, height + 2 * self.padding, width + 2 * self.padding, row, lane), "i8")
        amount = f"[0, 0, {self.padding}, {self.padding}, 0, 0]"
        pad = f"""
  %pad_value = arith.constant 0 : i8
  %data_buf = tensor.pad %data low{amount} high{amount} {{
  ^bb0(%p0: index, %p1: index, %p2: index, %p3: index, %p4: index, %p5: index):
    tensor.yield %pad_value : i8
  }} {{schedule.name = "data_buf"}} : {data} to {padded}"""
        return "%data_buf", pad, padded

    def schedule(self, tiling: Conv2DTiling | None = None) -> Schedule:
        """Output blocks outside, input-channel blocks inside, x innermost so that no dst repeats.

        Raises `CompileError` for less than one virtual thread.
        """
        from vtac.schedule import Schedule

        tiling = Conv2DTiling() if tiling is None else tiling
        batch_block = self.config.batch if tiling.batch_block is None else tiling.batch_block
        if tiling.vthreads < 1:
            raise CompileError(f"vthreads is {tiling.vthreads}; at least 1 is required")
        require_multiple("batch-block", batch_block, self.config.batch, "BATCH")
        require_multiple("ic-block", tiling.ic_block, self.config.block_in, "BLOCK")
        require_multiple("oc-block", tiling.oc_block, self.config.block_out, "BLOCK")
        schedule = Schedule(self.text(), config=self.config)
        result = schedule.get_block("res")
        conv = schedule.get_block("res_conv")
        b, oc, y, x, b_tile, oc_tile = schedule.get_loops(result)
        b_out, b_inn = schedule.split(b, factor=batch_block // self.config.batch, tail=tiling.tail)
        oc_out, oc_inn = schedule.split(oc, factor=tiling.oc_block // self.config.block_out, tail=tiling.tail)
        y_out, y_inn = schedule.split(y, factor=tiling.h_block, tail=tiling.tail)
        x_out, x_inn = schedule.split(x, factor=tiling.w_block, tail=tiling.tail)
        schedule.reorder(b_out, oc_out, y_out, x_out, b_inn, oc_inn, y_inn, x_inn, b_tile, oc_tile)
        elementwise = [schedule.get_block(name) for name in ("res_min", "res_max", "res_shr")]
        for block in (*elementwise, conv):
            schedule.compute_at(block, x_out)
        ic_out, gemm_tile = _block_reduction(schedule, conv, tiling, self.config)
        share(schedule, oc_out if tiling.vthread_axis == "oc" else y_out, tiling.vthreads, b_out)
        if self.padding:
            data = schedule.get_block("data_buf")
            schedule.set_scope(data, 0, "vta.inp")
        else:
            data = schedule.cache_read(conv, 0, "vta.inp")
        kernel = schedule.cache_read(conv, 1, "vta.wgt")
        place(schedule, conv, elementwise, (data, kernel), ic_out)
        instruct(schedule, elementwise, b_tile, gemm_tile)
        return schedule


def _block_reduction(
    schedule: Schedule, conv: BlockRef, tiling: Conv2DTiling, config: VTAConfig
) -> tuple[LoopRef, LoopRef]:
    """Block the input channels; the loop over their blocks, and the loop of one GEMM tile."""
    *_, b, oc, y, x, row, lane, ic, dy, dx, k = schedule.get_loops(conv)
    ic_out, ic_inn = schedule.split(ic, factor=tiling.ic_block // config.block_in, tail=tiling.tail)
    schedule.reorder(ic_out, b, oc, y, ic_inn, dy, dx, x, row, lane, k)
    return ic_out, row
