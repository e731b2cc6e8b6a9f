"""Python source of what kernels count: affine expressions, lists of micro-ops, hardware loops."""

from __future__ import annotations

from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineSymExpr,
)

from vtac.dialects.vta.kernels import AluOp, GemmOp, KernelOp
from vtac.errors import CompileError


def micro_op_list(op: KernelOp) -> str:
    """A lambda from the captured values to the micro-ops, outermost micro-op loop first."""
    indices = op.indices.data
    dims = [f"d{position}" for position in range(indices.num_dims)]
    symbols = [f"s{position}" for position in range(indices.num_symbols)]
    results = [python_expression(result, dims, symbols) for result in indices.results]
    results += ["0"] * (3 - len(results))
    loops = "".join(f" for {dim} in range({extent})" for dim, extent in zip(dims, op.micro_extents, strict=True))
    point = f"({', '.join(results)})"
    return f"lambda {', '.join(symbols)}: [{point}{loops}]"


def gemm_loops(op: GemmOp) -> tuple[int, ...]:
    """iter_out, iter_in and factors; a single loop is the outer one."""
    loops = [(loop.extent, loop.dst, loop.src, loop.wgt) for loop in op.hardware_loops]
    outer, inner = [*loops, (1, 0, 0, 0), (1, 0, 0, 0)][:2]
    return (outer[0], inner[0], outer[1], inner[1], outer[2], inner[2], outer[3], inner[3])


def alu_loops(op: AluOp) -> tuple[int, ...]:
    """iter_out, iter_in and factors; a single loop is the inner one."""
    loops = [(loop.extent, loop.dst, loop.src) for loop in op.hardware_loops]
    outer, inner = [(1, 0, 0), (1, 0, 0), *loops][-2:]
    return (outer[0], inner[0], outer[1], inner[1], outer[2], inner[2])


_SIGNS = {
    AffineBinaryOpKind.Add: "+",
    AffineBinaryOpKind.Mul: "*",
    AffineBinaryOpKind.FloorDiv: "//",
    AffineBinaryOpKind.Mod: "%",
}


def python_expression(expr: AffineExpr, dims: list[str], symbols: list[str]) -> str:
    """An affine expression as Python source. Raises `CompileError` for symbols."""
    if type(expr) is AffineConstantExpr:
        return str(expr.value)
    if type(expr) is AffineDimExpr:
        return dims[expr.position]
    if type(expr) is AffineSymExpr:
        return symbols[expr.position]
    if type(expr) is not AffineBinaryOpExpr:
        raise CompileError(f"unknown affine expression {expr}")
    left, right = python_expression(expr.lhs, dims, symbols), python_expression(expr.rhs, dims, symbols)
    if expr.kind is AffineBinaryOpKind.CeilDiv:
        return f"(-(-{left} // {right}))"
    return f"({left} {_SIGNS[expr.kind]} {right})"
