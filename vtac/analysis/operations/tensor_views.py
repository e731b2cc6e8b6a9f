"""tensor.extract_slice as another way to index what it is taken from."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects import tensor
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from vtac.analysis.ir.locations import location_of
from vtac.analysis.types.tensor_types import shape_of
from vtac.errors import CompileError


@dataclass(frozen=True)
class View:
    """Element i of a dimension is element offset + stride * i of the source's."""

    source: SSAValue
    offsets: tuple[int, ...]
    strides: tuple[int, ...]

    def through(self, indices: AffineMap) -> AffineMap:
        """Indices of the slice as indices of its source."""
        moved: list[AffineExpr] = []
        for index, offset, stride in zip(indices.results, self.offsets, self.strides, strict=True):
            scaled = index * stride if stride != 1 else index
            moved.append(scaled + offset if offset else scaled)
        return AffineMap(indices.num_dims, indices.num_symbols, tuple(moved))


def view_of(op: tensor.ExtractSliceOp) -> View:
    """A slice of static offsets, sizes and strides, of its source's rank. Raises `CompileError` for another."""
    offsets, strides = op.static_offsets.get_values(), op.static_strides.get_values()
    sizes, shape = op.static_sizes.get_values(), shape_of(op.source)
    if op.offsets or op.sizes or op.strides or tuple(sizes) != shape_of(op.result):
        raise CompileError(
            "tensor.extract_slice: constant offsets, sizes and strides, and a result of these sizes, are required",
            location_of(op),
        )
    for dim, (offset, size, stride) in enumerate(zip(offsets, sizes, strides, strict=True)):
        if offset < 0 or stride < 1 or offset + (size - 1) * stride >= shape[dim]:
            raise CompileError(
                f"tensor.extract_slice: dimension {dim} takes {size} elements from {offset} in steps of {stride}; "
                f"the source has {shape[dim]}",
                location_of(op),
            )
    return View(op.source, tuple(offsets), tuple(strides))
