"""Comparisons of floating-point numbers as CUDA C++."""

from __future__ import annotations

_ORDERED = {1: "==", 2: ">", 3: ">=", 4: "<", 5: "<="}
_UNORDERED = {9: "<=", 10: "<", 11: ">=", 12: ">"}
"""The ordered comparison whose opposite also holds where an operand is no number."""


def float_comparison(predicate: int, left: str, right: str) -> str:
    """arith.cmpf of that predicate as an atom; `left` and `right` bind as tightly as sums."""
    differ = f"{left} < {right} || {left} > {right}"
    if predicate in _ORDERED:
        return f"({left} {_ORDERED[predicate]} {right})"
    if predicate in _UNORDERED:
        return f"!({left} {_UNORDERED[predicate]} {right})"
    return {
        0: "false",
        6: f"({differ})",
        7: f"({left} == {left} && {right} == {right})",
        8: f"!({differ})",
        13: f"({left} != {right})",
        14: f"({left} != {left} || {right} != {right})",
        15: "true",
    }[predicate]
