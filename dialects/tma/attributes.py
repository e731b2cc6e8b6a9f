"""How boxes are cut out of an array: the attribute of bulk copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from xdsl.ir import Attribute, Data
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer

from vtac.dialects.im2col import Corners
from vtac.dialects.tensor_maps import Fill, TensorMap

MAP_TYPES = {"f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64", "i8": "int8", "i32": "int32"}
"""Names of a map's elements by their types in the IR."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """A tensor map without its array; dimensions count from the innermost one, strides in bytes."""

    box: tuple[int, ...]
    extents: tuple[int, ...]
    strides: tuple[int, ...]
    steps: tuple[int, ...]
    swizzle: int = 0
    fill: Fill = "zero"
    corners: Corners | None = None

    def map_of(self, array: str, element: Attribute) -> TensorMap:
        """The map of an array by its name, of elements of a type. Raises `ConfigError` for what there is not."""
        dtype = MAP_TYPES.get(str(element), str(element))
        layout = (self.extents, self.strides, self.box, self.steps, self.swizzle, self.fill, self.corners)
        return TensorMap(array, dtype, *layout)


@irdl_attr_definition
class BoxesAttr(Data[Boxes]):
    """`#tma.boxes<[64, 32] of [256, 100] strides [512] steps [1, 1] swizzle 128 fill zero>`.

    Of pixels `im2col [-1, -1] to [-1, -1]` stands behind the steps, the lower and the upper corner.
    """

    name = "tma.boxes"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Boxes:
        with parser.in_angle_brackets():
            box = _numbers(parser)
            parser.parse_keyword("of")
            extents = _numbers(parser)
            parser.parse_keyword("strides")
            strides = _numbers(parser)
            parser.parse_keyword("steps")
            steps = _numbers(parser)
            corners = None
            if parser.parse_optional_keyword("im2col") is not None:
                lower = _numbers(parser)
                parser.parse_keyword("to")
                corners = Corners(lower, _numbers(parser))
            parser.parse_keyword("swizzle")
            swizzle = parser.parse_integer(allow_negative=False)
            parser.parse_keyword("fill")
            fill = cast("Fill", parser.parse_identifier(context_msg="zero or nan"))
            return Boxes(box, extents, strides, steps, swizzle, fill, corners)

    def print_parameter(self, printer: Printer) -> None:
        own = self.data
        lists = [list(numbers) for numbers in (own.box, own.extents, own.strides, own.steps)]
        pixels = f" im2col {list(own.corners.lower)} to {list(own.corners.upper)}" if own.corners is not None else ""
        with printer.in_angle_brackets():
            printer.print_string(
                f"{lists[0]} of {lists[1]} strides {lists[2]} steps {lists[3]}{pixels} swizzle {own.swizzle} "
                f"fill {own.fill}"
            )


def _numbers(parser: AttrParser) -> tuple[int, ...]:
    return tuple(parser.parse_comma_separated_list(parser.Delimiter.SQUARE, parser.parse_integer))
