"""Rules of constants in memory, and of references to them, that xDSL's own verifiers do not check; MLIR's do."""

from __future__ import annotations

from typing import cast

from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, MemRefType, SymbolRefAttr
from xdsl.ir import Attribute, Operation


def reference_problem(operation: Operation) -> str:
    """A reference to a global names one, of its type."""
    from xdsl.dialects.memref import GetGlobalOp, GlobalOp
    from xdsl.traits import SymbolTable

    name = operation.properties.get("name")
    if not isinstance(operation, GetGlobalOp) or not isinstance(name, SymbolRefAttr):
        return ""
    found = SymbolTable.lookup_symbol(operation, name)
    if not isinstance(found, GlobalOp):
        return f"it names @{name.string_value()}, which is no memref.global of the module"
    kind = found.properties.get("type")
    if kind not in (None, operation.memref.type):
        return f"it is {operation.memref.type}, @{name.string_value()} is {kind}: equal types are required"
    return ""


def contents_problem(operation: Operation) -> str:
    """What a global begins with has its shape and element type."""
    kind, contents = operation.properties.get("type"), operation.properties.get("initial_value")
    if not isinstance(kind, MemRefType) or not isinstance(contents, DenseIntOrFPElementsAttr):
        return ""
    found, element = contents.get_shape(), cast(Attribute, contents.get_element_type())
    if (kind.get_shape(), cast(Attribute, kind.get_element_type())) == (found, element):
        return ""
    return f"it is {kind}, its contents have {list(found)} of {element}: one shape and element type are required"
