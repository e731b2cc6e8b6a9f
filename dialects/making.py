"""Operations, bodies and attributes out of parts that are right already, in a third of the time of xDSL's constructors.

Those look for defaults, parents and kinds of what they are given, each time. Here the fields of xDSL's classes are set
as they are at the end: an operation gets all properties that its definition wants, an attribute parameters of the
kinds that its definition says. Verification finds an operation that is wrong, later.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from xdsl.dialects.builtin import UNKNOWN_LOC, LocationAttr
from xdsl.ir import Attribute, Block, BlockArgument, Operation, OpResult, Region, SSAValue, SSAValues, Use

_O = TypeVar("_O", bound=Operation)
_A = TypeVar("_A", bound=Attribute)
_NO_OPERANDS = SSAValues[SSAValue](())
_NO_RESULTS = SSAValues[OpResult](())


def make_op(
    kind: type[_O],
    *,
    operands: Sequence[SSAValue] = (),
    result_types: Sequence[Attribute] = (),
    properties: dict[str, Attribute] | None = None,
    attributes: dict[str, Attribute] | None = None,
    location: LocationAttr = UNKNOWN_LOC,
    regions: Sequence[Region] = (),
) -> _O:
    """A detached operation; it holds the dictionaries given, and regions that nothing else holds."""
    op = object.__new__(kind)
    op._operands, op._operand_uses, op.results = _NO_OPERANDS, (), _NO_RESULTS
    if operands:
        op._operands = SSAValues(operands)
        op._operand_uses = tuple([Use(op, index) for index in range(len(operands))])
        for operand, use in zip(operands, op._operand_uses, strict=True):
            operand.add_use(use)
    if result_types:
        op.results = SSAValues([OpResult(result, op, index) for index, result in enumerate(result_types)])
    op.properties = {} if properties is None else properties
    op.attributes = {} if attributes is None else attributes
    op.location = location
    op.regions = tuple(regions)
    for region in regions:
        region.parent = op
    return op


def make_body(*arguments: Attribute) -> Region:
    """A region of one empty block with arguments of these types."""
    block, region = object.__new__(Block), object.__new__(Region)
    block._args = tuple([BlockArgument(kind, block, index, UNKNOWN_LOC) for index, kind in enumerate(arguments)])
    block._first_op = block._last_op = None
    region._first_block = region._last_block = block
    block.parent = region
    return region


def read_directly(kind: type[_O], **readers: Callable[[_O], object]) -> None:
    """Let named regions of operations be read by these functions, which know where they stand.

    xDSL's own way counts through the groups of regions each time.
    """
    for name, reader in readers.items():
        setattr(kind, name, property(reader))


def only_region(op: Operation) -> Region:
    """The region of an operation that has one."""
    return op.regions[0]


def make_attribute(kind: type[_A], parameters: Mapping[str, object]) -> _A:
    """An attribute with these parameters."""
    attribute = object.__new__(kind)
    for name, parameter in parameters.items():
        object.__setattr__(attribute, name, parameter)
    return attribute
