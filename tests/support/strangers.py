"""Who reads the values of a module without being in it: such readers change what passes decide on."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation


def strangers(module: ModuleOp) -> list[str]:
    """Names of operations outside of a module that still read values of it."""
    found: list[str] = []
    for op in module.walk():
        values = [
            *op.results,
            *(argument for region in op.regions for block in region.blocks for argument in block.args),
        ]
        found += [
            use.operation.name for value in values for use in value.uses if _outermost(use.operation) is not module
        ]
    return found


def _outermost(op: Operation) -> Operation:
    while (outer := op.parent_op()) is not None:
        op = outer
    return op
