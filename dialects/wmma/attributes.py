"""The fragment type: a warp's share of one matrix tile, as a self-checking record."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xdsl.ir import TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser

from vtac.dialects.gpu_hardware import ELEMENT_BYTES, WARP_SIZE, gpu_architectures
from vtac.dialects.record_attributes import RecordAttribute

ROLES = ("matrix_a", "matrix_b", "accumulator")
LAYOUTS = ("row_major", "col_major")


@dataclass(frozen=True, slots=True)
class Fragment:
    """An array of `count` fragments of D = A x B + C with A m x k, B k x n, C and D m x n.

    `layout` says how the matrix lies in memory when A or B is loaded; an accumulator has
    none, its layout is chosen by load and store.
    """

    role: str
    m: int
    n: int
    k: int
    element: str
    layout: str | None = None
    count: int = 1

    @property
    def rows(self) -> int:
        return self.k if self.role == "matrix_b" else self.m

    @property
    def columns(self) -> int:
        return self.k if self.role == "matrix_a" else self.n

    @property
    def shown(self) -> str:
        """The record as its type prints it."""
        layout = f" {self.layout}" if self.layout is not None else ""
        return f"{self.count} x {self.role} [{self.m}, {self.n}, {self.k}] {self.element}{layout}"

    @property
    def registers(self) -> int:
        """32-bit registers that the array takes of each lane, at least: its elements spread evenly over a warp."""
        return self.count * self.rows * self.columns * ELEMENT_BYTES.get(self.element, 4) // (WARP_SIZE * 4)

    def copies(self, number: int) -> Fragment:
        """An array of `number` times as many fragments."""
        return replace(self, count=self.count * number)

    def problem(self) -> str:
        """Why CUDA has no such fragment; empty when it has."""
        if self.role not in ROLES:
            return f"unknown fragment role '{self.role}'; the roles are {', '.join(ROLES)}"
        if self.count < 1:
            return f"an array of {self.count} fragments; at least 1 is required"
        if self.role == "accumulator" and self.layout is not None:
            return "an accumulator has no layout: load and store name it"
        if self.role != "accumulator" and self.layout not in LAYOUTS:
            return f"a {self.role} fragment needs a layout: {' or '.join(LAYOUTS)}"
        operations = {operation for record in gpu_architectures().values() for operation in record.operations}
        for operation in operations:
            element = operation.accumulator if self.role == "accumulator" else operation.operand
            if (operation.m, operation.n, operation.k) == (self.m, self.n, self.k) and element == self.element:
                return ""
        return f"CUDA has no {self.role} fragment of {self.m}x{self.n}x{self.k} with {self.element} elements"


@irdl_attr_definition
class FragmentType(RecordAttribute[Fragment], TypeAttribute):
    """`!wmma.fragment<2 x matrix_a [16, 16, 16] f16 row_major>`."""

    name = "wmma.fragment"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Fragment:
        with parser.in_angle_brackets():
            count = parser.parse_integer(allow_negative=False)
            parser.parse_keyword("x")
            role = parser.parse_identifier(context_msg="fragment role")
            m, n, k = _shape(parser)
            element = parser.parse_identifier(context_msg="element type")
            layout = parser.parse_optional_identifier()
            return Fragment(role, m, n, k, element, layout, count)


def _shape(parser: AttrParser) -> tuple[int, int, int]:
    values = parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer)
    if len(values) != 3:
        parser.raise_error(f"a fragment shape is [m, n, k]; found {len(values)} numbers")
    return values[0], values[1], values[2]
