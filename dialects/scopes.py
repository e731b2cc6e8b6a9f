"""The memory scopes that a buffer can live in: the memory space of its memref, and what directives name.

Each target lists its own in its record, those of other packages too.
"""

from __future__ import annotations

from vtac.dialects.hardware import MemoryName
from vtac.targets.registry import all_targets

MEMORIES: dict[str, MemoryName] = {"vta.inp": "inp", "vta.wgt": "wgt", "vta.acc": "acc"}
"""The VTA's on-chip scopes, and the memories of the hardware that they are."""

FRAGMENT_ROLES = {
    "wmma.matrix_a": "matrix_a",
    "wmma.matrix_b": "matrix_b",
    "wmma.accumulator": "accumulator",
}
"""Scopes in the registers of warps, and the role of the fragments there."""

OPERAND_FRAGMENTS = ("wmma.matrix_a", "wmma.matrix_b")
"""The fragments that a product loads."""


GLOBAL = "global"
"""Main memory; the scope of a buffer that names none."""


def scope_names() -> tuple[str, ...]:
    """Every scope there is: main memory, and what the targets have, those of other packages last."""
    return tuple(dict.fromkeys((GLOBAL, *(name for target in all_targets() for name in target.scopes))))


def scope_problem(name: str) -> str:
    """Why there is no scope of that name; empty when there is one."""
    if name == GLOBAL or any(name in target.scopes for target in all_targets()):
        return ""
    return f"unknown scope '{name}'; the scopes are {', '.join(scope_names())}"
