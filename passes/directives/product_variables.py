"""Which iteration variables of a contraction make up rows, columns and depth of a matrix product."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.ir.affine import AffineDimExpr, AffineMap

from vtac.analysis.nest import buffer_name, shape_of
from vtac.analysis.regions import plain_dimension
from vtac.dialects.schedule.gpu_directives import ImplicitGemmOp
from vtac.dialects.schedule.payload import BlockOp
from vtac.passes.directives.handles import refusal


@dataclass(frozen=True)
class ProductVariables:
    """Iteration variables that make up rows, columns and depth of a product, outermost first."""

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    depth: tuple[int, ...]


def product_variables(op: ImplicitGemmOp, block: BlockOp) -> ProductVariables:
    """The variables of a block as those of a product; refused where they do not make one."""
    left, right = (_used(access.indices) for access in block.accesses.data[:2])
    rows: list[int] = []
    columns: list[int] = []
    for dimension, (expr, extent) in enumerate(
        zip(block.output_access.indices.results, shape_of(block.output), strict=True)
    ):
        variable = plain_dimension(expr)
        found = None if variable is None or variable in (*rows, *columns) else block.variables[variable]
        if variable is None or found is None or found.extent != extent or found.reduction:
            raise refusal(
                op,
                f"block '{block.block_name}' writes dimension {dimension} of '{buffer_name(block.output)}' at {expr}",
                "each dimension of the result must be walked by one spatial variable",
            )
        if extent > 1 and variable in left and variable in right:
            raise refusal(
                op,
                f"both operands of block '{block.block_name}' are read at variable d{variable} (extent {extent}), "
                "which the result keeps: a batch of products",
                "compute one product per block, or split the batch in the program",
            )
        (columns if variable in right and variable not in left else rows).append(variable)
    depth = [at for at, variable in enumerate(block.variables) if variable.reduction]
    if len(rows) + len(columns) + len(depth) != len(block.variables):
        raise refusal(
            op, f"block '{block.block_name}' does not write at all of its spatial variables", "reduce over them"
        )
    return ProductVariables(tuple(rows), tuple(columns), tuple(depth))


def _used(indices: AffineMap) -> set[int]:
    return {part.position for result in indices.results for part in result.dfs() if isinstance(part, AffineDimExpr)}


def leaving_first(op: ImplicitGemmOp, block: BlockOp, matrix: ProductVariables, padded: int) -> ProductVariables:
    """Depth with that variable outermost which leaves both operands where it leaves its range."""
    for variable in matrix.depth:
        if all(_is_whole_index(block, position, variable) for position in (0, 1)):
            others = tuple(other for other in matrix.depth if other != variable)
            return ProductVariables(matrix.rows, matrix.columns, (variable, *others))
    size = prod(block.variables[variable].extent for variable in matrix.depth)
    raise refusal(
        op,
        f"block '{block.block_name}' adds up {size} products, which are filled up to {padded}, and no reduction "
        "variable is the whole index of a dimension of both operands",
        f"use a tile whose k divides {size}",
    )


def _is_whole_index(block: BlockOp, position: int, variable: int) -> bool:
    shape = shape_of(block.inputs[position])
    results = block.accesses.data[position].indices.results
    return any(
        plain_dimension(expr) == variable and extent == block.variables[variable].extent
        for expr, extent in zip(results, shape, strict=True)
    )
