"""Which tilings of a product have tiles of its operands that are boxes of arrays, as bulk copies bring them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vtac.analysis.box_copies import match_box
from vtac.analysis.nest import enclosing_loops
from vtac.dialects.mma.layouts import CORE_BYTES
from vtac.errors import ScheduleError
from vtac.schedule import BlockRef, Schedule
from vtac.targets.cuda.schedules.product_blocks import ProductBlocks
from vtac.targets.cuda.schedules.shape import payload_block
from vtac.targets.cuda.schedules.tiling import ProductTiling

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

_LEAST = 2
"""Stages and steps of a pipeline, of which one is copied while another multiplies."""
_RULE = "a box is whole rows of pixels and channels of one tap, in rows and at strides of multiples of 16 bytes"


@dataclass
class BoxProbe:
    """Tries tiles of a product's operands, by the first steps of its schedule."""

    module: ModuleOp | str
    blocks: ProductBlocks
    _known: dict[tuple[int, int, int], str] = field(default_factory=dict[tuple[int, int, int], str])

    def problem(self, tile: tuple[int, int, int]) -> str:
        """Why a step's tiles of m x n x k, of either operand, are no boxes; empty where they are."""
        if tile not in self._known:
            self._known[tile] = self._found(tile)
        return self._known[tile]

    def _found(self, tile: tuple[int, int, int]) -> str:
        script = Schedule(self.module)
        for name in self.blocks.pads:
            script.compute_inline(script.get_block(name))
        rows, columns, depth = tile
        try:
            a, b, _ = script.implicit_gemm(script.get_block(self.blocks.product), tile)
        except ScheduleError as error:
            return error.message
        found = _problem(script, a, (rows, depth)) or _problem(script, b, (depth, columns))
        return found and f"{found}; {_RULE}"


def _problem(script: Schedule, copy: BlockRef, tile: tuple[int, int]) -> str:
    """Why a copy of a matrix, cut into such tiles, copies none as a box."""
    script.set_scope(copy, 0, "shared")
    *_, outer, inner = script.get_loops(copy)
    row_tiles, row = script.split(outer, factor=tile[0])
    column_tiles, column = script.split(inner, factor=tile[1])
    script.reorder(row_tiles, column_tiles, row, column)
    found = match_box(enclosing_loops(payload_block(script, copy))[-2], is_compact=False)
    return found if isinstance(found, str) else ""


def choose_boxes(
    probe: BoxProbe, sizes: tuple[int, int, int], tilings: Iterable[ProductTiling], *, given: bool
) -> ProductTiling:
    """The first tiling whose tiles are boxes. Raises `ScheduleError`, with what the first one lacks, where none is."""
    problems: list[tuple[ProductTiling, str]] = []
    for tiling in tilings:
        problem = _few(tiling, sizes[2]) or probe.problem(tiling.block)
        if not problem:
            return tiling
        problems.append((tiling, problem))
    raise ScheduleError(_refusal(" x ".join(map(str, sizes)), problems, given=given))


def _few(tiling: ProductTiling, depth: int) -> str:
    """Why nothing is copied ahead; empty where something is."""
    step = tiling.block[2]
    if tiling.stages < _LEAST:
        return f"one stage copies nothing ahead; choose {_LEAST} stages or more"
    if depth <= step:
        return f"k of {depth} is one step, and nothing is copied ahead; choose steps of less than {depth}"
    return ""


def _refusal(product: str, problems: list[tuple[ProductTiling, str]], *, given: bool) -> str:
    if not problems:
        return (
            f"tma_schedule: no tiling fits a product of {product}: it takes two steps of {2 * CORE_BYTES} bytes "
            "of k or more, and wgmma whole tiles of 64 rows and 32 columns; use mma_schedule or the default one"
        )
    tiling, problem = problems[0]
    if given:
        return f"tma_schedule: blocks of {tiling} do not fit a product of {product}: {problem}"
    return (
        f"tma_schedule: no tiling of a product of {product} copies boxes: of blocks of {tiling}, {problem}; use "
        "mma_schedule or the default one"
    )
