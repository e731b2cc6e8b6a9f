"""Products of matrices whose element types tensor cores multiply."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import ShapedType
from xdsl.ir import Attribute

from vtac.analysis.contraction import match_product
from vtac.analysis.structured_view import Operand, StructuredView
from vtac.dialects.gpu_hardware import OperandType

OPERANDS: Mapping[tuple[str, str], OperandType] = MappingProxyType(
    {("f16", "f32"): "f16", ("bf16", "f32"): "bf16", ("i8", "i32"): "s8"}
)
"""Element types of operands and result that tensor cores multiply, and the fragments' name for them."""


def is_tensor_product(view: StructuredView[int]) -> bool:
    """Whether an operation or a block is a product of matrices of types that tensor cores multiply."""
    if not view.accumulates or len(view.inputs) != 2:
        return False
    left, right, total = (_element(operand) for operand in (*view.inputs, view.output))
    if (left, total) not in OPERANDS or right != left or reads_unsigned(view):
        return False
    product = match_product(view)
    return not isinstance(product, str) and bool(product.rows) and bool(product.columns)


def reads_unsigned(view: StructuredView[int]) -> bool:
    """Whether a body takes its operands for unsigned integers."""
    return any(isinstance(op, arith.ExtUIOp) for op in view.body.ops)


def _element(operand: Operand[int]) -> str:
    kind = operand.value.type
    return str(cast("Attribute", kind.get_element_type())) if isinstance(kind, ShapedType) else ""  # pyright: ignore
