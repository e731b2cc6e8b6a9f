"""Contractions on GEMM tiles: matrix products and convolutions, recognised by their accesses."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from xdsl.ir import BlockArgument
from xdsl.ir.affine import AffineExpr

from vtac.analysis.bodies import is_copy, multiply_accumulate
from vtac.analysis.linear import Linear, from_affine
from vtac.analysis.locations import location_of
from vtac.analysis.nest import readers_of, shape_of, writers_of
from vtac.analysis.regions import plain_dimension
from vtac.dialects.schedule.payload import BlockOp
from vtac.errors import ScheduleError


@dataclass(frozen=True)
class InputDimension:
    """One outer dimension of the input: index = stride * spatial + dilation * window - before.

    `spatial` and `window` number the contraction's loops, None where there is none; `size` is
    the dimension without padding, `before` the padding in front.
    """

    spatial: int | None
    stride: int
    window: int | None
    dilation: int
    size: int
    before: int = 0


@dataclass(frozen=True)
class Contraction:
    """acc[spatial] += inp[spatial, channel, window] * wgt[spatial, channel, window], tile by tile.

    `extents` are those of the outer spatial loops; `by_weight` says which of them select
    weights (output channels), the others select inputs (images, rows, columns). `window`
    holds the extents of the remaining reductions. `channel_loop` is None where nothing is summed
    over but the window (sums of a pooling); a dimension of both kinds (a convolution by channel)
    counts as selecting weights.
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
    def useful(self) -> float:
        """The share of multiplications that read no padding."""
        share = 1.0
        for dimension in self.dimensions:
            if dimension.spatial is None or dimension.window is None:
                continue
            whole, window = self.extents[dimension.spatial], self.window[dimension.window]
            inside = sum(
                0 <= i * dimension.stride + w * dimension.dilation - dimension.before < dimension.size
                for i in range(whole)
                for w in range(window)
            )
            share *= inside / (whole * window)
        return share


def no_layer(block: BlockOp, found: str) -> ScheduleError:
    """The error for a block that no default schedule covers."""
    return ScheduleError(f"default schedule: block '{block.block_name}': {found}; give a schedule", location_of(block))


def match_contraction(block: BlockOp) -> tuple[Contraction, set[BlockOp]]:
    """The contraction that a block is, and the block that pads its input."""
    difference = multiply_accumulate(block)
    if difference:
        raise no_layer(block, difference)
    output = [plain_dimension(expr) for expr in block.output_access.indices.results]
    if len(output) < 3 or output != list(range(len(output))) or block.init is None:
        raise no_layer(block, "expected an output indexed by the first loops in order, ending in a tile, from 0")
    *outer, row, lane = range(len(output))
    sides = [list(access.indices.results) for access in block.accesses.data[:2]]
    k = plain_dimension(sides[0][-1])
    weights = [i for i in (0, 1) if plain_dimension(sides[i][-2]) == lane]
    if k is None or plain_dimension(sides[1][-1]) != k or len(weights) != 1:
        raise no_layer(block, "expected operands that end in the tiles (b, k) and (o, k) of vta.gemm")
    wgt = weights[0]
    used = _used([*sides[1 - wgt][:-2], *sides[wgt][:-2]], block)
    inputs = sides[1 - wgt][:-2]
    reductions = [v for v, one in enumerate(block.variables) if one.reduction and v != k]
    plain = {plain_dimension(expr) for expr in inputs}
    channels = [v for v in reductions if v in plain] or [v for v in reductions if block.variables[v].extent == 1][:1]
    if len(channels) > 1 or set(range(len(block.variables))) - {row, lane, k} != used:
        raise no_layer(block, f"expected one reduction over blocks of input channels, found {len(channels)}")
    window = [v for v in reductions if v not in channels]
    if not channels and not window:
        raise no_layer(block, "expected a reduction besides that inside a tile")
    source, pads = _padding(block, 1 - wgt)
    dimensions = tuple(
        _dimension(block, expr, outer, window, size, before)
        for expr, (size, before) in zip(inputs, source, strict=True)
    )
    weighted = _used(sides[wgt][:-2], block)
    return (
        Contraction(
            block.block_name,
            pads[0].block_name if pads else None,
            1 - wgt,
            tuple(block.variables[v].extent for v in outer),
            tuple(v in weighted for v in outer),
            block.variables[channels[0]].extent if channels else 1,
            channels[0] if channels else None,
            tuple(block.variables[v].extent for v in window),
            tuple(window),
            dimensions,
        ),
        set(pads),
    )


def _linear(expr: AffineExpr, block: BlockOp) -> Linear:
    """An index over the block's iteration variables, by number."""
    extents: dict[Hashable, int] = {v: one.extent for v, one in enumerate(block.variables)}
    return from_affine(expr, [Linear.variable(v) for v in range(len(block.variables))], [], extents)


def _used(expressions: Sequence[AffineExpr], block: BlockOp) -> set[Hashable]:
    return {variable for expr in expressions for variable in _linear(expr, block).variables()}


def _dimension(
    block: BlockOp, expr: AffineExpr, outer: Sequence[int], window: Sequence[int], size: int, before: int
) -> InputDimension:
    index = _linear(expr, block)
    spatial = [v for v in outer if index.coefficient(v)]
    moving = [v for v in window if index.coefficient(v)]
    if len(spatial) > 1 or len(moving) > 1:
        raise no_layer(block, "expected one output and one window loop per input dimension")
    return InputDimension(
        outer.index(spatial[0]) if spatial else None,
        index.coefficient(spatial[0]) if spatial else 1,
        window.index(moving[0]) if moving else None,
        index.coefficient(moving[0]) if moving else 1,
        size,
        before,
    )


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
    starts = [_linear(expr, pad).constant for expr in pad.accesses.data[0].indices.results]
    return [(size, -start) for size, start in zip(shape[:-2], starts, strict=False)], [pad]
