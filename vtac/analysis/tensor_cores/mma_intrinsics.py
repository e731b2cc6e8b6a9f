"""What a loop that is to become an intrinsic of the mma level has to be, as far as that is known when it is asked."""

from __future__ import annotations

from vtac.analysis.nests.bodies import is_copy
from vtac.analysis.nests.constant_fills import filled_value
from vtac.analysis.nests.nest import buffer_name, element_type_of, scope_of
from vtac.analysis.nests.tiles import match_nest
from vtac.analysis.tensor_cores.mma_tiles import (
    LOAD,
    MATRIX_STORE,
    STORE,
    WIDEST,
    Result,
    match_product_tile,
    match_result,
)
from vtac.dialects.mma.layouts import COLUMNS, ROWS
from vtac.dialects.mma.stores import STORED_TYPES
from vtac.dialects.schedule.payload import ForOp
from vtac.dialects.scopes import OPERAND_FRAGMENTS
from vtac.targets.target import Mismatch


def match_intrinsic(loop: ForOp, intrinsic: str) -> object:
    """Something where a loop may become an intrinsic of the mma level; a text or a `Mismatch` where not."""
    if intrinsic == STORE:
        return _checked_result(match_result(loop))
    if intrinsic == MATRIX_STORE:
        return _checked_matrices(match_result(loop))
    if intrinsic == LOAD:
        return _match_early_load(loop)
    nest = match_nest(loop)
    if isinstance(nest, str):
        return nest
    if not nest[1].inputs:
        return nest if filled_value(nest[1]) is not None else "expected a constant"
    return match_product_tile(loop, intrinsic)


def _checked_result(found: Result | str) -> object:
    if isinstance(found, str):
        return found
    extents = tuple(loop.trip_count for loop in found.loops)
    if extents not in ((ROWS, COLUMNS), (ROWS, WIDEST * COLUMNS)):
        return Mismatch(
            f"a tile of {extents[0]} x {extents[1]}; accumulators of mma.sync are 16 x 8",
            "split the loops over rows by 16 and those over columns by 8",
        )
    return found


def _checked_matrices(found: Result | str) -> object:
    if isinstance(found, str):
        return found
    extents = tuple(loop.trip_count for loop in found.loops)
    if extents != (ROWS, 2 * COLUMNS):
        return Mismatch(
            f"a tile of {extents[0]} x {extents[1]}; stmatrix stores two accumulators side by side, 16 x 16",
            "split the loops over rows by 16 and those over columns by 16",
        )
    output = found.block.output
    if scope_of(output) != "shared" or str(element_type_of(output)) not in STORED_TYPES:
        return Mismatch(
            f"'{buffer_name(output)}' lies in {scope_of(output)} memory and holds {element_type_of(output)}",
            "stmatrix writes f16 or bf16 to shared memory: cache_write the result there, or use mma.store",
        )
    return found


def _match_early_load(loop: ForOp) -> object:
    """What is known of a load before the product of its buffer is: a copy of whole tiles from shared memory."""
    nest = match_nest(loop)
    if isinstance(nest, str):
        return nest
    inner, block = nest
    if not is_copy(block) or scope_of(block.output) not in OPERAND_FRAGMENTS:
        return f"expected a copy into wmma.matrix_a or wmma.matrix_b, found one into {scope_of(block.output)}"
    scope = scope_of(block.inputs[0])
    if scope != "shared":
        return Mismatch(
            f"'{buffer_name(block.inputs[0])}' lies in {scope} memory",
            "ldmatrix reads shared memory: cache_read it there first",
        )
    if len(inner) != 2:
        return f"expected two loops over a tile, found {len(inner)}"
    return block
