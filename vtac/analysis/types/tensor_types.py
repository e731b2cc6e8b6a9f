"""What the type of a value says of it: its shape and its elements."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import ContainerType, TensorType
from xdsl.ir import Attribute, SSAValue


def element_of(value: SSAValue) -> Attribute:
    """The type of a value's elements, or of a scalar."""
    kind = value.type
    return cast("TensorType[Attribute]", kind).get_element_type() if isinstance(kind, ContainerType) else kind


def shape_of(value: SSAValue) -> tuple[int, ...]:
    """The extents of a tensor, outermost first."""
    return tuple(cast("TensorType[Attribute]", value.type).get_shape())


def rank_of(value: SSAValue) -> int:
    """The number of a tensor's dimensions."""
    return len(shape_of(value))
