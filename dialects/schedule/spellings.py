"""What arguments of directives spell, as types: editors complete them and type checkers know them.

Scopes and intrinsics are also those of targets that other packages add, so any string stands for one; a wrong one is
refused when the directive is applied.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

TailName = Literal["error", "guard", "peel"]
AsyncName = Literal["cp.async", "tma"]
ThreadName = Literal["cthread", "blockIdx.x", "blockIdx.y", "blockIdx.z", "threadIdx.x", "threadIdx.y", "threadIdx.z"]
KnownScope = Literal[
    "global",
    "vta.inp",
    "vta.wgt",
    "vta.acc",
    "shared",
    "wmma.matrix_a",
    "wmma.matrix_b",
    "wmma.accumulator",
    "local",
]
KnownIntrinsic = Literal[
    "vta.gemm",
    "mma.m16n8k16",
    "mma.m16n8k8",
    "mma.m16n8k32",
    "mma.ldmatrix",
    "mma.store",
    "mma.stmatrix",
    "tma.load",
    "tma.store",
    "wmma.load_matrix_sync",
    "wmma.mma_sync",
    "wmma.store_matrix_sync",
    "wmma.fill_fragment",
]
Scope: TypeAlias = KnownScope | str
Intrinsic: TypeAlias = KnownIntrinsic | str
