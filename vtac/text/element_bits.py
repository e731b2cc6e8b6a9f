"""Constants given by their bits: `dense<[0.0, 0xFF800000]> : tensor<2xf32>`, and `dense<"0x05"> : tensor<3xi1>`.

MLIR prints infinities and NaNs so, and all elements of large constants in one text; of single bits, eight in a byte,
the first one lowest. xDSL's parser takes the bits of scalars, but elements of tensors for integers, and bytes for bits.
"""

from __future__ import annotations

from math import ceil, copysign, inf, prod

from xdsl.dialects.builtin import (
    AnyFloat,
    BFloat16Type,
    BytesAttr,
    ComplexType,
    DenseIntOrFPElementsAttr,
    Float16Type,
    Float32Type,
    Float80Type,
    Float128Type,
    FloatAttr,
    IndexType,
    IntegerAttr,
    IntegerType,
    RankedStructure,
    i1,
)
from xdsl.ir import Attribute
from xdsl.parser import AttrParser, Parser

from vtac.limits import MEMORY

_WIDE = "constants of f80 and f128 are not read: no arithmetic here is as exact; write f64"
_SIGNALLING = "{text} as {kind} is a signalling NaN, which is not kept: set the highest bit of its fraction"
_PAYLOAD = "{text} as {kind} is a NaN with a payload, which is not kept: write 0x7E00 or 0xFE00"
_FRACTION_BITS: dict[type[Attribute], int] = {BFloat16Type: 7, Float16Type: 10, Float32Type: 23}
_FEW = 100
"""Elements that are printed as numbers; more of them are printed as the bytes that were read."""
_ITEM_BYTES = 32
"""What the parser takes for each element of a constant: its number, a reference to it and its bytes."""
_LARGEST_F16 = 65504.0
"""The largest number of the narrowest float: smaller ones are in range in every type."""


def lost_nan(bits: int, kind: Attribute, text: str) -> str:
    """What is wrong with bits, written as `text`, that Python's numbers would make another NaN; empty if nothing.

    These are signalling NaNs of types of up to 32 bits, which become quiet ones, and of f16 all that have a payload.
    """
    fraction = _FRACTION_BITS.get(type(kind))
    if fraction is None or not isinstance(kind, AnyFloat):
        return ""
    infinity, quiet = (1 << (kind.bitwidth - 1)) - (1 << fraction), 1 << (fraction - 1)
    beyond = (bits & ((1 << (kind.bitwidth - 1)) - 1)) - infinity
    if 0 < beyond < quiet:
        return _SIGNALLING.format(text=text, kind=kind)
    return _PAYLOAD.format(text=text, kind=kind) if isinstance(kind, Float16Type) and beyond > quiet else ""


