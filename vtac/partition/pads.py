"""`tensor.pad`s around the data of windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import FloatAttr, IntegerAttr
from xdsl.ir import Operation, SSAValue


@dataclass(frozen=True)
class Pads:
    """Indices around the spatial dimensions of data."""

    low: tuple[int, ...]
    high: tuple[int, ...]


def no_pads(spatial: Sequence[int]) -> Pads:
    """Nothing around any of the spatial dimensions."""
    return Pads((0,) * len(spatial), (0,) * len(spatial))


def unpadded(value: SSAValue, spatial: Sequence[int]) -> tuple[SSAValue, Pads, int | float]:
    """The tensor around which `tensor.pad`s put one number, along dimensions `spatial`; how much, and which."""
    pads, edge = no_pads(spatial), None
    while isinstance(pad := value.owner, tensor.PadOp) and spatial:
        low, high = pad.static_low.get_values(), pad.static_high.get_values()
        outside = [dim for dim in range(len(low)) if dim not in spatial and (low[dim] or high[dim])]
        number = pad_value(pad)
        if pad.low or pad.high or min((*low, *high)) < 0 or outside or number is None or edge not in (None, number):
            break
        edge = number
        pads = Pads(
            tuple(low[dim] + extra for dim, extra in zip(spatial, pads.low, strict=True)),
            tuple(high[dim] + extra for dim, extra in zip(spatial, pads.high, strict=True)),
        )
        value = pad.source
    return value, pads, 0 if edge is None else edge


def pad_value(pad: tensor.PadOp) -> int | float | None:
    """The number that a pad puts around a tensor, where it is a constant."""
    owner = cast("Operation", pad.region.block.last_op).operands[0].owner
    if isinstance(owner, ConstantOp) and isinstance(owner.value, IntegerAttr | FloatAttr):
        return owner.value.value.data
    return None
