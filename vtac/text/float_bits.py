"""Numbers of floating-point tensors given by their bits, such as `dense<[0.0, 0xFF800000]> : tensor<2xf32>`.

MLIR prints infinities and NaNs so. xDSL's parser takes the bits of scalars, but the elements of tensors for integers.
"""

from __future__ import annotations

from xdsl.dialects.builtin import AnyFloat, ComplexType, IndexType, IntegerType
from xdsl.parser import AttrParser, Parser


class FloatBitsParser(Parser):
    """xDSL's parser, which reads hexadecimal elements of floating-point tensors as bits."""

    class _Element(Parser._TensorLiteralElement):  # pyright: ignore[reportPrivateUsage]
        """An element whose text is hexadecimal."""

        def to_type(self, parser: AttrParser, type: AnyFloat | IntegerType | IndexType | ComplexType):
            if not isinstance(type, AnyFloat):
                return super().to_type(parser, type)
            size = type.compile_time_size
            if not isinstance(self.value, int) or not 0 <= self.value < 1 << 8 * size:
                parser.raise_error(f"{self.span.text} as {type}: the {8 * size} bits of one are required", self.span)
            return next(iter(type.iter_unpack(self.value.to_bytes(size, "little"))))

    def _parse_tensor_literal_element(self) -> Parser._TensorLiteralElement:
        found = super()._parse_tensor_literal_element()
        is_hexadecimal = found.span.text.lstrip("-").startswith("0x")
        return self._Element(found.is_negative, found.value, found.span) if is_hexadecimal else found
