"""The types of the mma dialect: registers that hold tiles of a product."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.ir import TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser

from vtac.dialects.gpu_hardware import ELEMENT_BYTES
from vtac.dialects.mma.layouts import INSTRUCTIONS, REGISTER_BYTES, ROLES, SHAPES, LaneLayout, MmaInstruction
from vtac.dialects.record_attributes import RecordAttribute


@dataclass(frozen=True, slots=True)
class Tiles:
    """An array of `count` tiles of one role of `mma.sync`, in the registers of a warp's lanes.

    `shape` is the instruction's, as PTX writes it; `element` is the type of what the role holds.
    """

    role: str
    shape: str
    element: str
    count: int = 1

    def problem(self) -> str:
        """Why there are no such tiles; empty when there are."""
        if self.role not in ROLES:
            return f"unknown role '{self.role}'; the roles are {', '.join(ROLES)}"
        if self.shape not in SHAPES:
            return f"unknown shape '{self.shape}' of mma.sync; the shapes are {', '.join(SHAPES)}"
        if self.count < 1:
            return f"an array of {self.count} tiles; at least 1 is required"
        if not self._instructions():
            return f"mma.sync has no {self.role} of {self.element} in {self.shape}"
        return ""

    def _instructions(self) -> list[MmaInstruction]:
        """The instructions that take such tiles; what lies where is the same in all of them."""
        return [one for one in INSTRUCTIONS if one.shape == self.shape and self.element == self._element(one)]

    def _element(self, one: MmaInstruction) -> str:
        return one.accumulator if self.role == "accumulator" else one.operand

    @property
    def layout(self) -> LaneLayout:
        """Where each element of one of the tiles is."""
        return self._instructions()[0].layout(self.role)

    @property
    def words(self) -> int:
        """32-bit registers that one tile takes of each lane."""
        return self.layout.elements * ELEMENT_BYTES[self.element] // REGISTER_BYTES

    @property
    def registers(self) -> int:
        """32-bit registers that the array takes of each lane."""
        return self.count * self.words

    @property
    def shown(self) -> str:
        """The record as its type prints it."""
        return f"{self.count} x {self.role} {self.shape} {self.element}"


@irdl_attr_definition
class TilesType(RecordAttribute[Tiles], TypeAttribute):
    """`!mma.tiles<4 x matrix_a m16n8k16 f16>`."""

    name = "mma.tiles"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Tiles:
        with parser.in_angle_brackets():
            count = parser.parse_integer(allow_negative=False)
            parser.parse_keyword("x")
            role = parser.parse_identifier(context_msg="role")
            shape = parser.parse_identifier(context_msg="shape of mma.sync")
            return Tiles(role, shape, parser.parse_identifier(context_msg="element type"), count)
