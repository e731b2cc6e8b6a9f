"""Attributes of the tma dialect."""

from __future__ import annotations

from vtac.dialects.declared import MARK, Declared, declare

PRODUCES = declare(
    Declared("tma.produces", MARK, ("scf.if",), "copies that warps of their own ask for, which do nothing else")
)

ROLES = declare(
    Declared(
        "tma.roles",
        MARK,
        ("scf.if",),
        "warps of which the first branch uses bulk copies, and the second asks for them, both at the same time",
    )
)

BY_WARPS = declare(
    Declared(
        "tma.by_warps",
        MARK,
        ("memref.alloc",),
        "shared memory of which each warp writes what it stores by bulk copies, and nothing else: no barrier is needed",
    )
)
