"""implicit_gemm: compute a contraction as one matrix product, in whole tiles.

before: out(n, f, y, x) += data(n, c, y + r, x + s) * kernel(f, c, r, s)
after:  a(m, k) = data at m = (n, y, x), k = (c, r, s), 0 beyond
        b(k, j) = kernel at k = (c, r, s), j = f, 0 beyond
        c(m, j) += a(m, k) * b(k, j)
        out(n, f, y, x) = c((n, y, x), f)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod
from operator import add
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import ArrayAttr, FloatAttr, IntegerAttr, IntegerType
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.rewriter import InsertPoint, Rewriter

from vtac.analysis.nests.nest import (
    buffer_name,
    child_holding,
    element_type_of,
    enclosing_loops,
    precedes,
    shape_of,
    writers_of,
)
from vtac.analysis.nests.regions import plain_dimension
from vtac.analysis.nests.updates import starts_afresh
from vtac.analysis.operations.contraction import Contraction, match_product
from vtac.analysis.operations.structured_view import block_view
from vtac.dialects.schedule.attributes import AccessAttr, IterationAttr, IterationVariable, Number
from vtac.dialects.schedule.gpu_directives import ImplicitGemmOp
from vtac.dialects.schedule.payload import BlockOp
from vtac.dialects.segments import SEGMENTS, segments
from vtac.limits import shown
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.fuse_variables import is_in_its_own_nest
from vtac.passes.directives.handles import Handles, refusal
from vtac.passes.directives.product_variables import ProductVariables, leaving_first, product_variables
from vtac.rewriting.block_edits import replace_access
from vtac.rewriting.nests import allocate_like, copy_block, regenerate

_A, _B, _C = (-3, -1), (-1, -2), (-3, -2)
"""Which of the last three variables of a product index its operands and itself."""
_MOST = (1 << 31) - 1


@rewrites(ImplicitGemmOp)
def implicit_gemm(op: ImplicitGemmOp, handles: Handles) -> None:
    """Copy both operands into matrices that are multiples of `tile` = [m, n, k], and multiply those.

    What is spatial in the second operand only becomes a column, what is spatial in both an index of products
    (a first dimension of all matrices, where there is more than one), other spatial variables rows, in the order of
    the output's dimensions, or in `order`. Copies are zero outside of the operands. The
    block keeps its name and works on the matrices; results are the blocks that copy the
    first operand, the second, and the product to where it belongs.
    A contraction that goes on from what one block wrote to its output starts from zero, and
    the last of these blocks adds what that block writes, to a buffer of its own then.

    requires: a multiply-accumulate in a nest of its own, over a buffer that at most one other
              block writes, elementwise; a whole number of k tiles, or a reduction variable
              whose range ends where a dimension of both operands does, or behind.
    ensures:  the output holds what it held; incomplete tiles add products of zeros.
    refused:  padding of other numbers than zero where tiles are incomplete, dimensions of the output that no
              single variable walks, and an order of other variables than the block has.
    """
    block = handles.block(op.block, op)
    contraction = _match(op, block)
    matrix = product_variables(op, contraction)
    sizes, padded = _sizes(op, block, matrix)
    if sizes[2] != padded[2]:
        matrix = leaving_first(op, contraction, matrix, padded[2])
    root = handles.function.body.block
    nest = child_holding(root, block)
    if nest is None:
        raise ValueError("the block stands outside the function")
    sources, target = list(block.inputs), block.output
    names = [handles.unique_buffer_name(f"{block.block_name}_{part}") for part in "abc"]
    count = prod(block.variables[v].extent for v in matrix.batch)
    several = (count,) if matrix.batch else ()
    shapes = [(*several, *shape) for shape in ((padded[0], padded[2]), (padded[2], padded[1]), (padded[0], padded[1]))]
    likes = [*sources, target]
    buffers = [
        allocate_like(like, shape, "global", name, root) for like, shape, name in zip(likes, shapes, names, strict=True)
    ]
    filled = sizes != padded
    for position, handle in enumerate((op.a, op.b)):
        groups = (matrix.rows, matrix.depth) if position == 0 else (matrix.depth, matrix.columns)
        groups = (matrix.batch, *groups) if matrix.batch else groups
        access = _read(op, block, position, groups, filled=filled)
        copy = _copy(handles, names[position], (sources[position], access), buffers[position], nest)
        handles.define_block(handle, copy)
    start = None if block.init is not None else _part_start(handles, block)
    store = _store(handles, block, matrix, buffers[2], target, start)
    regenerate(store, InsertPoint.after(nest), [None] * len(store.variables))
    after = InsertPoint.before([*enclosing_loops(store), store][0])
    block.domain = IterationAttr(
        (*map(IterationVariable, several), *(IterationVariable(size, at == 2) for at, size in enumerate(padded)))
    )
    block.operands = [*block.loops, *buffers]
    block.accesses = ArrayAttr([_matrix_access(places, len(block.variables)) for places in (_A, _B, _C)])
    regenerate(block, after, [None] * len(block.variables))
    handles.define_block(op.store, store)


def _sizes(op: ImplicitGemmOp, block: BlockOp, matrix: ProductVariables) -> tuple[list[int], list[int]]:
    """Rows, columns and depth of the product, and of its matrices: multiples of the tile. Refuses too many."""
    tile = [int(size) for size in op.tile.get_values()]
    sizes = [prod(block.variables[v].extent for v in group) for group in (matrix.rows, matrix.columns, matrix.depth)]
    padded = [-(-size // part) * part for size, part in zip(sizes, tile, strict=True)]
    if max(padded) > _MOST:
        found = f"tiles of {'x'.join(map(str, tile))} make a loop of {shown(max(padded))} iterations; 32-bit loop "
        raise refusal(op, f"{found}variables of a kernel count to {_MOST:,}", "choose smaller tiles")
    return sizes, padded


def _matrix_access(places: tuple[int, int], count: int) -> AccessAttr:
    """How a product of so many variables, the first of four the number of the product, indexes one of its matrices."""
    first = [AffineExpr.dimension(0)] if count > 3 else []
    return AccessAttr.get(AffineMap(count, 0, (*first, *(AffineExpr.dimension(count + place) for place in places))))


def _match(op: ImplicitGemmOp, block: BlockOp) -> Contraction[int]:
    """The contraction that the block is, alone in its nest and on its output but for what it starts from."""
    name = f"block '{block.block_name}'"
    contraction = match_product(block_view(block), narrow=True)
    if isinstance(contraction, str):
        raise refusal(op, f"{name} is no contraction: {contraction}", "choose a block that multiplies and adds up")
    if not is_in_its_own_nest(block):
        raise refusal(
            op, f"{name} does not stand in its own nest as it was", "use implicit_gemm before other directives"
        )
    others = [writer for writer in writers_of(block.output) if writer is not block]
    starts = len(others) == 1 and starts_afresh(others[0]) and not others[0].has_reduction
    if others and (block.init is not None or not starts or not precedes(others[0], block)):
        names = ", ".join(f"'{other.block_name}'" for other in others)
        raise refusal(
            op,
            f"'{buffer_name(block.output)}', which {name} writes, is also written by {names}",
            "start from a constant, or from one elementwise block",
        )
    if block.init is None and not others:
        raise refusal(
            op, f"{name} goes on from what '{buffer_name(block.output)}' holds", "start from a constant, and add later"
        )
    return contraction


def _read(
    op: ImplicitGemmOp, block: BlockOp, position: int, groups: Sequence[Sequence[int]], *, filled: bool
) -> AccessAttr:
    """Where number, if there are several, row and column of a matrix lie in the operand that it is a copy of."""
    values = [AffineExpr.constant(0)] * len(block.variables)
    for at, group in enumerate(groups):
        inner = 1
        for variable in reversed(group):
            extent, index = block.variables[variable].extent, AffineExpr.dimension(at)
            if inner > 1:
                index = index // inner
            inner *= extent
            values[variable] = index if variable == group[0] else index % extent
    access = block.accesses.data[position]
    pad = access.pad_value
    if pad is not None and pad.value.data != 0 and filled:
        raise refusal(
            op,
            f"'{buffer_name(block.inputs[position])}' is padded with {pad.value.data}, and incomplete tiles with zeros",
            "choose tiles that divide, or copy the padded operand first",
        )
    pad = _zero_of(block.inputs[position]) if filled and pad is None else pad
    indices = tuple(expr.replace_dims_and_symbols(values, []) for expr in access.indices.results)
    return AccessAttr.get(AffineMap(len(groups), 0, indices), pad)


def _zero_of(buffer: SSAValue) -> Number:
    element = element_type_of(buffer)
    if isinstance(element, IntegerType):
        return IntegerAttr(0, element)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return FloatAttr(0.0, element)  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownVariableType]


def _copy(
    handles: Handles, name: str, source: tuple[SSAValue, AccessAttr], target: SSAValue, before: Operation
) -> BlockOp:
    shape = shape_of(target)
    whole = AccessAttr.get(AffineMap.identity(len(shape)))
    copy = copy_block(handles.unique_block_name(name), source[0], source[1], target, whole, shape)
    copy.location = before.location
    regenerate(copy, InsertPoint.before(before), [None] * len(shape))
    return copy


def _part_start(handles: Handles, block: BlockOp) -> SSAValue:
    """Let a contraction start from zero; the buffer of its own that holds what it went on from."""
    writer = next(writer for writer in writers_of(block.output) if writer is not block)
    name = handles.unique_buffer_name(f"{block.block_name}_start")
    start = allocate_like(block.output, shape_of(block.output), "global", name, handles.function.body.block)
    replace_access(writer, len(writer.inputs), start, writer.output_access)
    block.init = _zero_of(start)
    return start


def _store(
    handles: Handles,
    block: BlockOp,
    matrix: ProductVariables,
    product: SSAValue,
    target: SSAValue,
    start: SSAValue | None,
) -> BlockOp:
    """The block that copies the product to where it belongs, and adds what it starts from."""
    dimension = {plain_dimension(expr): at for at, expr in enumerate(block.output_access.indices.results)}
    shape = shape_of(target)
    places: list[AffineExpr] = []
    for group in (*([matrix.batch] if matrix.batch else []), matrix.rows, matrix.columns):
        inner, parts = 1, list[AffineExpr]()
        for variable in reversed(group):
            own = AffineExpr.dimension(dimension[variable])
            parts.insert(0, own * inner if inner > 1 else own)
            inner *= block.variables[variable].extent
        places.append(reduce(add, parts) if parts else AffineExpr.constant(0))
    reading = AccessAttr.get(AffineMap(len(shape), 0, tuple(places)))
    writing = AccessAttr.get(AffineMap.identity(len(shape)))
    name = handles.unique_block_name(f"{block.block_name}_store")
    store = copy_block(name, product, reading, target, writing, shape)
    store.location = block.location
    if start is not None:
        store.operands = [product, start, target]
        store.properties[SEGMENTS] = segments(0, 2, 1)
        store.accesses = ArrayAttr([reading, writing, writing])
        _add_argument(store)
    return store


def _add_argument(store: BlockOp) -> None:
    body = store.body.block
    value, other = body.args[0], body.insert_arg(body.args[0].type, 1)
    total = arith.AddiOp(value, other) if isinstance(value.type, IntegerType) else arith.AddfOp(value, other)
    last = cast(Operation, body.last_op)
    Rewriter.insert_op(total, InsertPoint.before(last))
    last.operands[0] = total.result
