"""Which types the scalars and elements of a function have: what a pass looks at before it plans a whole function."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import AnyFloat, ContainerType, IntegerType
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute

from vtac.analysis.ir.walks import operations_under


def element_kinds(function: FuncOp) -> set[Attribute]:
    """The types of all scalars and tensor elements that a function takes and computes, those in bodies too."""
    values = [*function.body.block.args, *(result for op in operations_under(function) for result in op.results)]
    types = {value.type for value in values}
    return {
        cast("ContainerType[Attribute]", kind).get_element_type() if isinstance(kind, ContainerType) else kind
        for kind in types
    }


def has_floats(function: FuncOp) -> bool:
    """Whether a function takes or computes any floating-point number."""
    return any(isinstance(kind, AnyFloat) for kind in element_kinds(function))


def has_integers_above(bits: int, function: FuncOp) -> bool:
    """Whether a function takes or computes any integer of more bits."""
    return any(isinstance(kind, IntegerType) and kind.bitwidth > bits for kind in element_kinds(function))
