"""Attributes of the vta dialect."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.ir import Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException


@dataclass(frozen=True, slots=True)
class UopLoop:
    """One hardware loop of a kernel: how far each index moves per iteration, in tiles."""

    extent: int
    dst: int
    src: int
    wgt: int = 0


@irdl_attr_definition
class UopLoopAttr(Data[UopLoop]):
    """`#vta.uop_loop<8, 98, 0, 9>`: extent, then the dst, src and wgt factors."""

    name = "vta.uop_loop"

    def verify(self) -> None:
        if self.data.extent < 1:
            raise VerifyException(f"a hardware loop of extent {self.data.extent}; zero trips would run 16384 times")

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> UopLoop:
        values = parser.parse_comma_separated_list(parser.Delimiter.ANGLE, parser.parse_integer)
        if len(values) != 4:
            parser.raise_error(f"a uop_loop has 4 values: extent, dst, src, wgt; found {len(values)}")
        return UopLoop(*values)

    def print_parameter(self, printer: Printer) -> None:
        loop = self.data
        with printer.in_angle_brackets():
            printer.print_string(f"{loop.extent}, {loop.dst}, {loop.src}, {loop.wgt}")
