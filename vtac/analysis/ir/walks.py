"""Operations under a region as a list, several times as quick as walking with nested iterators.

What comes next is taken from xDSL's own fields: its properties take longer than all else here.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import TypeVar, cast

from xdsl.ir import Block, Operation, Region, SSAValue

_O = TypeVar("_O", bound=Operation)


def operations_in(region: Region, *, inside_first: bool = False) -> list[Operation]:
    """Every operation in a region in program order, each before what it holds, or after it with `inside_first`."""
    found: list[Operation] = []
    _collect(region, found, inside_first)
    return found


def operations_under(root: Operation) -> list[Operation]:
    """An operation and every one that it holds, in program order, each before what it holds."""
    found = [root]
    for region in root.regions:
        _collect(region, found, inside_first=False)
    return found


def operations_in_block(block: Block) -> list[Operation]:
    """Every operation in a block, in program order, each before what it holds."""
    return [inner for op in block.ops for inner in (operations_under(op) if op.regions else (op,))]


def operations_of(kind: type[_O], root: Operation) -> list[_O]:
    """Those of one class among an operation and what it holds, in program order; subclasses are no such class."""
    return cast("list[_O]", [op for op in operations_under(root) if type(op) is kind])


def values_from_outside(op: Operation) -> list[SSAValue]:
    """What an operation and what it holds read of what is defined outside of it, each once, in order."""
    if not op.regions:
        return list(dict.fromkeys(op.operands))
    found = operations_under(op)
    inside = {result for inner in found for result in inner.results}
    inside |= {arg for inner in found for region in inner.regions for block in region.blocks for arg in block.args}
    return [value for value in dict.fromkeys(v for inner in found for v in inner.operands) if value not in inside]


def _collect(region: Region, found: list[Operation], inside_first: bool) -> None:
    block = region._first_block
    while block is not None:
        op = block._first_op
        while op is not None:
            if not inside_first:
                found.append(op)
            for inner in op.regions:
                _collect(inner, found, inside_first)
            if inside_first:
                found.append(op)
            op = op._next_op
        block = block._next_block
