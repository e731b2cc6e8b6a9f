"""Programs with a product for wgmma: every operand type, both ways of both operands, batches, a convolution, tails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mma_programs import CASES as OF_TILES
from mma_programs import Case, product

from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.targets.cuda.schedules.wgmma_products import group_tiling


def cut(case: Case) -> Case:
    """The case with floats that may be cut to tf32."""
    return replace(case, text=case.text.replace("{wmma.allow_tf32}", "{wmma.allow_tf32, wmma.cut_tf32}"))


CASES: Mapping[str, Case] = {
    "plain": product((128, 64, 256)),
    "b transposed": product((128, 64, 256), transposed=True),
    "bias, residual, relu, cast": product((128, 96, 128), tail=True),
    "sums of halves": product((64, 64, 128), half_sums=True),
    "bf16": product((64, 64, 128), "bf16"),
    "tf32": cut(product((64, 64, 128), "f32")),
    "tf32, b transposed": cut(product((64, 64, 128), "f32", transposed=True)),
    "s8": product((64, 32, 128), "i8"),
    "s8, b transposed": product((64, 64, 256), "i8", transposed=True),
    "u8, b transposed": product((64, 64, 256), "i8", transposed=True, unsigned=True),
    "batch": product((64, 64, 128), batch=3),
    "convolution": OF_TILES["convolution"],
}
"""Programs by what is special about them."""

TILINGS: Mapping[str, ProductTiling] = {
    "one stage": group_tiling(1, 64, 2, 128, 1),
    "two stages": group_tiling(1, 64, 2, 64, 2),
    "three stages, rows of 32 bytes": group_tiling(2, 32, 2, 32, 3),
    "four groups": group_tiling(4, 64, 2, 64, 4),
    "n of 24": group_tiling(1, 48, 2, 64, 4),
    "steps of two panels": group_tiling(1, 64, 2, 256, 2),
}
"""Tilings of a product of 256 x 192 x 512."""
