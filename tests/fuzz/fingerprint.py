"""What an operation and all within it are, as plain rows that can be compared: nothing is printed, nothing hashed."""

from __future__ import annotations

from xdsl.ir import Attribute, Operation, SSAValue

Row = tuple[str, int, tuple[int, ...], dict[str, Attribute], dict[str, Attribute], tuple[Attribute, ...]]


def fingerprint(root: Operation) -> list[Row]:
    """One row per operation: name, where its parent stands, operands, attributes, properties, types of its values.

    Values are numbered in the order in which they are defined; one of outside is -1. Names of values do not count.
    Attributes that nobody replaced are the same objects, so that comparing two fingerprints is quick.
    """
    numbers: dict[SSAValue, int] = {}
    places: dict[Operation, int] = {}
    rows: list[Row] = []
    for op in root.walk():
        parent = op.parent_op()
        operands = tuple([numbers.get(operand, -1) for operand in op.operands])
        values = [*op.results, *(arg for region in op.regions for block in region.blocks for arg in block.args)]
        for value in values:
            numbers[value] = len(numbers)
        kinds = tuple([value.type for value in values])
        where = -1 if parent is None else places.get(parent, -1)
        rows.append((op.name, where, operands, dict(op.attributes), dict(op.properties), kinds))
        places[op] = len(places)
    return rows
