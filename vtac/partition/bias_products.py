"""Constant biases as products of GEMM: one tile of inputs, which is the same for all, and weights that hold the bias.

A sum of weights times 127, and one weight times 1, is any number that so many weights reach, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.dialects.memory_bus import BUS_BYTES

MOST = 127
"""The largest number of i8."""


@dataclass(frozen=True)
class BiasProduct:
    """`inputs`, a tile in which each row is the same, times `weights`, tiles by the bias's outer dimensions."""

    inputs: NDArray[np.int8]
    weights: NDArray[np.int8]


def bias_product(bias: NDArray[np.int32], config: VTAConfig) -> BiasProduct | None:
    """The product that a bias in tiles is; None where its rows differ, or 127 times the weights do not reach it."""
    depth = config.block_in
    if depth < 2 or not bool((bias == bias[..., :1, :]).all()):
        return None
    numbers = bias[..., 0, :].astype(np.int64)
    whole = np.floor_divide(numbers + MOST // 2, MOST)
    rest = numbers - whole * MOST
    if int(np.abs(whole).max(initial=0)) > MOST * (depth - 1):
        return None
    share, more = np.divmod(np.abs(whole), depth - 1)
    parts = share[..., None] + (np.arange(depth - 1) < more[..., None])
    weights = np.concatenate([parts * np.sign(whole)[..., None], rest[..., None]], axis=-1)
    inputs = np.full((config.batch, depth), MOST, np.int8)
    inputs[:, -1] = 1
    return BiasProduct(inputs, weights.astype(np.int8))


def is_cheaper(outputs: int, tiles: int, config: VTAConfig) -> bool:
    """Whether a product takes less time than an addition of a bias of so many tiles to so many of accumulators.

    The product takes a cycle less for each tile of accumulators. A layer that uses each weight tile
    in fewer cycles than the tile takes to load waits for its weights, and would for those of the bias.
    """
    return outputs > tiles * (config.wgt_element_bytes // BUS_BYTES)
