"""Networks of matrix products that have weights, or inputs, in common."""

from __future__ import annotations

from typing import Literal


def shared_products(rows: int, inner: int, columns: int, count: int, shared: Literal["weights", "inputs"]) -> str:
    """So many products of `rows` x `inner` by `inner` x `columns`, whose sums are cut to bytes."""
    data = [f"%x{0 if shared == 'inputs' else number}" for number in range(count)]
    weights = [f"%w{0 if shared == 'weights' else number}" for number in range(count)]
    left, right = f"tensor<{rows}x{inner}xi8>", f"tensor<{inner}x{columns}xi8>"
    total, result = f"tensor<{rows}x{columns}xi32>", f"tensor<{rows}x{columns}xi8>"
    arguments = [f"{name}: {left}" for name in dict.fromkeys(data)]
    arguments += [f"{name}: {right}" for name in dict.fromkeys(weights)]
    products = [
        f"""  %e{number} = tensor.empty() : {total}
  %i{number} = linalg.fill ins(%zero : i32) outs(%e{number} : {total}) -> {total}
  %m{number} = linalg.matmul ins({x}, {w} : {left}, {right}) outs(%i{number} : {total}) -> {total}
  %r{number} = arith.trunci %m{number} : {total} to {result}"""
        for number, (x, w) in enumerate(zip(data, weights, strict=True))
    ]
    names = ", ".join(f"%r{number}" for number in range(count))
    kinds = ", ".join([result] * count)
    return "\n".join(
        [
            f"func.func @net({', '.join(arguments)}) -> ({kinds}) {{",
            "  %zero = arith.constant 0 : i32",
            *products,
            f"  func.return {names} : {kinds}",
            "}",
            "",
        ]
    )
