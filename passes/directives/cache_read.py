"""cache_read: let a block read a copy of its input in another scope.

before: b reads a                         after cache_read(b, 0, "vta.wgt"): a_vta_wgt = copy of a
                                                                            b reads a_vta_wgt
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.rewriter import InsertPoint

from vtac.analysis.expressions.affine_expressions import from_affine
from vtac.analysis.expressions.linear import Linear
from vtac.analysis.nests.accesses import shared_guards
from vtac.analysis.nests.nest import buffer_name, child_holding, shape_of, writers_of
from vtac.analysis.nests.regions import Interval, region_of, touched_region
from vtac.dialects.schedule.attributes import AccessAttr
from vtac.dialects.schedule.block_directives import CacheReadOp
from vtac.dialects.schedule.payload import BlockOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, refusal
from vtac.rewriting.block_edits import replace_access
from vtac.rewriting.nests import allocate_like, copy_block, regenerate


@rewrites(CacheReadOp)
def cache_read(op: CacheReadOp, handles: Handles) -> None:
    """Insert a copy of input `index` before the nest of a block.

    The copy's block and buffer are named after the buffer and the scope. A padded read
    hands its padding to the copy, which then holds the padded region. With `gather`, a
    dimension read as `s * i + c` over one iteration variable holds those indices only.

    requires: an input of that index; one that this block does not also write.
    ensures:  the block reads the copy, every other block the buffer as before; no value changes.
    refused:  an input that another block of the nest writes, for `gather`; `gather` where no dimension is read in
              steps.
    """
    block = handles.block(op.block, op)
    index = op.index.value.data
    if not 0 <= index < len(block.inputs):
        names = ", ".join(buffer_name(value) for value in block.inputs)
        raise refusal(op, f"block '{block.block_name}' has no input {index}", f"its inputs are {names}, from 0")
    source = block.inputs[index]
    if source is block.output:
        raise refusal(op, f"block '{block.block_name}' also writes '{buffer_name(source)}'", "cache another input")
    body, before = _place(block, source, handles.function.body.block)
    access = block.accesses.data[index]
    low, shape = _window(block, index, handles.function.body.block)
    steps = [1] * len(shape)
    if op.gather is not None:
        steps, low, shape = _gathered(op, block, index, (low, shape), body is handles.function.body.block)
    name = f"{buffer_name(source)}_{op.scope.data.replace('.', '_')}"
    buffer = allocate_like(source, shape, op.scope.data, handles.unique_buffer_name(name), handles.function.body.block)
    reading = AccessAttr.get(_stepped_identity(low, steps), access.pad_value)
    writing = AccessAttr.get(AffineMap.identity(len(shape)))
    copy = copy_block(handles.unique_block_name(name), source, reading, buffer, writing, shape)
    copy.location = op.location
    if body is handles.function.body.block:
        shifted = access.pad_value is not None or op.gather is not None
        copied = [None] * len(low) if shifted else region_of(source, [(block, index)], body)
    else:
        copied = _copied_inside(block, index, low, body)
    regenerate(copy, InsertPoint.before(before), copied, shared_guards([block], body))
    moved = tuple(
        _read_index(expr, block, start, step)
        for expr, start, step in zip(access.indices.results, low, steps, strict=True)
    )
    replace_access(block, index, buffer, AccessAttr.get(AffineMap(access.indices.num_dims, 0, moved)))
    handles.define_block(op.copy, copy)


def _place(block: BlockOp, source: SSAValue, root: Block) -> tuple[Block, Operation]:
    """The innermost body where the source is complete before the block's nest."""
    body = root
    while True:
        child = child_holding(body, block)
        if child is None or child is block:
            break
        inside = [writer for writer in writers_of(source) if child_holding(body, writer) is child]
        if not inside:
            break
        body = child.regions[0].block
    child = child_holding(body, block)
    if child is None:
        raise ValueError("the block stands outside the function")
    return body, child


def _window(block: BlockOp, index: int, root: Block) -> tuple[list[int], list[int]]:
    """First index and extent per dimension: the whole buffer, or the padded region read."""
    shape = shape_of(block.inputs[index])
    if block.accesses.data[index].pad_value is None:
        return [0] * len(shape), list(shape)
    region = touched_region(block, index, root)
    return [interval.base.constant for interval in region], [interval.extent for interval in region]


def _copied_inside(block: BlockOp, index: int, low: Sequence[int], body: Block) -> list[Interval]:
    """What the block reads in one iteration of the loops around `body`, as indices of the copy."""
    region = touched_region(block, index, body)
    return [Interval(interval.base - start, interval.extent) for interval, start in zip(region, low, strict=True)]


def _gathered(
    op: CacheReadOp, block: BlockOp, index: int, window: tuple[list[int], list[int]], at_root: bool
) -> tuple[list[int], list[int], list[int]]:
    """Step, first index and extent per dimension, without the indices between the steps."""
    if not at_root:
        raise refusal(op, f"input {index} of block '{block.block_name}' is written in its nest", "cache it ungathered")
    low, shape = window
    steps = [1] * len(low)
    for dimension, expr in enumerate(block.accesses.data[index].indices.results):
        found = _stepped(expr, block)
        if found is not None:
            variable, step, start = found
            count = block.variables[variable].extent
            first = 0
            if block.accesses.data[index].pad_value is None:  # guards keep the rest of the steps inside
                first = max(0, -(start // step))
                count = min(count, (shape[dimension] - 1 - start) // step + 1) - first
            if count > 0:
                steps[dimension], low[dimension], shape[dimension] = step, start + first * step, count
            else:  # every step lies in padding around the data: nothing is read, any one index will do
                steps[dimension], low[dimension], shape[dimension] = step, 0, 1
    if max(steps) == 1:
        raise refusal(
            op,
            f"block '{block.block_name}' reads no dimension of input {index} in steps of one iteration variable",
            "drop gather",
        )
    return steps, low, shape


def _stepped(expr: AffineExpr, block: BlockOp) -> tuple[int, int, int] | None:
    """(v, s, c) when an index is s * v + c with s > 1 over one iteration variable that moves."""
    variables = [Linear(0) if one.extent == 1 else Linear.variable(v) for v, one in enumerate(block.variables)]
    extents: dict[Hashable, int] = {v: one.extent for v, one in enumerate(block.variables)}
    index = from_affine(expr, variables, [], extents)
    if len(index.terms) != 1:
        return None
    ((variable, step),) = index.terms.items()
    return (variable, step, index.constant) if isinstance(variable, int) and step > 1 else None


def _read_index(expr: AffineExpr, block: BlockOp, start: int, step: int) -> AffineExpr:
    found = _stepped(expr, block) if step > 1 else None
    if found is not None:
        variable, _, own_start = found
        first = (start - own_start) // step
        return AffineExpr.dimension(variable) - first if first else AffineExpr.dimension(variable)
    return expr - start if start else expr


def _stepped_identity(low: Sequence[int], steps: Sequence[int]) -> AffineMap:
    results: list[AffineExpr] = []
    for dimension, (start, step) in enumerate(zip(low, steps, strict=True)):
        index = AffineExpr.dimension(dimension) * step if step > 1 else AffineExpr.dimension(dimension)
        results.append(index + start if start else index)
    return AffineMap(len(low), 0, tuple(results))
