"""Which products have so few tiles and so long sums that these are better taken in parts: by the roofs of the chip."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod

from xdsl.dialects import tensor
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation

from vtac.analysis.operations.contraction import match_product
from vtac.analysis.operations.structured_view import StructuredView, structured_view
from vtac.analysis.operations.tensor_products import tensor_operand
from vtac.analysis.tensor_cores.product_splits import depth_to_split, is_padded_beside
from vtac.dialects.gpu_hardware import ELEMENT_BYTES, SHAPES, GpuArchitecture
from vtac.dialects.gpu_roofs import gpu_roof
from vtac.dialects.wmma.declared import SPLIT
from vtac.targets.cuda.schedules.roof import choose_tiling, estimate
from vtac.targets.cuda.schedules.tiling import ProductSize
from vtac.targets.cuda.schedules.warp_loops import VECTOR_BYTES

_PARTS = (2, 3, 4, 6, 8, 12, 16)
_DEEPEST_STEP = 64
"""Elements of a part are a multiple of so many, so that steps of every depth fit."""
_LONG = 1024
"""Sums of fewer elements are taken as they are."""
_GAIN = 0.8
"""Parts are taken where the time is at most this share of that without."""
_SECOND_KERNEL = 4000
"""Cycles from the end of one kernel to the first work of the next."""


def splits(function: FuncOp, architecture: GpuArchitecture | None) -> dict[Operation, int]:
    """The products of a function whose sums are taken in parts, and how many."""
    found: dict[Operation, int] = {}
    for op in function.body.block.ops:
        view = structured_view(op)
        if isinstance(view, str) or SPLIT.is_on(op):
            continue
        size = _size(view)
        parts = 1 if size is None else best_parts(size, architecture, partial(_allows, op, view))
        if parts > 1:
            found[op] = parts
    return found


def _allows(op: Operation, view: StructuredView[int], parts: int) -> bool:
    """Whether a product can be taken in so many parts, with no operand stored for it."""
    depth = depth_to_split(op, parts)
    return isinstance(depth, int) and not _is_padded_along(op, view, depth)


def _is_padded_along(op: Operation, view: StructuredView[int], depth: int) -> bool:
    """Whether an operand is padded in the dimension that is split, so that the padding would have to be stored."""
    pads = [operand.owner for operand in op.operands]
    return any(
        isinstance(pad, tensor.PadOp) and not is_padded_beside(pad, operand.plain.index(depth))
        for pad, operand in zip(pads, view.inputs, strict=False)
    )


def best_parts(
    size: ProductSize, architecture: GpuArchitecture | None, allows: Callable[[int], bool] = lambda _: True
) -> int:
    """The parts of least estimated time, of those that are allowed; 1 where that is not clearly less than without."""
    m, n, k = size.sizes
    roof = gpu_roof(architecture)
    rows, columns, _ = choose_tiling(size, architecture).block
    tiles = size.products * -(-m // rows) * -(-n // columns)
    if k < _LONG or tiles > roof.multiprocessors // 2:
        return 1
    fitting = [parts for parts in _PARTS if k % (parts * _DEEPEST_STEP) == 0 and allows(parts)]
    times = {1: _cycles(size, architecture) * _GAIN}
    for parts in fitting:
        split = ProductSize((m, n, k // parts), size.fragment, size.element_bytes, size.lanes, size.products * parts)
        moved = 2 * 4 * (parts + 1) * size.products * m * n / (roof.l2_bytes * roof.multiprocessors)
        times[parts] = _cycles(split, architecture) + moved + _SECOND_KERNEL
    return min(times, key=lambda parts: times[parts])


def _cycles(size: ProductSize, architecture: GpuArchitecture | None) -> float:
    return estimate(choose_tiling(size, architecture), size, architecture).cycles


def _size(view: StructuredView[int]) -> ProductSize | None:
    """The size of a product whose sums are wider than its operands; None for anything else."""
    operand, product = tensor_operand(view), match_product(view)
    if operand is None or isinstance(product, str):
        return None
    groups = (product.rows, product.columns, product.depth)
    m, n, k = (prod(view.extent(variable) for variable in group) for group in groups)
    width = ELEMENT_BYTES[operand]
    lanes = VECTOR_BYTES // width if k % (VECTOR_BYTES // width) == 0 == n % (VECTOR_BYTES // width) else 1
    products = prod(view.extent(variable) for variable in product.batch)
    return ProductSize((m, n, k), SHAPES[operand][0], width, (lanes, lanes), products)
