"""How the blocks of a kernel depend on a dynamic size, and whether anything else of it does."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from xdsl.dialects import arith, gpu, memref, scf, vector
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import IntegerAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineConstantExpr, AffineExpr

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.dynamic_sizes import row_of
from vtac.analysis.kernels.gpu_indices import Access, own_accesses
from vtac.analysis.kernels.kernel_values import KernelValues
from vtac.analysis.kernels.stand_ins import prime_of
from vtac.analysis.nests.nest import buffer_name, shape_of
from vtac.dialects.mma import LoadPairOp, StorePairOp
from vtac.dialects.tma import Boxes, LoadOp
from vtac.dialects.wmma.declared import GRID
from vtac.errors import CompileError

_SAMPLES = 509
"""Blocks that are compared with the rule, besides the first ones; no multiple of a tile."""


class NumberOfSizeError(CompileError):
    """A number in a kernel may come from what stands for its size, or be a multiple of its prime by chance."""


@dataclass(frozen=True)
class GridRule:
    """times * ceil(n * row / step) blocks in one dimension of the grid, for a size n."""

    dimension: int
    times: int
    row: int
    step: int


def dynamic_arguments(kernel: FuncOp, size: int) -> dict[SSAValue, int]:
    """The arguments of a dynamic size, and how many elements each has for one index of the dynamic dimension."""
    rows = {argument: row_of(shape_of(argument), size) for argument in kernel.body.block.args}
    return {argument: row for argument, row in rows.items() if row is not None}


def grid_rule(kernel: FuncOp, size: int) -> GridRule:
    """The rule of a kernel's grid, from where its blocks write. Raises `CompileError` where there is none."""
    grid = GRID.get(kernel) or (1, 1, 1)
    dimensions = [at for at, extent in enumerate(grid) if extent % prime_of(size) == 0]
    rows = dynamic_arguments(kernel, size)
    stores = [access for access in _global_accesses(kernel) if access.writes and access.buffer in rows]
    if len(dimensions) != 1 or not stores:
        raise _no_rule(kernel, "its blocks do not follow one after the other along it")
    (dimension,) = dimensions
    found = {_rule_of(kernel, access, dimension, grid[dimension], rows[access.buffer]) for access in stores}
    if len(found) != 1:
        raise _no_rule(kernel, "its results depend on it in different ways")
    return found.pop()


def _rule_of(kernel: FuncOp, access: Access, dimension: int, extent: int, row: int) -> GridRule:
    values = KernelValues(kernel)
    place = values.expression(access.place)
    names = [
        op.result
        for op in kernel.body.block.ops
        if isinstance(op, gpu.BlockIdOp) and str(op.dimension.data.value) == "xyz"[dimension]
    ]
    if place is None or len(names) != 1:
        raise _no_rule(kernel, "where it writes is not known")
    others: dict[Hashable, Linear] = {variable: Linear(0) for variable in place.variables() if variable is not names[0]}
    alone = place.substitute(others, values.extents)

    def first(block: int) -> int:
        return alone.substitute({names[0]: Linear(block)}, values.extents).constant

    times = next((block for block in range(1, extent) if first(block) != first(0)), extent)
    step = first(times) - first(0)
    sampled = [*range(min(extent, 64)), *range(0, extent, max(1, extent // _SAMPLES)), extent - 1]
    start = first(0)  # the second of two accesses of a tile begins some rows further down
    if not 0 <= start < step or any(first(block) != start + block // times * step for block in sampled):
        raise _no_rule(kernel, "its blocks do not follow one after the other along it")
    return GridRule(dimension, times, row, step)


def _global_accesses(kernel: FuncOp) -> Iterator[Access]:
    arguments = set(kernel.body.block.args)
    for op in kernel.walk():
        yield from (access for access in own_accesses(op) if access.buffer in arguments)


def check_independent(kernel: FuncOp, size: int) -> None:
    """Raises `CompileError` where a number in a kernel comes from the stand-in, and for accesses by fragments.

    Of numbers it is a `NumberOfSizeError`, which says what the number is for.
    """
    prime, rows = prime_of(size), dynamic_arguments(kernel, size)
    for op in kernel.walk():
        number = next((number for number in _numbers(op) if number and number % prime == 0), None)
        if number is not None:
            refusal = _no_rule(kernel, f"{_purpose(op)} depends on it, with {number} where {size} stands for it", op)
            raise NumberOfSizeError(refusal.message, location_of(op) or location_of(kernel))
        if isinstance(op, LoadOp) and any(number % prime == 0 for number in _fixed(op.boxes.data)):
            raise _no_rule(
                kernel, f"the boxes of '{buffer_name(op.source)}' depend on it beside their outermost extent", op
            )
        for access in own_accesses(op):
            kinds = (memref.LoadOp, memref.StoreOp, vector.LoadOp, vector.StoreOp, LoadPairOp, StorePairOp)
            if access.buffer in rows and not isinstance(op, kinds) and op.name != "wmma.async_copy":
                raise _no_rule(kernel, f"whole tiles of '{buffer_name(access.buffer)}' are moved at once", op)


def _fixed(boxes: Boxes) -> Iterator[int]:
    """The numbers of boxes that no launch changes: all but the outermost extent of their array, and zeros."""
    corners = () if boxes.corners is None else (*boxes.corners.lower, *boxes.corners.upper)
    yield from filter(None, (*boxes.box, *boxes.extents[:-1], *boxes.strides, *boxes.steps, *corners))


def _purpose(op: Operation) -> str:
    """What a number of an operation is for: the first access, condition or loop that it goes into."""
    seen, ahead = {op}, [op]
    for one in ahead:
        for access in own_accesses(one):
            return f"the index at which '{buffer_name(access.buffer)}' is {'written' if access.writes else 'read'}"
        if isinstance(one, scf.IfOp | arith.CmpiOp):
            return "a condition"
        if isinstance(one, scf.ForOp):
            return f"the range of loop '{one.body.block.args[0].name_hint or 'i'}'"
        users = [use.operation for result in one.results for use in result.uses]
        ahead += [user for user in dict.fromkeys(users) if user not in seen]
        seen.update(users)
    return f"what {op.name} computes"


def _numbers(op: Operation) -> Iterator[int]:
    if isinstance(op, ApplyOp):
        yield from _constants(op.map.data.results[0])
    elif isinstance(op, arith.ConstantOp) and isinstance(op.value, IntegerAttr):
        yield op.value.value.data


def _constants(expr: AffineExpr) -> Iterator[int]:
    if isinstance(expr, AffineConstantExpr):
        yield expr.value
    for part in (getattr(expr, "lhs", None), getattr(expr, "rhs", None)):
        if isinstance(part, AffineExpr):
            yield from _constants(part)


def _no_rule(kernel: FuncOp, why: str, op: Operation | None = None) -> CompileError:
    return CompileError(
        f"kernel '{kernel.sym_name.data}' cannot have a dynamic size: {why}; give the dimension an extent",
        location_of(op or kernel),
    )
