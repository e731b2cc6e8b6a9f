"""CUDA C++ and numpy names of element and fragment types."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import IndexType, IntegerType, Signedness, VectorType
from xdsl.ir import Attribute

from vtac.dialects.wmma.attributes import Fragment
from vtac.errors import CompileError
from vtac.targets.cuda.emit.fragment_names import FRAGMENT_ELEMENTS

_SCALARS = {"f16": "half", "bf16": "__nv_bfloat16", "f32": "float", "i8": "signed char", "i32": "int", "i1": "bool"}
VECTORS = {2: "unsigned short", 4: "unsigned int", 8: "uint2", 16: "uint4"}
"""A type of that many bytes that moves as one access."""


def scalar_type(element: Attribute, where: str = "") -> str:
    """`half` for f16, and so on; raises `CompileError`, at a place, for what kernels have no type for."""
    name = str(element)
    if name not in _SCALARS:
        raise CompileError(f"element type {name} has no CUDA name here; the types are {', '.join(_SCALARS)}", where)
    return _SCALARS[name]


def value_type(kind: Attribute) -> str:
    """The type of a value: a scalar's, or of that many bytes for a vector."""
    if isinstance(kind, VectorType):
        vector = cast(VectorType[Attribute], kind)
        return VECTORS[vector.get_shape()[0] * element_bytes(vector.element_type)]
    if isinstance(kind, IndexType):
        return "int"
    return scalar_type(kind)


def element_bytes(element: Attribute) -> int:
    """Bytes of one element."""
    if isinstance(element, IntegerType):
        return cast("IntegerType[int, Signedness]", element).width.data // 8
    return 2 if str(element) in ("f16", "bf16") else 4


def fragment_type(fragment: Fragment) -> str:
    """`wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major>`."""
    parts = [
        f"wmma::{fragment.role}",
        str(fragment.m),
        str(fragment.n),
        str(fragment.k),
        FRAGMENT_ELEMENTS[fragment.element],
    ]
    if fragment.layout is not None:
        parts.append(f"wmma::{fragment.layout}")
    return f"wmma::fragment<{', '.join(parts)}>"
