"""Contractions on GEMM tiles: matrix products and convolutions, recognised by their accesses."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, TypeVar

from xdsl.ir import BlockArgument, SSAValue

from vtac.analysis.expressions.linear import Linear, Quotient
from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.bodies import is_copy
from vtac.analysis.nests.nest import readers_of, shape_of, strides_of, writers_of
from vtac.analysis.operations.contraction import Contraction, match_product
from vtac.analysis.operations.structured_view import block_view
from vtac.dialects.schedule.payload import BlockOp
from vtac.errors import NoDefaultScheduleError
from vtac.targets.vta.schedules.tile_regions import TileRegion

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_Index = TypeVar("_Index", int, "npt.NDArray[np.int64]")


@dataclass(frozen=True)
class InputDimension:
    """One outer dimension of the input: index = stride * (spatial div shared) + dilation * window - before.

    `spatial` and `window` number the contraction's loops, None where there is none; `size` is
    the dimension without padding, `before` the padding in front. `shared` neighbours along the
    spatial loop read the same: output blocks of a group of channels, whose input blocks they share.
    """

    spatial: int | None
    stride: int
    window: int | None
    dilation: int
    size: int
    before: int = 0
    shared: int = 1

    def index(self, spatial: _Index, window: _Index) -> _Index:
        """The index that an output needs at a position of the window; below 0, or from `size` on, it is padding."""
        return spatial // self.shared * self.stride + window * self.dilation - self.before


@dataclass(frozen=True)
class TiledContraction:
    """acc[spatial] += inp[spatial, channel, window] * wgt[spatial, channel, window], tile by tile.

    `extents` are those of the outer spatial loops; `by_weight` says which of them select
    weights (output channels), the others select inputs (images, rows, columns). `window`
    holds the extents of the remaining reductions. `channel_loop` is None where nothing is summed
    over but the window (sums of a pooling); a dimension of both kinds (a convolution by channel)
    counts as selecting weights. Along each loop that selects weights, the channels and the window, in
    this order, neighbours of the weights lie `weight_strides` tiles apart in DRAM, which is no dense
    order where they are transposed; none where they have other dimensions. `region` is what a tile
    of the layer's result needs, where that is no tile of the same place: windows of a pooling behind
    the contraction.
    """

    block: str = field(compare=False)
    pad: str | None = field(compare=False)
    input_index: int
    extents: tuple[int, ...]
    by_weight: tuple[bool, ...]
    channels: int
    channel_loop: int | None
    window: tuple[int, ...]
    window_loops: tuple[int, ...]
    dimensions: tuple[InputDimension, ...]
    region: TileRegion = ()
    weight_strides: tuple[int, ...] = ()

    @property
    def steps(self) -> bool:
        """True when the input is read in steps with nothing between them used."""
        return any(
            d.stride > 1
            and d.spatial is not None
            and self.extents[d.spatial] > 1
            and (d.window is None or self.window[d.window] == 1)
            for d in self.dimensions
        )

    def tile(self, tile: tuple[int, ...]) -> tuple[int, ...]:
        """What of the contraction a tile of the layer's result needs, per outer spatial loop."""
        return tuple(side.extent(tile) for side in self.region) if self.region else tile

    def step(self, dimension: int) -> int:
        """How far apart along a spatial loop lies what neighbouring results need."""
        return self.region[dimension].stride if self.region else 1

    @cached_property
    def selecting(self) -> tuple[bool, ...]:
        """Which outer dimensions select inputs, whether or not they also select weights."""
        used = {dimension.spatial for dimension in self.dimensions}
        return tuple(number in used or not weight for number, weight in enumerate(self.by_weight))

    @property
    def tied(self) -> bool:
        """Some dimension selects inputs and weights at once."""
        return any(a and b for a, b in zip(self.selecting, self.by_weight, strict=True))

    @cached_property
    def shares(self) -> tuple[int, ...]:
        """Along each outer dimension, how many neighbours read the same inputs."""
        shared = {dimension.spatial: dimension.shared for dimension in self.dimensions}
        return tuple(shared.get(number, 1) for number in range(len(self.extents)))

    def keeps_groups(self, tile: tuple[int, ...]) -> bool:
        """Whether every tile of that size has whole groups of what shares inputs, or one result of each group.

        A tile that begins inside a group needs more of the inputs than others do.
        """
        sides = zip(self.tile(tile), self.extents, self.shares, strict=True)
        return all(
            share == 1 or size in (1, whole) or (size % share == 0 and whole % size % share == 0)
            for size, whole, share in sides
        )

    @cached_property
    def padded(self) -> tuple[InputDimension, ...]:
        """The input dimensions along which some output meets padding."""
        return tuple(one for one in self.dimensions if one.spatial is not None and len(set(self.overlap(one))) == 2)

    @cached_property
    def useful(self) -> float:
        """The share of multiplications that read no padding."""
        share = 1.0
        for dimension in self.dimensions:
            whole, inside = self.overlap(dimension)
            share *= inside / whole
        return share

    @property
    def products(self) -> int:
        """Products of tiles, without those of padding: each dimension leaves out its own."""
        total = prod(self.extents) * self.channels * prod(self.window)
        for dimension in self.dimensions:
            whole, inside = self.overlap(dimension)
            total = total // whole * inside
        return total

    def overlap(self, dimension: InputDimension) -> tuple[int, int]:
        """Pairs of an output index and a window index along an input dimension: all, and those that meet data."""
        outputs = 1 if dimension.spatial is None else self.extents[dimension.spatial]
        window = 1 if dimension.window is None else self.window[dimension.window]
        inside = sum(0 <= dimension.index(i, w) < dimension.size for i in range(outputs) for w in range(window))
        return outputs * window, inside


