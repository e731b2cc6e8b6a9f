"""Attributes of the vta dialect."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser

from vtac.dialects.record_attributes import RecordAttribute


@dataclass(frozen=True, slots=True)
class UopLoop:
    """One hardware loop of a kernel: how far each index moves per iteration, in tiles."""

    extent: int
    dst: int
    src: int
    wgt: int = 0

    @property
    def shown(self) -> str:
        """The record as its attribute prints it."""
        return f"{self.extent}, {self.dst}, {self.src}, {self.wgt}"

    def problem(self) -> str:
        """Why the hardware has no such loop; empty when it has."""
        if self.extent < 1:
            return f"a hardware loop of extent {self.extent}; zero trips would run 16384 times"
        return ""


@irdl_attr_definition
class UopLoopAttr(RecordAttribute[UopLoop]):
    """`#vta.uop_loop<8, 98, 0, 9>`: extent, then the dst, src and wgt factors."""

    name = "vta.uop_loop"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> UopLoop:
        values = parser.parse_comma_separated_list(parser.Delimiter.ANGLE, parser.parse_integer)
        if len(values) != 4:
            parser.raise_error(f"a uop_loop has 4 values: extent, dst, src, wgt; found {len(values)}")
        return UopLoop(*values)
