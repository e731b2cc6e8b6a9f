"""convert-blocks-to-memory: the blocks that are left -> loads, arithmetic and stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, memref, scf, vector
from xdsl.dialects.builtin import AnyFloat, BytesAttr, DenseIntOrFPElementsAttr, ModuleOp, VectorType
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.alignment import NoVector, VectorAccess, vector_access
from vtac.analysis.nests.accesses import indices_of
from vtac.analysis.nests.bodies import is_copy
from vtac.analysis.nests.nest import (
    buffer_name,
    element_type_of,
    extents_around,
    shape_of,
    strides_of,
)
from vtac.analysis.nests.tiles import perfect_nest, strided_index
from vtac.dialects.schedule.attributes import LoopKind, Number
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.errors import CompileError
from vtac.rewriting.flat_views import flattened
from vtac.rewriting.index_values import HostValues
from vtac.rewriting.walker import rewrite_once

ELEMENT_BYTES = {"f16": 2, "bf16": 2, "f32": 4, "i8": 1, "i32": 4}
VECTOR_BYTES = 16


class ConvertVectorizedLoop(RewritePattern):
    """A loop of lanes over a copy -> one vector load and store."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ForOp, rewriter: PatternRewriter) -> None:
        if op.loop_kind is not LoopKind.VECTORIZED:
            return
        block = _copied_by_lanes(op)
        source, target = (_vector_access(block, op, position) for position in (0, 1))
        values = HostValues(extents_around(block))
        places = [values.materialise(values.value(access.offset)) for access in (source, target)]
        inside = _inside(block, 0, values, source.indices)
        kind = VectorType(element_type_of(block.output), [op.trip_count])
        load = vector.LoadOp(flattened(block.inputs[0], rewriter), [places[0]], kind)
        moved = load if inside is None else _zeros_unless(block, op, inside, load)
        store = vector.StoreOp(moved.results[0], flattened(block.output, rewriter), [places[1]])
        _replace(op, [*values.operations, moved, store], block, rewriter)