def no_layer(block: BlockOp, found: str) -> NoDefaultScheduleError:
    """The error for a block that no default schedule covers."""
    text = f"default schedule: block '{block.block_name}': {found}; give a schedule"
    return NoDefaultScheduleError(text, location_of(block))


def match_tiled_contraction(block: BlockOp) -> tuple[TiledContraction, set[BlockOp]]:
    """The contraction of tiles that a block is, and the block that pads its input.

    Raises `NoDefaultScheduleError` for any other block.
    """
    product = match_product(block_view(block))
    if isinstance(product, str):
        raise no_layer(block, product)
    view = product.view
    output = view.output.plain
    if len(output) < 3 or output != tuple(range(len(output))) or block.init is None:
        raise no_layer(block, "expected an output indexed by the first loops in order, ending in a tile, from 0")
    outer, lane = range(len(output) - 2), len(output) - 1
    ends = [operand.plain[-2:] for operand in view.inputs]
    k = ends[0][1]
    weights = [position for position in (0, 1) if ends[position][0] == lane]
    if k is None or ends[1][1] != k or len(weights) != 1:
        raise no_layer(block, "expected operands that end in the tiles (b, k) and (o, k) of vta.gemm")
    source = 1 - weights[0]
    inputs, selecting = view.inputs[source].indices[:-2], view.inputs[weights[0]].indices[:-2]
    window, channels = _reductions(block, product, k, inputs)
    if set(view.variables) - {*output[-2:], k} != _used([*inputs, *selecting]):
        raise no_layer(block, f"expected one reduction over blocks of input channels, found {len(channels)}")
    sizes, pads = _padding(block, source)
    weighted = _used(selecting)
    return (
        TiledContraction(
            block.block_name,
            pads[0].block_name if pads else None,
            source,
            tuple(view.extent(v) for v in outer),
            tuple(v in weighted for v in outer),
            view.extent(channels[0]) if channels else 1,
            channels[0] if channels else None,
            tuple(view.extent(v) for v in window),
            tuple(window),
            tuple(_dimension(block, index, outer, window, *size) for index, size in zip(inputs, sizes, strict=True)),
            weight_strides=_weight_strides(block.inputs[weights[0]], selecting, [*outer, *channels, *window]),
        ),
        set(pads),
    )


