"""Which iteration variables of a contraction make up rows, columns and depth of a matrix product."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import cast

from vtac.analysis.expressions.affine_expressions import affine_text
from vtac.analysis.nests.nest import buffer_name, shape_of
from vtac.analysis.operations.contraction import Contraction
from vtac.analysis.tensor_cores.product_depth import leaves_operands
from vtac.dialects.schedule.attributes import IterationVariable
from vtac.dialects.schedule.gpu_directives import ImplicitGemmOp
from vtac.dialects.schedule.payload import BlockOp
from vtac.passes.directives.handles import refusal


@dataclass(frozen=True)
class ProductVariables:
    """Iteration variables that make up rows, columns and depth of a product, outermost first.

    `batch` are those of which each value has a product of its own.
    """

    batch: tuple[int, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]
    depth: tuple[int, ...]


def product_variables(op: ImplicitGemmOp, product: Contraction[int]) -> ProductVariables:
    """The variables of a block as those of a product, in the directive's order; refused where they do not make one.

    Spatial variables that move neither operand, or are a batch of one, count as rows.
    """
    view, name = product.view, f"block '{cast(BlockOp, product.view.op).block_name}'"
    written: list[int] = []
    shape = shape_of(view.output.value)
    for dimension, (variable, extent) in enumerate(zip(view.output.plain, shape, strict=True)):
        if variable is None or variable in written or view.variables[variable] != IterationVariable(extent):
            index = affine_text(view.output.indices[dimension])
            raise refusal(
                op,
                f"{name} writes dimension {dimension} of '{buffer_name(view.output.value)}' at {index}",
                "each dimension of the result must be walked by one spatial variable",
            )
        written.append(variable)
    if len(written) + len(product.reductions) != len(view.variables):
        raise refusal(op, f"{name} does not write at all of its spatial variables", "reduce over them")
    batch = tuple(variable for variable in written if variable in product.batch and view.extent(variable) > 1)
    rows = tuple(variable for variable in written if variable not in (*product.columns, *batch))
    order = _order(op, name, len(view.variables))
    return ProductVariables(*(_ordered(group, order) for group in (batch, rows, product.columns, product.reductions)))


def _order(op: ImplicitGemmOp, name: str, count: int) -> list[int]:
    """The order of a block's variables that a directive gives; none where it leaves them as they are."""
    order = list(op.order.get_values()) if op.order is not None else []
    if order and len(order) != count:
        raise refusal(
            op, f"{name} has {count} iteration variables, and the order {order} names {len(order)}", "name each of them"
        )
    return [int(variable) for variable in order]


def _ordered(group: tuple[int, ...], order: list[int]) -> tuple[int, ...]:
    return tuple(variable for variable in order if variable in group) if order else group


def leaving_first(
    op: ImplicitGemmOp, product: Contraction[int], matrix: ProductVariables, padded: int
) -> ProductVariables:
    """Depth with that variable outermost which leaves both operands where it leaves its range.

    Raises `ScheduleError` where there is none.
    """
    view = product.view
    for variable in matrix.depth:
        if leaves_operands(view, variable):
            others = tuple(other for other in matrix.depth if other != variable)
            return ProductVariables(matrix.batch, matrix.rows, matrix.columns, (variable, *others))
    size = prod(view.extent(variable) for variable in matrix.depth)
    raise refusal(
        op,
        f"block '{cast(BlockOp, view.op).block_name}' adds up {size} products, which are filled up to {padded}, and no "
        "reduction variable ends where a dimension of both operands does",
        f"use a tile whose k divides {size}",
    )
