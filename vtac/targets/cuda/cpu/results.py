"""What the runs of a kernel in several orders of threads wrote, and that they agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vtac.errors import KernelFault
from vtac.targets.cuda.arrays import Array
from vtac.targets.cuda.launch import Parameter

PATTERNS = (0xFF, 0xFE)
"""Bytes that outputs are filled with before the first run, the second, the third again as the first."""


def written_by(runs: list[Array]) -> NDArray[np.bool_]:
    """True where some run's bytes differ from what its output was filled with."""
    mask = np.zeros(runs[0].shape, dtype=np.bool_)
    for position, run in enumerate(runs[: len(PATTERNS)]):
        mask |= _bits(run) != int.from_bytes(bytes([PATTERNS[position]] * run.itemsize))
    return mask


def _bits(array: Array) -> NDArray[np.unsignedinteger]:
    return array.view(f"u{array.itemsize}")


def compare_orders(parameter: Parameter, orders: Sequence[int], results: list[Array], mask: NDArray[np.bool_]) -> None:
    """Refuse results of one output that are not the same in all orders, where `mask` says that it was written."""
    for order, result in zip(orders[1:], results[1:], strict=True):
        differs = (_bits(results[0]) != _bits(result)) & mask
        if not differs.any():
            continue
        index = tuple(int(i) for i in np.argwhere(differs)[0])
        raise KernelFault(
            "order-dependent",
            f"output `{parameter.name}` depends on the order of threads: {int(differs.sum())} of {differs.size} "
            f"elements differ between orders {orders[0]} and {order}, the first at {list(index)} "
            f"({results[0][index]} and {result[index]}); a barrier or a wait is missing, or the kernel reads what "
            "nobody wrote",
        )
