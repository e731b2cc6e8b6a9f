"""The texts that xDSL prints of attributes, several times as quick for the kinds that programs are full of."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    DenseArrayBase,
    FileLineColLoc,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    NoneAttr,
    Signedness,
    StringAttr,
    TensorType,
)
from xdsl.ir import Attribute

_PLAIN = re.compile(r"[ !#-\[\]-~]*")
"""Characters that stand for themselves between quotation marks."""


def plain_text(attribute: Attribute) -> str | None:
    """What xDSL prints of an attribute in generic format; None for one of another kind, or with such a part."""
    spell = _SPELLED.get(type(attribute))
    return None if spell is None else spell(attribute)


def _integer_type(attribute: Attribute) -> str | None:
    kind = cast(IntegerType, attribute)
    return f"i{kind.width.data}" if kind.signedness.data is Signedness.SIGNLESS else None


def _integer(attribute: Attribute) -> str | None:
    number = cast("IntegerAttr[IntegerType | IndexType]", attribute)
    kind = plain_text(number.type)
    return None if kind is None or kind == "i1" else f"{number.value.data} : {kind}"


def _string(attribute: Attribute) -> str | None:
    text = cast(StringAttr, attribute).data
    return f'"{text}"' if _PLAIN.fullmatch(text) else None


def _numbers(attribute: Attribute) -> str | None:
    array = cast("DenseArrayBase[IntegerType]", attribute)
    kind = plain_text(array.elt_type)
    if kind not in ("i8", "i16", "i32", "i64"):
        return None
    listed = ", ".join(map(str, array.get_values()))
    return f"array<{kind}: {listed}>" if listed else f"array<{kind}>"


def _shaped(name: str, kind: Attribute, shape: tuple[int, ...]) -> str | None:
    element = plain_text(kind)
    return None if element is None or min(shape, default=0) < 0 else f"{name}<{'x'.join([*map(str, shape), element])}>"


def _tensor(attribute: Attribute) -> str | None:
    kind = cast("TensorType[Attribute]", attribute)
    return _shaped("tensor", kind.element_type, kind.get_shape()) if isinstance(kind.encoding, NoneAttr) else None


def _memref(attribute: Attribute) -> str | None:
    kind = cast("MemRefType[Attribute]", attribute)
    is_plain = isinstance(kind.layout, NoneAttr) and isinstance(kind.memory_space, NoneAttr)
    return _shaped("memref", kind.element_type, kind.get_shape()) if is_plain else None


def _array(attribute: Attribute) -> str | None:
    parts = [plain_text(one) for one in cast("ArrayAttr[Attribute]", attribute).data]
    known = [part for part in parts if part is not None]
    return f"[{', '.join(known)}]" if len(known) == len(parts) else None


def _place(attribute: Attribute) -> str | None:
    place = cast(FileLineColLoc, attribute)
    name = _string(place.filename)
    return None if name is None else f"loc({name}:{place.line.data}:{place.column.data})"


_SPELLED: dict[type[Attribute], Callable[[Attribute], str | None]] = {
    IndexType: lambda _: "index",
    IntegerType: _integer_type,
    IntegerAttr: _integer,
    StringAttr: _string,
    DenseArrayBase: _numbers,
    TensorType: _tensor,
    MemRefType: _memref,
    AffineMapAttr: lambda attribute: f"affine_map<{cast(AffineMapAttr, attribute).data}>",
    ArrayAttr: _array,
    FileLineColLoc: _place,
}
