"""Copies of operations, in half the time of xDSL's `clone`.

That walks the copy a second time to give operations their operands, as values may be defined behind their use where
there are branches. Without these every value stands before its uses.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import TypeVar

from xdsl.ir import Block, Operation, Region, SSAValue

from vtac.analysis.walks import operations_under
from vtac.rewriting.edits import append

_O = TypeVar("_O", bound=Operation)


def copy_of(op: _O, values: dict[SSAValue, SSAValue] | None = None) -> _O:
    """A detached copy of an operation and all that it holds, with names and places.

    `values` says what stands for values from outside, and gets what stands for those inside.
    """
    known: dict[SSAValue, SSAValue] = {} if values is None else values
    if any(region.first_block is not region.last_block for one in operations_under(op) for region in one.regions):
        return op.clone(known)
    return _copied(op, known)


def _copied(op: _O, values: dict[SSAValue, SSAValue]) -> _O:
    blocks = [region.first_block for region in op.regions]
    empty = [None if block is None else Block(arg_types=[one.type for one in block.args]) for block in blocks]
    copy = op.create(
        operands=[values.get(operand, operand) for operand in op._operands],
        result_types=[result.type for result in op.results],
        attributes=op.attributes,
        properties=op.properties,
        location=op.location,
        regions=[Region(() if block is None else block) for block in empty],
    )
    for old, new in zip(op.results, copy.results, strict=True):
        values[old] = new
        new._name = old._name
    for block, filled in zip(blocks, empty, strict=True):
        if block is not None and filled is not None:
            _copy_block(block, filled, values)
    return copy


def _copy_block(block: Block, copy: Block, values: dict[SSAValue, SSAValue]) -> None:
    for old, new in zip(block.args, copy.args, strict=True):
        values[old] = new
        new._name = old._name
        new.location = old.location
    append([_copied(op, values) for op in block.ops], copy)
