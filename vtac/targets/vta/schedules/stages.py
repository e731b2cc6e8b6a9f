"""The stages of a layer: what is written into the accumulators, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Literal

from vtac.analysis.nests.bodies import AluChain
from vtac.analysis.operations.contraction import match_product
from vtac.analysis.operations.structured_view import block_view
from vtac.dialects.schedule.payload import BlockOp
from vtac.targets.vta.schedules.tile_regions import TileRegion, tiles_of

StageKind = Literal["contraction", "product", "alu", "load"]


@dataclass(frozen=True)
class Operand:
    """An int32 input of an elementwise block that lies in DRAM: its block, its position, its tiles."""

    block: str = field(compare=False)
    index: int = field(compare=False)
    region: TileRegion


@dataclass(frozen=True)
class Product:
    """A product with one weight tile: how int8 tiles reach the accumulators. Or of one input tile with weights.

    `index` is the position of the tiles, `region` what an output tile needs of them, `pad` the
    block that pads them, `sizes` their dimensions without padding, `before` the padding in front;
    `starts` says that it starts from zeros and does not add to what is there. `weights` is what an
    output tile needs of the weights, without dimensions where there is one tile.
    """

    block: str = field(compare=False)
    index: int = field(compare=False)
    pad: str | None = field(compare=False)
    region: TileRegion
    sizes: tuple[int, ...]
    starts: bool
    weights: TileRegion = ()
    before: tuple[int, ...] = ()

    def touched(self, tile: Sequence[int]) -> int:
        """Tiles that an output tile needs at least, without those of padding."""
        before = self.before or (0,) * len(self.region)
        sides = zip(self.region, self.sizes, before, strict=True)
        return prod(len(side.touched(tile) & set(range(start, start + size))) for side, size, start in sides)

    @property
    def is_bias(self) -> bool:
        """One input tile stands for all."""
        return not self.region


@dataclass(frozen=True)
class Stage:
    """One buffer of accumulators: the block that writes it first, and the products added to it.

    `alu`: cycles of the ALU per tile, `kernels`: its kernels. `accumulator` numbers the space that
    the buffer lives in: an ALU operation works in place where its operand is used no more.
    `reads` are the stages it reads; `results` says how many are stored from it. `spared`: cycles per
    tile of `alu`, and of `kernels`, those of a copy that a tiling may spare: of one tile at a time, what
    is read may be used no more. `data` is what a `load` takes of memory, by its own indices, without padding.
    """

    block: str = field(compare=False)
    kind: StageKind
    region: TileRegion
    alu: int = 0
    kernels: int = 0
    accumulator: int = 0
    reads: tuple[int, ...] = ()
    products: tuple[Product, ...] = ()
    results: int = 0
    spared: tuple[int, int] = (0, 0)
    data: TileRegion = ()

    def least_loaded(self, tile: Sequence[int]) -> int:
        """Tiles that a `load` brings for an output tile at least; padding is written without any."""
        return tiles_of(self.data, tile) if self.kind == "load" else 0

    @property
    def least_alu(self) -> int:
        """Cycles of the ALU per tile, whatever the tiling."""
        return self.alu - self.spared[0]

    @property
    def least_kernels(self) -> int:
        """Kernels of the ALU, whatever the tiling."""
        return self.kernels - self.spared[1]


@dataclass(frozen=True)
class Accumulator:
    """Space for accumulators: its tiles, and the stages between which it is used.

    It is that of the buffer of `stage`, or of the loaded tiles of `operand`, which a stage works on in place.
    """

    region: TileRegion
    first: int
    last: int
    stored: bool
    stage: int | None
    operand: int | None = None


def product_operands(block: BlockOp) -> tuple[int, int] | None:
    """Positions of the inputs and of the weights when a block is a product with one tile of either.

    One with one input tile adds to a sum.
    """
    product = match_product(block_view(block))
    if isinstance(product, str):
        return None
    view = product.view
    for data, weight in ((0, 1), (1, 0)):
        tiles, ends = view.inputs[data].plain, view.inputs[weight].plain
        is_one_tile = len(tiles) == 2 and block.init is None
        if len(tiles) < 2 or len(ends) < 2 or None in ends or (len(ends) > 2 and not is_one_tile):
            continue
        lane, k = ends[-2:]
        if product.reductions == (k,) and view.output.plain[-1] == lane and tiles[-1] == k:
            return data, weight
    return None


COPY = 3, 2
"""Cycles per tile and kernels of a copy from one accumulator to another: a reset and an addition."""


def chain_cost(chain: AluChain, *, in_place: bool) -> tuple[int, int]:
    """ALU cycles per tile, and kernels: one per step, and a reset and an addition for a copy."""
    cycles = sum(1 if step.input is None else 2 for step in chain.steps)
    return (cycles, len(chain.steps)) if in_place else (cycles + COPY[0], len(chain.steps) + COPY[1])


def first_writer(buffer_writers: Sequence[BlockOp]) -> BlockOp | None:
    """The block that writes a buffer afresh, where the others add to it."""
    fresh = [block for block in buffer_writers if not (block.has_reduction and block.init is None)]
    return fresh[0] if len(fresh) == 1 else None
