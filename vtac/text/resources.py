"""Large constants that MLIR text keeps at its end, `dense_resource<key>`: their bytes move into the module.

xDSL keeps them in a store of the context, by key; a module that holds its own bytes stays right whatever is
parsed after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from xdsl.context import Context
from xdsl.dialect_interfaces.op_asm import OpAsmDialectInterface
from xdsl.dialects.builtin import (
    AnyFloat,
    BytesAttr,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    IntegerType,
    TensorType,
)
from xdsl.ir import Attribute, Operation
from xdsl.utils.hints import isa

from vtac.analysis.ir.locations import location_of
from vtac.text.reports import Report, SourceError

_ALIGNMENT_BYTES = 4


def resource_store(context: Context) -> dict[str, str]:
    """Returns the store of the builtin dialect's resources in a context: hexadecimal text by key."""
    interface = context.get_dialect("builtin").get_interface(OpAsmDialectInterface)
    return {} if interface is None else interface._blob_storage  # pyright: ignore[reportPrivateUsage]


def inline_resources(module: Operation, store: Mapping[str, str]) -> None:
    """Replaces each operation's `dense_resource` tensors whose bytes `store` has by `dense` ones.

    Resources without bytes, of other types than tensors of whole-byte elements, or inside other attributes
    stay as they are. Raises `SourceError` when the bytes don't fill the type.
    """
    for operation in module.walk():
        for attributes in (operation.attributes, operation.properties):
            for name, attribute in attributes.items():
                attributes[name] = _inlined(attribute, store, operation)


def _inlined(attribute: Attribute, store: Mapping[str, str], operation: Operation) -> Attribute:
    if not isinstance(attribute, DenseResourceAttr):
        return attribute
    key, kind = attribute.resource_handle.data, attribute.type
    text = store.get(key)
    if not text or not isa(kind, TensorType[IntegerType | AnyFloat]) or kind.element_type.bitwidth % 8:
        return attribute
    expected = prod(kind.get_shape()) * kind.element_type.bitwidth // 8
    try:
        data = bytes.fromhex(text.removeprefix("0x"))[_ALIGNMENT_BYTES:]
    except ValueError as error:
        raise _error(f"resource '{key}' is not hexadecimal: {error}", operation) from None
    if len(data) != expected:
        raise _error(f"resource '{key}' holds {len(data)} bytes, but its type {kind} takes {expected}", operation)
    return DenseIntOrFPElementsAttr(kind, BytesAttr(data))


def _error(message: str, operation: Operation) -> SourceError:
    return SourceError([Report("error", message, location_of(operation))])
