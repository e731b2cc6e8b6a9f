"""Rules of upstream operations that xDSL's own verifiers do not check."""

from __future__ import annotations

from collections.abc import Callable

from xdsl.ir import Operation


def upstream_problem(operation: Operation) -> str:
    """What is wrong with an operation that its own verifier would let pass, or trip over; empty for nothing."""
    rule = _RULES.get(operation.name)
    return rule(operation) if rule is not None else ""


def _transpose(operation: Operation) -> str:
    """A permutation names each dimension once; MLIR refuses others, xDSL indexes shapes with them."""
    from xdsl.dialects.linalg.ops import TransposeOp

    if not isinstance(operation, TransposeOp):
        return ""
    order = [int(dimension) for dimension in operation.permutation.get_values()]
    if sorted(order) == list(range(len(order))):
        return ""
    return f"permutation = {order}: each of the dimensions 0 to {len(order) - 1} is required once"


_RULES: dict[str, Callable[[Operation], str]] = {"linalg.transpose": _transpose}