def _weight_strides(buffer: SSAValue, indices: Sequence[Linear], loops: Sequence[int]) -> tuple[int, ...]:
    """How many tiles lie between neighbours along each dimension of the weights, if those are some loops in order."""
    found = [index.as_variable() for index in indices]
    if found != [loop for loop in loops if loop in found]:
        return ()
    tile = prod(shape_of(buffer)[-2:])
    return tuple([stride // tile for stride in strides_of(buffer)[:-2]])


def _reductions(
    block: BlockOp, product: Contraction[int], k: int, inputs: Sequence[Linear]
) -> tuple[list[int], list[int]]:
    """The reductions over a window, and the one over blocks of channels, if there is one: an index by itself."""
    reductions = [v for v in product.reductions if v != k]
    plain = {index.as_variable() for index in inputs}
    channels = [v for v in reductions if v in plain] or [v for v in reductions if product.view.extent(v) == 1][:1]
    window = [v for v in reductions if v not in channels]
    if len(channels) > 1:
        raise no_layer(block, f"expected one reduction over blocks of input channels, found {len(channels)}")
    if not channels and not window:
        raise no_layer(block, "expected a reduction besides that inside a tile")
    return window, channels


def _used(indices: Sequence[Linear]) -> set[Hashable]:
    return {variable for index in indices for variable in index.variables()}


def _dimension(
    block: BlockOp, index: Linear, outer: Sequence[int], window: Sequence[int], size: int, before: int
) -> InputDimension:
    groups = _groups_in(index)
    spatial = [v for v in outer if index.coefficient(v) or v in groups]
    moving = [v for v in window if index.coefficient(v)]
    if len(spatial) > 1 or len(moving) > 1:
        raise no_layer(block, "expected one output and one window loop per input dimension")
    stride, shared = (1, 1) if not spatial else groups.get(spatial[0], (index.coefficient(spatial[0]), 1))
    return InputDimension(
        outer.index(spatial[0]) if spatial else None,
        stride,
        window.index(moving[0]) if moving else None,
        index.coefficient(moving[0]) if moving else 1,
        size,
        before,
        shared,
    )


def _groups_in(index: Linear) -> dict[Hashable, tuple[int, int]]:
    """Loops of which an index counts groups: how far apart what these read is, and how many iterations each has."""
    found: dict[Hashable, tuple[int, int]] = {}
    for atom, coefficient in index.terms.items():
        if isinstance(atom, Quotient) and (variable := atom.numerator.as_variable()) is not None:
            found[variable] = coefficient, atom.divisor
    return found


def _padding(block: BlockOp, position: int) -> tuple[list[tuple[int, int]], list[BlockOp]]:
    """(size, padding in front) per outer dimension of an input, and the block that pads it."""
    buffer = block.inputs[position]
    writers = writers_of(buffer)
    pads = [one for one in writers if is_copy(one) and one.accesses.data[0].pad_value is not None]
    if isinstance(buffer, BlockArgument) or not pads:
        return [(size, 0) for size in shape_of(buffer)[:-2]], []
    pad = pads[0]
    value = pad.accesses.data[0].pad_value
    if len(readers_of(buffer)) > 1 or value is None or value.value.data != 0:
        raise no_layer(pad, "expected padding of zeros for one reader")
    shape = shape_of(pad.inputs[0])
    if len(shape) != len(shape_of(buffer)):
        raise no_layer(pad, "expected padding around tiles, found a tensor that is not in tiles")
    starts = [index.constant for index in block_view(pad).inputs[0].indices]
    return [(size, -start) for size, start in zip(shape[:-2], starts, strict=False)], [pad]
