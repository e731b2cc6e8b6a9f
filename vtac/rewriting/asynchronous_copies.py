"""Vectors that are loaded and stored -> copies that go on while threads do something else."""

from __future__ import annotations

from typing import cast

from xdsl.dialects import scf, vector
from xdsl.dialects.affine import ApplyOp
from xdsl.dialects.builtin import AnyFloat, IntegerAttr, VectorType, i64
from xdsl.ir import Operation
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint
from xdsl.utils.exceptions import VerifyException

from vtac.analysis.ir.locations import location_of
from vtac.dialects.wmma import AsyncCopyOp
from vtac.errors import CompileError
from vtac.rewriting.edits import move_op

ASYNC_BYTES = 4
"""The least that an asynchronous copy moves."""


def is_wide(store: vector.StoreOp) -> bool:
    """Whether an asynchronous copy can move a vector."""
    kind = cast("VectorType[AnyFloat]", store.vector.type)
    return kind.get_shape()[0] * kind.element_type.size >= ASYNC_BYTES


def copy_asynchronously(store: vector.StoreOp, rewriter: PatternRewriter) -> None:
    """A vector copy, with or without a condition -> wmma.async_copy.

    Raises `CompileError` for a copy that computes, and for as many elements as no asynchronous copy moves.
    """
    source = store.vector.owner
    present = [source.cond] if isinstance(source, scf.IfOp) else []
    load = _chosen_load(source, rewriter) if isinstance(source, scf.IfOp) else source
    if not isinstance(load, vector.LoadOp) or not isinstance(source, Operation):
        raise CompileError("pipeline: a copy computes; only plain copies run ahead", location_of(store))
    kind = store.vector.type
    lanes = kind.get_shape()[0] if isinstance(kind, VectorType) else 1
    copy = AsyncCopyOp(
        operands=[store.base, store.indices[0], load.base, load.indices[0], present],
        properties={"elements": IntegerAttr(lanes, i64)},
    )
    copy.location = store.location
    try:
        copy.verify()
    except VerifyException as error:
        raise CompileError(f"pipeline: {error}: vectorize the copy by as many elements", location_of(store)) from None
    rewriter.replace(store, copy, [])
    rewriter.erase(source)


def _chosen_load(choice: scf.IfOp, rewriter: PatternRewriter) -> Operation | None:
    """What the first branch of a condition loads; its indices are worked out in front of the condition then."""
    block = choice.true_region.block
    for op in [found for found in block.ops if isinstance(found, ApplyOp)]:
        move_op(op, InsertPoint.before(choice), rewriter)
    return block.first_op
