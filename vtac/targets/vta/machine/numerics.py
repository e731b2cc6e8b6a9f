"""What the arithmetic units compute: 32-bit integers that wrap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vtac.targets.vta.isa import AluOpcode

Accumulators = NDArray[np.int32]


def shift_right(value: Accumulators, amount: Accumulators) -> Accumulators:
    """`value >> amount`, arithmetic; a negative amount shifts left.

    Amounts of 32 and more mean nothing to the instruction set; the low 5 bits count, as in hardware.
    """
    right = np.right_shift(value, amount & 31)
    return np.where(amount >= 0, right, np.left_shift(value, -amount & 31))


ALU_OPERATIONS: dict[AluOpcode, Callable[[Accumulators, Accumulators], Accumulators]] = {
    AluOpcode.MIN: np.minimum,
    AluOpcode.MAX: np.maximum,
    AluOpcode.ADD: np.add,
    AluOpcode.SHR: shift_right,
    AluOpcode.MUL: np.multiply,
}


def tile_product(inp: NDArray[np.int8], wgt: NDArray[np.int8]) -> Accumulators:
    """(BATCH, BLOCK_IN) x (BLOCK_OUT, BLOCK_IN) -> (BATCH, BLOCK_OUT), int32."""
    return inp.astype(np.int32) @ wgt.astype(np.int32).T
