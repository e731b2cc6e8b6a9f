"""Attributes by the texts that xDSL prints of them; those that lowered functions are full of without its parser.

What is read of a text prints as that text. Other texts are for xDSL.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import (
    AffineMapAttr,
    ArrayAttr,
    BytesAttr,
    DenseArrayBase,
    DictionaryAttr,
    FunctionType,
    IndexType,
    IntegerAttr,
    IntegerType,
    MemRefType,
    StringAttr,
    TensorType,
    UnitAttr,
)
from xdsl.ir import Attribute
from xdsl.ir.affine import (
    AffineBinaryOpExpr,
    AffineBinaryOpKind,
    AffineConstantExpr,
    AffineDimExpr,
    AffineExpr,
    AffineMap,
    AffineSymExpr,
)
from xdsl.parser import Parser

from vtac.dialects.vta.attributes import UopLoop, UopLoopAttr
from vtac.text.context import make_context

Read = Callable[[str], Attribute]

_INTEGER = re.compile(r"(-?\d+) : (i\d+|index)")
_STRING = re.compile(r'"([^"\\]*)"')
_NUMBERS = re.compile(r"array<i(32|64)(?:: (-?\d+(?:, -?\d+)*))?>")
_SHAPED = re.compile(r"(memref|tensor)<((?:\d+x)*)(i\d+)>")
_LOOP = re.compile(r"#vta\.uop_loop<(\d+), (-?\d+), (-?\d+), (-?\d+)>")
_MAP = re.compile(r"affine_map<(\(([d\d, ]*)\)(?:\[([s\d, ]*)\])? -> \(([^>]*)\))>")
_NAME = re.compile(r"[ds]\d+")
_TOKEN = re.compile(r"\(|\)|[ds]\d+|-?\d+|\+|\*|floordiv|ceildiv|mod")
_KINDS = {kind.get_token(): kind for kind in AffineBinaryOpKind}
_FUNCTION = re.compile(r"\((.*)\) -> \((.*)\)")
_PART = re.compile(r'"(?:[^"\\]|\\.)*"|->|[\[({<]|[\])}>]|, ')
_NAMED = re.compile(r"([A-Za-z_][\w$.]*)(?: = (.*))?")


@lru_cache(maxsize=1)
def plain_context() -> Context:
    """A context of all dialects that nobody changes."""
    return make_context()


@lru_cache(maxsize=4096)
def parsed_attribute(text: str) -> Attribute:
    """The attribute that a text spells."""
    found = composed_attribute(text, parsed_attribute)
    return Parser(plain_context(), text).parse_attribute() if found is None else found


def composed_attribute(text: str, read: Read) -> Attribute | None:
    """The attribute of a text, whose parts `read` gives; None for one that is for xDSL's parser."""
    for pattern, make in _FORMS:
        found = pattern.fullmatch(text)
        if found is not None:
            return make(found, read)
    return None


def _integer(found: re.Match[str], read: Read) -> Attribute:
    return IntegerAttr(int(found[1]), cast("IntegerType | IndexType", read(found[2])))


def _numbers(found: re.Match[str], read: Read) -> Attribute:
    numbers = list(map(int, found[2].split(", "))) if found[2] else []
    packed = struct.pack(f"<{len(numbers)}{'i' if found[1] == '32' else 'q'}", *numbers)
    return DenseArrayBase(cast(IntegerType, read(f"i{found[1]}")), BytesAttr(packed))


def _shaped(found: re.Match[str], read: Read) -> Attribute:
    shape = list(map(int, found[2].split("x")[:-1]))
    return (MemRefType if found[1] == "memref" else TensorType)(read(found[3]), shape)


def _function(found: re.Match[str], read: Read) -> Attribute | None:
    inputs, outputs = _parts(found[1]), _parts(found[2])
    if inputs is None or outputs is None:
        return None
    return FunctionType.from_lists([read(one) for one in inputs], [read(one) for one in outputs])


def _array(found: re.Match[str], read: Read) -> Attribute | None:
    parts = _parts(found[1])
    return None if parts is None else ArrayAttr([read(one) for one in parts])


def _dictionary(found: re.Match[str], read: Read) -> Attribute | None:
    entries = [_NAMED.fullmatch(part) for part in _parts(found[1]) or ()]
    if found[1] and not (entries and all(entries)):
        return None
    named = [(entry[1], entry[2]) for entry in entries if entry is not None]
    return DictionaryAttr({name: UnitAttr() if value is None else read(value) for name, value in named})


def _parts(text: str) -> list[str] | None:
    """What stands between the commas of a list; None where brackets do not match."""
    if not text:
        return []
    parts: list[str] = []
    depth = begin = 0
    for found in _PART.finditer(text):
        sign = found[0]
        if sign in "[({<":
            depth += 1
        elif sign in "])}>":
            depth -= 1
            if depth < 0:
                return None
        elif sign == ", " and not depth:
            parts.append(text[begin : found.start()])
            begin = found.end()
    return None if depth else [*parts, text[begin:]]


def _map(found: re.Match[str], read: Read) -> Attribute | None:
    del read
    dims, symbols, results = found[2], found[3] or "", found[4]
    if not {*_NAME.findall(results)}.issubset(_NAME.findall(dims + symbols)):
        return None
    try:
        made = AffineMap(dims.count("d"), symbols.count("s"), _expressions(results))
    except IndexError:
        return None
    return AffineMapAttr(made) if str(made) == found[1] else None


def _expressions(text: str) -> tuple[AffineExpr, ...]:
    """Affine expressions, in which each operation has brackets of its own."""
    held: list[AffineExpr | AffineBinaryOpKind] = []
    for token in _TOKEN.findall(text):
        if token == ")":
            right, kind, left = held.pop(), held.pop(), held.pop()
            both = cast(AffineExpr, left), cast(AffineExpr, right)
            held.append(AffineBinaryOpExpr(cast(AffineBinaryOpKind, kind), *both))
        elif token in _KINDS:
            held.append(_KINDS[token])
        elif token != "(":
            held.append(_leaf(token))
    return cast("tuple[AffineExpr, ...]", tuple(held))


@lru_cache(maxsize=1024)
def _leaf(token: str) -> AffineExpr:
    if token[0] in "ds":
        return (AffineDimExpr if token[0] == "d" else AffineSymExpr)(int(token[1:]))
    return AffineConstantExpr(int(token))


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Read], Attribute | None]], ...] = (
    (_NUMBERS, _numbers),
    (_MAP, _map),
    (_INTEGER, _integer),
    (_STRING, lambda found, _: StringAttr(found[1])),
    (_SHAPED, _shaped),
    (_LOOP, lambda found, _: UopLoopAttr(UopLoop(*map(int, found.groups())))),
    (re.compile(r"i(\d+)"), lambda found, _: IntegerType(int(found[1]))),
    (re.compile(r"\[(.*)\]"), _array),
    (re.compile(r"\{(.*)\}"), _dictionary),
    (_FUNCTION, _function),
)
