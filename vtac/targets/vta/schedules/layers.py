"""What a function's blocks are, as far as a schedule needs to know: layers of packed operations.

A layer has one or several results. What stands before them is written into accumulators stage
by stage: a contraction on GEMM tiles (matrix product, convolution) at most, elementwise
blocks, windows of loaded tiles, and int8 operands by products with one weight tile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from xdsl.dialects.func import FuncOp

from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.nest import blocks_under, shape_of, strides_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.schedule.payload import BlockOp
from vtac.errors import NoDefaultScheduleError
from vtac.targets.vta.schedules.matching import LayerBlocks, is_store, match_stages
from vtac.targets.vta.schedules.stages import Accumulator, Operand, Stage
from vtac.targets.vta.schedules.tiled_contraction import TiledContraction, no_layer


@dataclass(frozen=True)
class Layer:
    """One layer; block names in program order, which are no part of its identity.

    `extents` are the results' outer dimensions; along each, neighbours of the first result lie `strides` tiles apart in
    DRAM, which is no dense order where the result is a part of a tensor, or transposed. With several results, `anchor`
    is the last stage that all of them depend on; its loops are cut instead of the store's.
    """

    stores: tuple[str, ...] = field(compare=False)
    extents: tuple[int, ...]
    results: int
    stages: tuple[Stage, ...]
    operands: tuple[Operand, ...]
    accumulators: tuple[Accumulator, ...]
    contraction: TiledContraction | None
    strides: tuple[int, ...]
    anchor: int | None = None

    @property
    def store(self) -> str:
        """The block that stores the first result."""
        return self.stores[0]

    @property
    def tail(self) -> tuple[str, ...]:
        """The blocks that the ALU computes."""
        return tuple(stage.block for stage in self.stages if stage.kind == "alu")

    @property
    def alu(self) -> int:
        """ALU cycles per output tile, where windows do not overlap."""
        return sum(stage.alu for stage in self.stages)

    @property
    def pools_sums(self) -> bool:
        """The ALU takes windows of the contraction's sums, so that nothing is stored from these."""
        return self.contraction is not None and bool(self.contraction.region)

    @property
    def cuts_pieces(self) -> bool:
        """A tile can be finished in pieces: unless the contraction's own nest is the one that is cut."""
        return self.contraction is not None and (self.anchor is None or self.stages[self.anchor].kind == "alu")


def find_layers(function: FuncOp, config: VTAConfig) -> list[Layer]:
    """The layers of a function in program order. Raises `NoDefaultScheduleError` for a block that fits none."""
    blocks = blocks_under(function)
    found = _grouped([LayerBlocks.behind(block) for block in blocks if is_store(block)])
    taken = {block for one in found for block in one.blocks}
    layers = [_layer(one, config, blocks) for one in found]
    for block in blocks:
        if block not in taken:
            raise NoDefaultScheduleError(
                f"default schedule: block '{block.block_name}' belongs to no layer; a layer is a contraction on GEMM "
                "tiles (or none), elementwise int32 blocks and a block that truncates to int8: write it so, or give a "
                "schedule",
                location_of(block),
            )
    return layers


def _grouped(found: list[LayerBlocks]) -> list[LayerBlocks]:
    """Results that share a block belong to one layer."""
    groups: list[LayerBlocks] = []
    for one in found:
        shared = [group for group in groups if group.blocks & one.blocks]
        groups = [group for group in groups if group not in shared]
        stores = [store for group in shared for store in group.stores]
        blocks = one.blocks.union(*(group.blocks for group in shared))
        groups.append(LayerBlocks([*stores, *one.stores], blocks))
    return groups


def _layer(found: LayerBlocks, config: VTAConfig, order: list[BlockOp]) -> Layer:
    shape = shape_of(found.stores[0].output)
    tile = (config.batch, config.block_out)
    for store in found.stores:
        shape_here = shape_of(store.output)
        if shape_here[-2:] != tile:
            size = "x".join(map(str, shape_here))
            raise no_layer(store, f"expected a result in {tile[0]} x {tile[1]} tiles, found shape {size}")
        if shape_here != shape:
            raise no_layer(store, f"expected results of one shape, found {shape_here} beside {shape}")
    matched = match_stages(found, [block for block in order if block in found.blocks])
    anchor = None if len(found.stores) == 1 else _anchor(found.stores[0], matched.stages)
    return Layer(
        tuple(store.block_name for store in found.stores),
        shape[:-2],
        len(found.stores),
        tuple(matched.stages),
        tuple(matched.operands),
        tuple(matched.accumulators),
        matched.contraction,
        tuple([stride // prod(tile) for stride in strides_of(found.stores[0].output)[:-2]]),
        anchor,
    )


def _anchor(store: BlockOp, stages: list[Stage]) -> int:
    """The last stage that every stored one depends on, or is."""
    common: set[int] | None = None
    for number, stage in enumerate(stages):
        if stage.results:
            before = _reached(number, stages)
            common = before if common is None else common & before
    last = max(common or {-1})
    if (
        last < 0
        or stages[last].kind == "load"
        or any(side.reach > 1 or side.stride > 1 for side in stages[last].region)
    ):
        raise no_layer(store, "expected several results to depend on one computed tensor of their shape")
    return last


def _reached(number: int, stages: list[Stage]) -> set[int]:
    """A stage and all that it depends on."""
    found: set[int] = set()
    waiting = [number]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += stages[one].reads
    return found