class ConvertBlock(RewritePattern):
    """A block -> a load per input, its arithmetic, and a store; a padded read chooses."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: BlockOp, rewriter: PatternRewriter) -> None:
        values, output = HostValues(extents_around(op)), len(op.inputs)
        reads = range(output + int(op.has_reduction))
        inputs = [_read(op, position, values, rewriter) for position in reads]
        mapping: dict[SSAValue, SSAValue] = dict(zip(op.body.block.args, inputs, strict=True))
        *arithmetic, _ = op.body.block.ops
        values.operations += [inner.clone(mapping) for inner in arithmetic]
        result = mapping.get(op.yielded, op.yielded)
        place = _place(op, output, values)
        values.operations.append(memref.StoreOp.get(result, flattened(op.output, rewriter), [place]))
        _replace(op, values.operations, op, rewriter)


def _replace(root: Operation, operations: Sequence[Operation], block: BlockOp, rewriter: PatternRewriter) -> None:
    for op in operations:
        op.location = block.location
    rewriter.replace(root, operations, [])


def _place(block: BlockOp, position: int, values: HostValues) -> SSAValue:
    buffer = (*block.inputs, block.output)[position]
    flat = strided_index(indices_of(block, position, values.extents), strides_of(buffer))
    return values.materialise(values.value(flat))


def _read(block: BlockOp, position: int, values: HostValues, rewriter: PatternRewriter) -> SSAValue:
    """The scalar at an access; where padding may be met, a choice."""
    buffer = flattened((*block.inputs, block.output)[position], rewriter)
    inside = _inside(block, position, values, indices_of(block, position, values.extents))
    if inside is None:
        read: Operation = memref.LoadOp.get(buffer, [_place(block, position, values)])
    else:
        read = _choice(block, position, values, buffer, inside)
    values.operations.append(read)
    return read.results[0]


def _choice(block: BlockOp, position: int, values: HostValues, buffer: SSAValue, inside: SSAValue) -> scf.IfOp:
    """What memory holds inside of the buffer, else the pad value."""
    nested = HostValues(values.extents)
    load = memref.LoadOp.get(buffer, [_place(block, position, nested)])
    pad = arith.ConstantOp(cast("Number", block.accesses.data[position].pad_value))
    return scf.IfOp(
        inside,
        [element_type_of(buffer)],
        [*nested.operations, load, scf.YieldOp(load.res)],
        [pad, scf.YieldOp(pad.result)],
    )


def _inside(block: BlockOp, position: int, values: HostValues, indices: Sequence[Linear]) -> SSAValue | None:
    """Whether all indices lie in the buffer; None when they always do, or nothing is read beyond it."""
    if block.accesses.data[position].pad_value is None:
        return None
    result: SSAValue | None = None
    for index, extent in zip(indices, shape_of(block.inputs[position]), strict=True):
        low, high = index.bounds(values.extents)
        if low < 0:
            result = values.both(result, values.at_least(values.value(index), 0))
        if high >= extent:
            result = values.both(result, values.at_least(values.value(Linear(extent - 1) - index), 0))
    return result


def _copied_by_lanes(loop: ForOp) -> BlockOp:
    """The copy under a vectorized loop. Raises `CompileError` for anything else, or more than 16 bytes."""
    nest = perfect_nest(loop)
    if nest is None or len(nest[0]) > 1:
        raise CompileError(
            f"vectorize of loop '{loop.loop_name}': it holds more than one block; vectorise an innermost loop over one",
            location_of(loop),
        )
    block, lanes = nest[1], loop.trip_count
    size = lanes * ELEMENT_BYTES.get(str(element_type_of(block.output)), 0)
    if not is_copy(block) or size > VECTOR_BYTES or size & (size - 1):
        raise _decline(
            block, loop, f"{lanes} lanes of {size} bytes together", "vectorise copies of 2, 4, 8 or 16 bytes"
        )
    return block


def _vector_access(block: BlockOp, loop: ForOp, position: int) -> VectorAccess:
    """Where the first lane of a copy lies. Raises `CompileError` where the lanes are no vector."""
    buffer, extents = (*block.inputs, block.output)[position], extents_around(block)
    found = vector_access(
        indices_of(block, position, extents),
        shape_of(buffer),
        strides_of(buffer),
        loop.induction_variable,
        extents,
        padded=block.accesses.data[position].pad_value is not None,
    )
    if isinstance(found, VectorAccess):
        return found
    raise _unaligned(block, loop, buffer, found)


def _unaligned(block: BlockOp, loop: ForOp, buffer: SSAValue, found: NoVector) -> CompileError:
    lanes = loop.trip_count
    if found.splits_edge:
        return CompileError(
            f"vectorize of block '{block.block_name}': lanes reach over the padded edge of '{buffer_name(buffer)}'",
            location_of(block),
        )
    return _decline(
        block,
        loop,
        f"'{buffer_name(buffer)}' is reached with stride {found.stride} from "
        f"{'unaligned' if found.multiple % lanes else 'aligned'} offsets",
        f"a vector copy needs stride 1 and offsets that are multiples of {lanes} elements",
    )


def _zeros_unless(block: BlockOp, loop: ForOp, inside: SSAValue, load: vector.LoadOp) -> scf.IfOp:
    """The vector, or zeros where it lies in the padding."""
    pad, kind = block.accesses.data[0].pad_value, load.result.type
    if pad is None or pad.value.data != 0:
        raise _decline(block, loop, "a pad value other than 0", "copy such padding one element at a time")
    lanes = kind.get_shape()[0] * ELEMENT_BYTES[str(kind.element_type)]
    zeros = arith.ConstantOp(DenseIntOrFPElementsAttr(cast("VectorType[AnyFloat]", kind), BytesAttr(bytes(lanes))))
    return scf.IfOp(inside, [kind], [load, scf.YieldOp(load.result)], [zeros, scf.YieldOp(zeros.result)])


def _decline(block: BlockOp, loop: ForOp, found: str, remedy: str) -> CompileError:
    return CompileError(
        f"vectorize of loop '{loop.loop_name}' of block '{block.block_name}': {found}; {remedy}", location_of(block)
    )


@dataclass(frozen=True)
class ConvertBlocksToMemory(ModulePass):
    """Address every buffer by one flat index, and turn blocks into loads and stores.

    requires: compacted buffers, no init, no guard; warp operations converted.
    ensures:  no block is left; padded reads choose between the pad value and memory; a
              vectorized loop of a copy is one vector load and store.
    declines: a vectorized loop that is no aligned contiguous copy of at most 16 bytes.
    """

    name = "convert-blocks-to-memory"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        rewrite_once(op, ConvertVectorizedLoop(), ConvertBlock())
