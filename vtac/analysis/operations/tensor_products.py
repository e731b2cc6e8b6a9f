"""Products of matrices whose element types tensor cores multiply."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from xdsl.dialects.builtin import ShapedType
from xdsl.ir import Attribute

from vtac.analysis.ir.gpu_architecture import allows_tf32
from vtac.analysis.operations.contraction import match_product
from vtac.analysis.operations.structured_view import Operand, StructuredView
from vtac.dialects.gpu_hardware import OperandType

_OPERANDS: Mapping[tuple[str, str], OperandType] = MappingProxyType(
    {("f16", "f32"): "f16", ("f16", "f16"): "f16", ("f32", "f32"): "tf32", ("bf16", "f32"): "bf16", ("i8", "i32"): "s8"}
)
"""Element types of operands and result that tensor cores multiply, and the fragments' name for them."""


def tensor_operand(view: StructuredView[int]) -> OperandType | None:
    """The fragments' name for the operands of a product of matrices that tensor cores multiply; None for others.

    Bytes are both signed or both unsigned; f32 are such where the module allows tf32.
    """
    if not view.accumulates or len(view.inputs) != 2:
        return None
    left, right, total = (_element(operand) for operand in (*view.inputs, view.output))
    product = match_product(view, narrow=True)
    is_tensor = allows_tf32(view.op) if (left, total) == ("f32", "f32") else (left, total) in _OPERANDS
    if not is_tensor or right != left or isinstance(product, str):
        return None
    if not product.rows or not product.columns:
        return None
    if (left == total) != all(factor.widening is None for factor in product.factors):
        return None
    widened = {factor.widening for factor in product.factors}
    if widened == {"unsigned"}:
        return "u8"
    return None if "unsigned" in widened else _OPERANDS[left, total]


def is_tensor_product(view: StructuredView[int]) -> bool:
    """Whether an operation or a block is such a product."""
    return tensor_operand(view) is not None


def _element(operand: Operand[int]) -> str:
    kind = operand.value.type
    return str(cast("Attribute", kind.get_element_type())) if isinstance(kind, ShapedType) else ""  # pyright: ignore
