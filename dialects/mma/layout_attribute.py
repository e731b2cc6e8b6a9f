"""How a shared buffer lies in memory, as an attribute."""

from __future__ import annotations

from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser

from vtac.dialects.mma.shared_layouts import SharedLayout
from vtac.dialects.record_attributes import RecordAttribute


@irdl_attr_definition
class SharedLayoutAttr(RecordAttribute[SharedLayout]):
    """`#mma.layout<swizzle 128 pitch 256>`: chunks of 16 bytes change places within each 128 bytes of a row.

    With `panels 64` every 64 rows are cut into panels of 128 bytes of each row.
    """

    name = "mma.layout"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> SharedLayout:
        with parser.in_angle_brackets():
            parser.parse_keyword("swizzle")
            swizzle = parser.parse_integer(allow_negative=False)
            parser.parse_keyword("pitch")
            pitch = parser.parse_integer(allow_negative=False)
            panels = parser.parse_optional_keyword("panels") is not None
            return SharedLayout(pitch, swizzle, parser.parse_integer(allow_negative=False) if panels else 0)
