"""The memory scopes that a buffer can live in: the memory space of its memref, and what directives name.

A target outside of this package lists its own in its record, under its dialect's prefix as `vec.local`; a
package without one calls `register_scope`.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Scope:
    """A scope: its name, with the prefix of the dialect that owns it, and one sentence of meaning."""

    name: str
    meaning: str

    @property
    def dialect(self) -> str:
        """The dialect that owns it; empty for a scope that several targets have."""
        prefix, dot, _ = self.name.partition(".")
        return prefix if dot else ""


_SCOPES: dict[str, Scope] = {
    scope.name: scope
    for scope in (
        Scope("global", "Main memory; the scope of a buffer that names none."),
        Scope("vta.inp", "The VTA's input buffer: tiles of BATCH x BLOCK_IN."),
        Scope("vta.wgt", "The VTA's weight buffer: tiles of BLOCK_OUT x BLOCK_IN."),
        Scope("vta.acc", "The VTA's accumulators: tiles of BATCH x BLOCK_OUT, 32 bits each."),
        Scope("shared", "Memory that the threads of one GPU block share."),
        Scope("wmma.matrix_a", "Fragments of a product's first operand, in the registers of a warp."),
        Scope("wmma.matrix_b", "Fragments of a product's second operand."),
        Scope("wmma.accumulator", "Fragments that a product adds to."),
        Scope("local", "Registers or the stack of one thread."),
    )
}


def register_scope(name: str, meaning: str) -> Scope:
    """Add a scope, named as its dialect and its memory: `vec.local`. The same one again changes nothing.

    Raises `ValueError` for a name without a prefix, or one that stands for another scope.
    """
    scope = Scope(name, meaning)
    if not scope.dialect:
        raise ValueError(f"scope '{name}': a name such as 'dialect.memory' is required")
    if _SCOPES.setdefault(name, scope) != scope:
        raise ValueError(f"scope '{name}' is registered already: {_SCOPES[name].meaning}")
    return scope


def scope_names() -> tuple[str, ...]:
    """Every scope there is: ours, those registered, and those of installed targets."""
    return tuple(dict.fromkeys((*_SCOPES, *(scope for target in all_targets() for scope in target.scopes))))


def scope_problem(name: str) -> str:
    """Why there is no scope of that name; empty when there is one."""
    if name in _SCOPES or name in (names := scope_names()):
        return ""
    return f"unknown scope '{name}'; the scopes are {', '.join(names)}"
