"""compute_inline: replace reads of a block's output by the block's body.

before: for x: p(x) = f(a(x))             after compute_inline(p): for y: c(y) = g(f(a(y)))
        for y: c(y) = g(p(y))
"""

from __future__ import annotations

from xdsl.dialects.builtin import ArrayAttr
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap
from xdsl.rewriter import InsertPoint, Rewriter

from vtac.analysis.nests.accesses import indices_of
from vtac.analysis.nests.bodies import is_copy
from vtac.analysis.nests.nest import buffer_name, extents_around, readers_of, shape_of, writers_of
from vtac.analysis.nests.regions import output_dimensions
from vtac.dialects.schedule.attributes import AccessAttr
from vtac.dialects.schedule.block_directives import ComputeInlineOp
from vtac.dialects.schedule.payload import BlockOp
from vtac.dialects.segments import SEGMENTS, segments
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.compute_at import check_inputs_kept
from vtac.passes.directives.handles import Handles, refusal
from vtac.rewriting.edits import discard, erase, take_from_nest


@rewrites(ComputeInlineOp)
def compute_inline(op: ComputeInlineOp, handles: Handles) -> None:
    """Inline a block without reduction into every reader, and drop it with its buffer.

    requires: no reduction; a buffer of its own, written once by plain indices and read by
              some block; nothing it reads is overwritten before the readers; a reader with
              padding takes copies that keep the dimensions it may leave.
    ensures:  readers compute each element where they read it; the block and its buffer are gone.
    refused:  results of the function, blocks under a guard, and buffers that are read or written in place.
    """
    block = handles.block(op.block, op)
    places = _check(op, block)
    buffer = block.output
    for reader in readers_of(buffer):
        while (position := _reading_position(reader, buffer)) is not None:
            _inline_read(reader, position, block, places)
    take_from_nest(block)
    discard(block)
    if isinstance(buffer.owner, Operation):
        erase(buffer.owner)


def _check(op: ComputeInlineOp, block: BlockOp) -> dict[int, int]:
    name = f"block '{block.block_name}'"
    if block.has_reduction:
        raise refusal(op, f"{name} reduces", "only blocks without reduction can be inlined")
    buffer = block.output
    readers = readers_of(buffer)
    if not isinstance(buffer.owner, Operation) or not readers:
        raise refusal(
            op, f"{name} writes the result '{buffer_name(buffer)}'", "only intermediate blocks can be inlined"
        )
    if block in readers or writers_of(buffer) != [block]:
        raise refusal(op, f"'{buffer_name(buffer)}' is also read or written in place", "inline blocks with one writer")
    places = output_dimensions(block)
    if block.guard is not None:
        raise refusal(op, f"{name} runs under a guard", "inline before split with guard")
    if places is None:
        raise refusal(op, f"{name} does not write its output by plain indices", "leave it in place")
    check_inputs_kept(op, block, readers)
    for reader in readers:
        if not all(_keeps_padding(block, reader, i) for i, value in enumerate(reader.inputs) if value is buffer):
            raise refusal(
                op,
                f"block '{reader.block_name}' reads '{buffer_name(buffer)}' with padding, and {name} computes or pads",
                "inline the padded block first",
            )
    return places


def _keeps_padding(block: BlockOp, reader: BlockOp, position: int) -> bool:
    """Whether what a reader finds in the padding stays the same without the buffer between.

    Along each dimension that the reader may leave, the block must copy a dimension of the same
    extent index by index: then the one is left where the other is.
    """
    read = reader.accesses.data[position]
    if read.pad_value is None:
        return True
    own = block.accesses.data[0] if is_copy(block) else None
    if own is None or own.pad_value not in (None, read.pad_value):
        return False
    written = block.output_access.indices.results
    source = shape_of(block.inputs[0])
    extents = extents_around(reader)
    shape = shape_of(block.output)
    for dimension, (index, extent) in enumerate(zip(indices_of(reader, position, extents), shape, strict=True)):
        low, high = index.bounds(extents)
        kept = any(expr == written[dimension] and source[d] == extent for d, expr in enumerate(own.indices.results))
        if (low < 0 or high >= extent) and not kept:
            return False
    return True


def _reading_position(reader: BlockOp, buffer: SSAValue) -> int | None:
    for position, value in enumerate(reader.inputs):
        if value is buffer:
            return position
    return None


def _inline_read(reader: BlockOp, position: int, block: BlockOp, places: dict[int, int]) -> None:
    """Replace one read by the reads and the body of the inlined block."""
    read = reader.accesses.data[position]
    variables = [AffineExpr.constant(0)] * len(block.variables)
    for variable, dimension in places.items():
        variables[variable] = read.indices.results[dimension]
    added: list[AccessAttr] = []
    for access in block.accesses.data[:-1]:
        indices = tuple(
            expr.replace_dims_and_symbols(variables, [])
            if not isinstance(expr, AffineDimExpr)
            else variables[expr.position]
            for expr in access.indices.results
        )
        pad = access.pad_value if access.pad_value is not None else read.pad_value
        added.append(AccessAttr.get(AffineMap(read.indices.num_dims, 0, indices), pad))
    _splice_body(reader, position, block)
    loops, inputs = list(reader.loops), list(reader.inputs)
    accesses = list(reader.accesses.data)
    inputs[position : position + 1] = block.inputs
    accesses[position : position + 1] = added
    reader.operands = [*loops, *inputs, reader.output]
    reader.properties[SEGMENTS] = segments(len(loops), len(inputs), 1)
    reader.accesses = ArrayAttr(accesses)


def _splice_body(reader: BlockOp, position: int, block: BlockOp) -> None:
    target = reader.body.block
    mapping: dict[SSAValue, SSAValue] = {}
    for offset, argument in enumerate(block.body.block.args):
        fresh = target.insert_arg(argument.type, position + 1 + offset)
        fresh.name_hint = argument.name_hint
        mapping[argument] = fresh
    last = block.body.block.last_op
    clones = [inner.clone(mapping) for inner in block.body.block.ops if inner is not last]
    Rewriter.insert_op(clones, InsertPoint.at_start(target))
    replaced = target.args[position]
    replaced.replace_all_uses_with(mapping[block.yielded])
    target.erase_arg(replaced)
