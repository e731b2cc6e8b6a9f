"""cache_write: let a block write a buffer of another scope, copied out afterwards.

before: b writes c                        after cache_write(b, 0, "vta.acc"): b writes c_vta_acc
                                                                             c = copy of c_vta_acc
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.ir import Block, Operation
from xdsl.ir.affine import AffineMap
from xdsl.rewriter import InsertPoint

from vtac.analysis.nests.nest import (
    buffer_name,
    child_holding,
    extents_around,
    precedes,
    readers_of,
    shape_of,
    writers_of,
)
from vtac.analysis.nests.regions import (
    Interval,
    covers_its_region,
    is_guarded_by_domain,
    output_dimensions,
    region_of,
)
from vtac.analysis.nests.updates import runs_over_its_domain
from vtac.dialects.schedule.attributes import AccessAttr
from vtac.dialects.schedule.block_directives import CacheWriteOp
from vtac.dialects.schedule.payload import BlockOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, refusal
from vtac.rewriting.block_edits import replace_access
from vtac.rewriting.nests import allocate_like, copy_block, regenerate


@rewrites(CacheWriteOp)
def cache_write(op: CacheWriteOp, handles: Handles) -> None:
    """Insert a copy from a new buffer after the nest of a block.

    requires: index 0 (a block has one output); a buffer that only this block writes, whole
              or a box without gaps, and that nothing in its nest reads.
    ensures:  the copying block writes what the block wrote before, where it wrote it; no value changes.
    refused:  a buffer with several writers, a block that goes on from what the buffer holds, and one that writes with
              gaps, which a copy would overwrite.
    """
    block = handles.block(op.block, op)
    if op.index.value.data != 0:
        raise refusal(
            op, f"output {op.index.value.data} of block '{block.block_name}'", "a block has one output, index 0"
        )
    target = block.output
    if writers_of(target) != [block]:
        raise refusal(op, f"'{buffer_name(target)}' is written by several blocks", "use it before decompose_reduction")
    if (block.has_reduction and block.init is None) or any(value is target for value in block.inputs):
        raise refusal(
            op, f"block '{block.block_name}' continues from what '{buffer_name(target)}' holds", "give it an init"
        )
    root = handles.function.body.block
    nest: Operation | None = child_holding(root, block)
    if nest is None:
        raise ValueError("the block stands outside the function")
    early = [reader for reader in readers_of(target) if not precedes(nest, reader)]
    if early:
        raise refusal(
            op,
            f"block '{early[0].block_name}' reads '{buffer_name(target)}' in the nest that writes it, before the copy",
            "use cache_write before compute_at",
        )
    written = _written(op, block, root)
    shape = shape_of(target)
    name = f"{buffer_name(target)}_{op.scope.data.replace('.', '_')}"
    buffer = allocate_like(target, shape, op.scope.data, handles.unique_buffer_name(name), root)
    access = AccessAttr.get(AffineMap.identity(len(shape)))
    copy: BlockOp = copy_block(handles.unique_block_name(name), buffer, access, target, access, shape)
    replace_access(block, len(block.inputs), buffer, block.output_access)
    copy.location = op.location
    regenerate(copy, InsertPoint.after(nest), written)
    handles.define_block(op.copy, copy)


def _written(op: CacheWriteOp, block: BlockOp, root: Block) -> Sequence[Interval | None]:
    """What the block writes of each dimension; None for all of it."""
    shape = shape_of(block.output)
    if covers_its_region(block, len(block.inputs), root):
        region = region_of(block.output, [(block, len(block.inputs))], root)
        return [None if part.extent == whole else part for part, whole in zip(region, shape, strict=True)]
    places = output_dimensions(block)
    extents = {dimension: block.variables[variable].extent for variable, dimension in (places or {}).items()}
    partial = not (
        runs_over_its_domain(block) and is_guarded_by_domain(block, len(block.inputs), extents_around(block))
    )
    if partial or places is None or any(extents.get(dimension, 1) != extent for dimension, extent in enumerate(shape)):
        raise refusal(
            op,
            f"block '{block.block_name}' writes '{buffer_name(block.output)}' with gaps, which a copy would overwrite",
            "use cache_write before fuse and split with guard, on a block that writes a box",
        )
    return [None] * len(shape)
