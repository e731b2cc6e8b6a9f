"""Copies of operations, in half the time of xDSL's `clone`.

That walks the copy a second time to give operations their operands, as values may be defined behind their use where
there are branches. Without these every value stands before its uses.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import TypeVar

from xdsl.ir import Block, Operation, Region, SSAValue

from vtac.analysis.walks import operations_under

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
    regions = [Region() for _ in op.regions]
    copy = op.create(
        operands=[values.get(operand, operand) for operand in op._operands],
        result_types=[result.type for result in op.results],
        attributes=op.attributes,
        properties=op.properties,
        location=op.location,
        regions=regions,
    )
    for old, new in zip(op.results, copy.results, strict=True):
        values[old] = new
        new._name = old._name
    for region, empty in zip(op.regions, regions, strict=True):
        block = region.first_block
        if block is not None:
            _copy_block(block, empty, values)
    return copy


def _copy_block(block: Block, region: Region, values: dict[SSAValue, SSAValue]) -> None:
    copy = Block(arg_types=[argument.type for argument in block.args])
    region.add_block(copy)
    for old, new in zip(block.args, copy.args, strict=True):
        values[old] = new
        new._name = old._name
        new.location = old.location
    copy.add_ops([_copied(op, values) for op in block.ops])