class ElementBitsParser(Parser):
    """xDSL's parser, which reads hexadecimal elements of floating-point tensors, and packed bits, as MLIR does."""

    class _Bits(Parser._TensorLiteralElement):  # pyright: ignore[reportPrivateUsage]
        """An element whose text is hexadecimal."""

        def to_type(self, parser: AttrParser, type: AnyFloat | IntegerType | IndexType | ComplexType):
            if not isinstance(type, AnyFloat):
                return super().to_type(parser, type)
            size = type.compile_time_size
            if not isinstance(self.value, int) or not 0 <= self.value < 1 << 8 * size:
                parser.raise_error(f"{self.span.text} as {type}: the {8 * size} bits of one are required", self.span)
            if lost := lost_nan(self.value, type, self.span.text):
                parser.raise_error(lost, self.span)
            return next(iter(type.iter_unpack(self.value.to_bytes(size, "little"))))

    class _Large(Parser._TensorLiteralElement):  # pyright: ignore[reportPrivateUsage]
        """A number that a narrow type rounds to infinity."""

        def to_type(self, parser: AttrParser, type: AnyFloat | IntegerType | IndexType | ComplexType):
            found = super().to_type(parser, type)
            if not isinstance(type, AnyFloat) or not isinstance(found, float):
                return found
            try:
                type.pack((found,))
            except OverflowError:
                return copysign(inf, found)
            return found

    def parse_optional_builtin_int_or_float_attr(self) -> IntegerAttr | FloatAttr | None:
        start, text = self.pos, self._current_token.span.text
        try:
            found = super().parse_optional_builtin_int_or_float_attr()
        except NotImplementedError:
            self.raise_error(_WIDE, start, self.pos)
        kind = found.type if isinstance(found, FloatAttr) else None
        if isinstance(kind, Float80Type | Float128Type):
            self.raise_error(_WIDE, start, self.pos)
        if kind is not None and text[:2] in ("0x", "0X") and (lost := lost_nan(int(text, 16), kind, text)):
            self.raise_error(lost, start, self.pos)
        return found

    def _parse_dense_literal_type(self) -> RankedStructure[IntegerType | IndexType | AnyFloat | ComplexType]:
        start = self.pos
        kind = super()._parse_dense_literal_type()
        self._refuse_type(kind, start)
        return kind

    def _refuse_type(self, kind: RankedStructure[IntegerType | IndexType | AnyFloat | ComplexType], start: int) -> None:
        """Constants of elements that are too wide, or that one number would unfold to more than memory holds."""
        if isinstance(kind.element_type, Float80Type | Float128Type):
            self.raise_error(_WIDE, start, self.pos)
        found = MEMORY.refusal(prod(kind.get_shape()) * _ITEM_BYTES)
        if found:
            self.raise_error(f"reading a constant of type {kind} takes {found}", start, self.pos)

    def _parse_tensor_literal_element(self) -> Parser._TensorLiteralElement:
        found = super()._parse_tensor_literal_element()
        if found.span.text.lstrip("-").startswith("0x"):
            return self._Bits(found.is_negative, found.value, found.span)
        if isinstance(found.value, float) and abs(found.value) > _LARGEST_F16:
            return self._Large(found.is_negative, found.value, found.span)
        return found

    def parse_dense_int_or_fp_elements_attr(
        self, type: RankedStructure[IntegerType | IndexType | AnyFloat | ComplexType] | None = None
    ) -> DenseIntOrFPElementsAttr:
        start = self.pos
        if type is not None:
            self._refuse_type(type, start)
        self.parse_punctuation("<", " in dense attribute")
        text = self.parse_optional_str_literal()
        if text is None:
            self._resume_from(start)
            return super().parse_dense_int_or_fp_elements_attr(type)
        self.parse_punctuation(">", " in dense attribute")
        if type is None:
            self.parse_punctuation(":", " in dense attribute")
            type = self._parse_dense_literal_type()
        return self._elements_of(text, type, start)

    def _elements_of(
        self, text: str, kind: RankedStructure[IntegerType | IndexType | AnyFloat | ComplexType], start: int
    ) -> DenseIntOrFPElementsAttr:
        """A constant whose elements are given in one text, or one element for all of them."""
        try:
            data = bytes.fromhex(text[2:])
        except ValueError:
            data = None
        if data is None or not text.startswith("0x"):
            self.raise_error(f"the elements of {kind} are no hexadecimal bytes that begin with 0x", start, self.pos)
        count = prod(kind.get_shape())
        size = kind.element_type.compile_time_size
        if kind.element_type == i1:
            data, wanted = _unpacked(data, count), ceil(count / 8)
        else:
            data, wanted = data * count if len(data) == size else data, size * count
        if len(data) != size * count:
            self.raise_error(f"{kind} takes {wanted} bytes of elements, others are given", start, self.pos)
        if count <= _FEW and type(kind.element_type) in _FRACTION_BITS:
            for number in range(count):
                bits = int.from_bytes(data[number * size : (number + 1) * size], "little")
                if lost := lost_nan(bits, kind.element_type, f"element {number}"):
                    self.raise_error(lost, start, self.pos)
        return DenseIntOrFPElementsAttr(kind, BytesAttr(data))


def _unpacked(data: bytes, count: int) -> bytes:
    """A byte for each of `count` bits, which stand eight in a byte, or a byte each as xDSL prints them."""
    if data in (b"\x00", b"\xff"):
        return data * count
    if len(data) == count:
        return bytes([0xFF * (byte & 1) for byte in data])
    if len(data) != ceil(count / 8):
        return b""
    return bytes([0xFF * (data[bit // 8] >> bit % 8 & 1) for bit in range(count)])
