"""Functions that are packed already, but for another configuration than they are compiled with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from xdsl.dialects.builtin import ShapedType
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.ir.affine import AffineExpr

from vtac.analysis.ir.locations import location_of
from vtac.dialects.hardware import VTAConfig
from vtac.errors import CompileError


def refuse_tiles_of_another(
    function: FuncOp, structured: Sequence[LinalgStructuredOperation], config: VTAConfig
) -> None:
    """Raises `CompileError` for a product on tiles: packed once more it would be left to the host."""
    for op in structured:
        tile = _tile_of_product(op)
        if tile is None:
            continue
        rows, block = tile
        sizes = (("LOG_BATCH", rows, config.batch), ("LOG_BLOCK", block, config.block_in))
        fields = [
            f"{name} = {here.bit_length() - 1} instead of {there.bit_length() - 1}"
            for name, here, there in sizes
            if here != there
        ]
        raise CompileError(
            f"function '{function.sym_name.data}' is packed into tiles of {rows}x{block} (weights {block}x{block}), "
            f"the configuration's are {config.batch}x{config.block_in} (weights {config.block_out}x{config.block_in}): "
            f"compile it for {' and '.join(fields)}, or pack the program for this configuration",
            location_of(op),
        )


def _tile_of_product(op: LinalgStructuredOperation) -> tuple[int, int] | None:
    """Rows and block of the tiles of a product as packed programs write it; None for any other operation.

    data[.., i, .., b, k] * weights[.., i, .., o, k] is added up over i and k into result[.., b, o]: channels are
    reduced twice, over blocks and inside a tile. Plain products reduce them once.
    """
    maps = [found.data.results for found in op.get_indexing_maps()]
    if len(maps) != 3 or any(len(results) < 4 for results in maps):
        return None
    kinds = enumerate(op.get_iterator_types())
    reductions = {AffineExpr.dimension(number) for number, kind in kinds if kind.data is IteratorType.REDUCTION}
    first, second, result = maps
    sizes = [tuple(cast(ShapedType, value.type).get_shape())[-2:] for value in op.operands]
    for data, weights, (rows, block) in ((first, second, sizes[0]), (second, first, sizes[1])):
        inside, blocks = data[-1], reductions & {*data[:-2]} & {*weights[:-2]}
        tiled = inside in reductions and weights[-1] == inside and (data[-2], weights[-2]) == tuple(result[-2:])
        if tiled and blocks and block == sizes[2][1] and rows.bit_count() == block.bit_count() == 1:
            return rows, block
    return None
