"""The type of a matrix descriptor."""

from __future__ import annotations

from xdsl.ir import TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser

from vtac.dialects.record_attributes import RecordAttribute
from vtac.dialects.wgmma.matrices import SharedMatrix


@irdl_attr_definition
class DescriptorType(RecordAttribute[SharedMatrix], TypeAttribute):
    """`!wgmma.descriptor<f16 k_major swizzle 128 leading 16 stride 1024>`: leading and stride in bytes."""

    name = "wgmma.descriptor"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> SharedMatrix:
        with parser.in_angle_brackets():
            element = parser.parse_identifier(context_msg="element type")
            major = parser.parse_identifier(context_msg="k_major or mn_major")
            numbers: list[int] = []
            for keyword in ("swizzle", "leading", "stride"):
                parser.parse_keyword(keyword)
                numbers.append(parser.parse_integer(allow_negative=False))
            return SharedMatrix(element, major, *numbers)
