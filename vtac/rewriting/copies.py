"""Copies of operations, in a fraction of the time of xDSL's `clone`.

That walks the copy a second time to give operations their operands, as values may be defined behind their use where
there are branches. Without these every value stands before its uses, and nothing of what is copied has to be checked.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from xdsl.ir import Block, Operation, Region, SSAValue

from vtac.analysis.ir.walks import operations_under
from vtac.dialects.making import make_body, make_op

_O = TypeVar("_O", bound=Operation)


def copy_of(op: _O, values: dict[SSAValue, SSAValue] | None = None) -> _O:
    """A detached copy of an operation and all that it holds, with names and places.

    `values` says what stands for values from outside, and gets what stands for those inside.
    """
    known: dict[SSAValue, SSAValue] = {} if values is None else values
    if any(region.first_block is not region.last_block for one in operations_under(op) for region in one.regions):
        return op.clone(known)
    return _copied(op, known)


def copy_of_region(region: Region) -> Region:
    """A detached copy of a region of one block."""
    values: dict[SSAValue, SSAValue] = {}
    return _copied_region(region, values)


def _copied(op: _O, values: dict[SSAValue, SSAValue]) -> _O:
    copy = make_op(
        type(op),
        operands=[values.get(operand, operand) for operand in op._operands],
        result_types=[result._type for result in op.results],
        properties=op.properties.copy(),
        attributes=op.attributes.copy(),
        location=op.location,
    )
    _name(op.results, copy.results, values)
    copy.regions = tuple([_copied_region(region, values) for region in op.regions])
    for region in copy.regions:
        region.parent = copy
    return copy


def _copied_region(region: Region, values: dict[SSAValue, SSAValue]) -> Region:
    block = region._first_block
    copy = Region() if block is None else make_body(*[argument._type for argument in block._args])
    if block is not None:
        _fill(copy.block, block, values)
    return copy


def _fill(copy: Block, block: Block, values: dict[SSAValue, SSAValue]) -> None:
    for old, new in zip(block._args, copy._args, strict=True):
        new.location = old.location
    _name(block._args, copy._args, values)
    last: Operation | None = None
    op = block._first_op
    while op is not None:
        held = _copied(op, values)
        held.parent = copy
        if last is None:
            copy._first_op = held
        else:
            last._next_op, held._prev_op = held, last
        last, op = held, op._next_op
    copy._last_op = last


def _name(originals: Sequence[SSAValue], copies: Sequence[SSAValue], values: dict[SSAValue, SSAValue]) -> None:
    for old, new in zip(originals, copies, strict=True):
        values[old] = new
        new._name = old._name
