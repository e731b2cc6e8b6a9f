"""Convolutions in groups on blocks of channels: which input blocks an output block reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Operation, SSAValue

from vtac.dialects.packing import BlockDiagonalOp


@dataclass(frozen=True)
class Groups:
    """`count` groups, each from `channels` channels to `features` features; `kernel` is (G, F, C, H, W)."""

    kernel: SSAValue
    count: int
    features: int
    channels: int

    def together(self, rows: int, columns: int) -> int:
        """How many neighbouring groups are computed as one: their features fill `rows`, their channels `columns`.

        All of them where no smaller number does.
        """
        for merged in range(1, self.count):
            fills = merged * self.features % rows == 0 and merged * self.channels % columns == 0
            if self.count % merged == 0 and fills:
                return merged
        return self.count

    def choice(self, rows: int, columns: int) -> str | None:
        """What is said about products with the zeros between groups that are computed as one."""
        merged = self.together(rows, columns)
        if merged == 1:
            return None
        block = str(rows) if rows == columns else f"{columns} and {rows}"
        what = f"a convolution in {self.count} groups ({self.channels} channels to {self.features} features each)"
        if merged == self.count:
            return f"{what} over all channels, {merged} times the products: fewer groups fill no blocks of {block}"
        return f"{what}, {merged} groups at once to fill blocks of {block}: {merged} times the products"


def groups_of(kernel: SSAValue) -> Groups | None:
    """The groups of a kernel that is block-diagonal."""
    owner = kernel.owner
    if not isinstance(owner, Operation) or not isinstance(owner, BlockDiagonalOp):
        return None
    shape = cast("TensorType[Attribute]", owner.source.type).get_shape()
    count, features, channels, *_ = shape
    return Groups(owner.source, count, features, channels)
