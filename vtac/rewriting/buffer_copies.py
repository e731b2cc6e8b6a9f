"""Copies of an on-chip buffer: a leading dimension, and users that address one copy of it.

A buffer of 3 x 4 tiles with two copies is 2 x 3 x 4 tiles, and copy `c` starts at tile 12 * c.
"""

from __future__ import annotations

from math import prod

from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter

from vtac.analysis.expressions.linear import Linear
from vtac.analysis.ir.locations import location_of
from vtac.analysis.nests.accesses import bindings_of, guards_of
from vtac.analysis.nests.nest import shape_of
from vtac.analysis.types.buffer_types import buffer_type
from vtac.dialects.schedule.attributes import AccessAttr, IterationAttr, IterationVariable
from vtac.dialects.schedule.payload import BlockOp
from vtac.dialects.vta.kernels import KernelOp
from vtac.dialects.vta.memory import Load2DOp, Store2DOp
from vtac.errors import CompileError
from vtac.rewriting.block_edits import rebind
from vtac.rewriting.edits import stand_for
from vtac.rewriting.index_values import apply_map


def users_of(buffer: SSAValue) -> list[Operation]:
    """The operations that use a buffer, each once."""
    return list(dict.fromkeys(use.operation for use in buffer.uses))


def make_copies(allocation: AllocOp, number: SSAValue, count: int, rewriter: PatternRewriter) -> None:
    """Give a buffer `count` copies, and let every user address the copy of that number.

    Raises `CompileError` for a block with a guard.
    """
    buffer = allocation.memref
    shape = shape_of(buffer)
    for user in users_of(buffer):
        if isinstance(user, BlockOp):
            _address_block(user, buffer, number, count, rewriter)
        elif isinstance(user, KernelOp):
            _address_kernel(user, buffer, number, prod(shape[:-2]), rewriter)
        elif isinstance(user, Load2DOp | Store2DOp):
            _address_transfer(user, number, prod(shape[:-2]), rewriter)
    kind = buffer.type
    copies = buffer_type(kind.element_type, (count, *shape), kind.memory_space)
    rewriter.replace_value_with_new_type(buffer, copies)


def _address_block(block: BlockOp, buffer: SSAValue, number: SSAValue, count: int, rewriter: PatternRewriter) -> None:
    """Before an access the number becomes one more iteration variable, of as many iterations as there are copies."""
    if block.guard is not None:
        raise CompileError(
            f"block '{block.block_name}' has a guard; run schedule-partition-guards first", location_of(block)
        )
    position = len(block.variables)
    values = [*bindings_of(block), Linear.variable(number)]
    accesses: list[AccessAttr] = []
    for value, access in zip((*block.inputs, block.output), block.accesses, strict=True):
        leading = (AffineExpr.dimension(position),) if value is buffer else ()
        indices = AffineMap(position + 1, 0, (*leading, *access.indices.results))
        accesses.append(AccessAttr.get(indices, access.pad_value))
    guards = guards_of(block)
    block.domain = IterationAttr((*block.variables, IterationVariable(count)))
    block.accesses = ArrayAttr(accesses)
    rebind(block, values, guards)
    rewriter.notify_op_modified(block)


def _address_kernel(
    kernel: KernelOp, buffer: SSAValue, number: SSAValue, tiles: int, rewriter: PatternRewriter
) -> None:
    """The number is captured, and each index into the buffer moves by whole copies.

    A reset reads no operands: its other indices stay the zeros that the encoding asks for.
    """
    old = kernel.indices.data
    captures = list(kernel.captures)
    if number not in captures:
        captures.append(number)
    symbol = AffineExpr.symbol(captures.index(number))
    reset = kernel.properties.get("reset") is not None
    results = tuple(
        result + symbol * tiles if value is buffer and not (reset and position > 0) else result
        for position, (value, result) in enumerate(zip(kernel.buffers, old.results, strict=True))
    )
    kernel.indices = AffineMapAttr(AffineMap(old.num_dims, len(captures), results))
    kernel.operands = [*captures, *kernel.buffers]
    kernel.set_segments(len(captures))
    rewriter.notify_op_modified(kernel)


def _address_transfer(transfer: Load2DOp | Store2DOp, number: SSAValue, tiles: int, rewriter: PatternRewriter) -> None:
    place = transfer.amount("sram")
    if isinstance(place, int):
        indices, operands = AffineExpr.dimension(0) * tiles + place, [number]
    else:
        indices, operands = AffineExpr.dimension(0) * tiles + AffineExpr.dimension(1), [number, place]
    apply = apply_map(operands, AffineMap(len(operands), 0, (indices,)))
    moved = transfer.with_amount("sram", apply.results[0])
    stand_for(moved, transfer)
    rewriter.replace(transfer, [apply, moved], [])
