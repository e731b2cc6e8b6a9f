"""Which variable of a product its sums can be taken in parts of."""

from __future__ import annotations

from typing import cast

from xdsl.dialects import tensor
from xdsl.dialects.builtin import DenseArrayBase, IntegerType
from xdsl.ir import Operation

from vtac.analysis.operations.contraction import match_product
from vtac.analysis.operations.structured_view import structured_view


def depth_to_split(op: Operation, parts: int) -> int | str:
    """The longest variable that is summed over, is a whole dimension of both operands, and that the parts divide.

    Else why there is none.
    """
    view = structured_view(op)
    product = view if isinstance(view, str) else match_product(view, narrow=True)
    if isinstance(view, str) or isinstance(product, str):
        return str(product)
    plain = [
        variable
        for variable in product.depth
        if all(
            operand.plain.count(variable) == 1 and sum(variable in index.variables() for index in operand.indices) == 1
            for operand in product.operands
        )
    ]
    fitting = [variable for variable in plain if view.extent(variable) % parts == 0]
    if not fitting:
        found = ", ".join(str(view.extent(variable)) for variable in plain) or "none"
        return f"a sum over a whole dimension of both operands that they divide is required; such have {found} elements"
    return max(fitting, key=view.extent)


def padding(amounts: DenseArrayBase) -> list[int]:
    """How many elements are padded in each dimension, at one end."""
    return list(cast("DenseArrayBase[IntegerType]", amounts).get_values())


def is_padded_beside(pad: tensor.PadOp, dimension: int) -> bool:
    """Whether a tensor is padded by one number, by as much as is known, and not in a dimension."""
    body = pad.region.block
    if pad.low or pad.high or any(True for argument in body.args for _ in argument.uses):
        return False
    return padding(pad.static_low)[dimension] == padding(pad.static_high)[dimension] == 0
