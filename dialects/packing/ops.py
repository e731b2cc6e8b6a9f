"""Operations of the packing dialect."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Self, TypeVar, cast

from xdsl.dialects.builtin import DenseArrayBase, StringAttr, TensorType, i64
from xdsl.ir import Attribute, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    base,
    irdl_op_definition,
    operand_def,
    prop_def,
    region_def,
    result_def,
    traits_def,
    var_operand_def,
    var_result_def,
)
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.traits import HasParent, IsTerminator, NoMemoryEffect, Pure, RecursiveMemoryEffect
from xdsl.utils.exceptions import VerifyException

_T = TypeVar("_T", bound="_LayoutOp")
_Tensor = base(TensorType)


def packed_shape(shape: Sequence[int], dims: Sequence[int], tiles: Sequence[int], order: Sequence[int]) -> list[int]:
    """Shape of a packed tensor: the outer dimensions in `order`, then the tile.

    Dimension `dims[i]` is cut into pieces of `tiles[i]` elements, the last filled with zeros.
    """
    outer = list(shape)
    for dim, tile in zip(dims, tiles, strict=True):
        outer[dim] = -(-outer[dim] // tile)
    return [*(outer[dim] for dim in order), *tiles]


class _LayoutOp(IRDLOperation):
    """Base of both directions: which dimensions are tiled, by how much, and the order of the outer ones."""

    source = operand_def(_Tensor)
    result = result_def(_Tensor)
    dims = prop_def(DenseArrayBase.constr(i64))
    tiles = prop_def(DenseArrayBase.constr(i64))
    order = prop_def(DenseArrayBase.constr(i64))

    traits = traits_def(Pure())

    @classmethod
    def build_from(
        cls: type[_T],
        source: SSAValue,
        result: TensorType[Attribute],
        dims: Sequence[int],
        tiles: Sequence[int],
        order: Sequence[int],
    ) -> _T:
        """Make the op; all sizes in elements."""
        numbers = {"dims": dims, "tiles": tiles, "order": order}
        return cls(
            operands=[source],
            result_types=[result],
            properties={name: DenseArrayBase.from_list(i64, list(values)) for name, values in numbers.items()},
        )

    @property
    def source_type(self) -> TensorType[Attribute]:
        return cast("TensorType[Attribute]", self.source.type)

    @property
    def result_type(self) -> TensorType[Attribute]:
        return self.result.type

    def layout(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """`dims`, `tiles` and `order`."""
        return tuple(self.dims.get_values()), tuple(self.tiles.get_values()), tuple(self.order.get_values())

    def verify_layout(self, plain: TensorType[Attribute], packed: TensorType[Attribute]) -> None:
        dims, tiles, order = self.layout()
        rank = len(plain.get_shape())
        if plain.get_element_type() != packed.get_element_type():
            raise VerifyException(
                f"packing keeps the element type, found {plain.get_element_type()} and {packed.get_element_type()}"
            )
        if len(dims) != len(tiles) or len(set(dims)) != len(dims) or not all(0 <= dim < rank for dim in dims):
            raise VerifyException(
                f"expected one tile size for each of several different dimensions below {rank}, "
                f"found dims {list(dims)} and tiles {list(tiles)}"
            )
        if any(tile < 1 for tile in tiles):
            raise VerifyException(f"expected positive tile sizes, found {list(tiles)}")
        if sorted(order) != list(range(rank)):
            raise VerifyException(f"expected an order of all {rank} dimensions, found {list(order)}")
        if any(extent < 1 for extent in (*plain.get_shape(), *packed.get_shape())):
            raise VerifyException("expected static, non-empty shapes")
        wanted = packed_shape(plain.get_shape(), dims, tiles, order)
        if list(packed.get_shape()) != wanted:
            raise VerifyException(f"expected the packed shape {wanted}, found {list(packed.get_shape())}")

    def print(self, printer: Printer) -> None:
        printer.print_string(" ")
        printer.print_ssa_value(self.source)
        for name, values in zip(("dims", "tiles", "order"), self.layout(), strict=True):
            printer.print_string(f" {name} [{', '.join(map(str, values))}]")
        printer.print_op_attributes(self.attributes)
        printer.print_string(" : ")
        printer.print_attribute(self.source.type)
        printer.print_string(" to ")
        printer.print_attribute(self.result.type)

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        source = parser.parse_unresolved_operand()
        numbers: list[list[int]] = []
        for name in ("dims", "tiles", "order"):
            parser.parse_keyword(name)
            numbers.append(parser.parse_comma_separated_list(Parser.Delimiter.SQUARE, parser.parse_integer))
        attributes = parser.parse_optional_attr_dict()
        parser.parse_punctuation(":")
        resolved = parser.resolve_operand(source, parser.parse_type())
        parser.parse_keyword("to")
        result = parser.parse_type()
        if not isinstance(result, TensorType):
            parser.raise_error(f"expected a tensor type, found {result}")
        op = cls.build_from(resolved, cast("TensorType[Attribute]", result), *numbers)
        op.attributes |= attributes
        return op


@irdl_op_definition
class PackOp(_LayoutOp):
    """Cut dimensions into tiles, the tile's dimensions last; zeros fill incomplete tiles."""

    name = "packing.pack"

    def verify_(self) -> None:
        self.verify_layout(self.source_type, self.result_type)


@irdl_op_definition
class UnpackOp(_LayoutOp):
    """The inverse of `pack`: the tiles in their places, what lies outside of the result cropped."""

    name = "packing.unpack"

    def verify_(self) -> None:
        self.verify_layout(self.result_type, self.source_type)


@irdl_op_definition
class ReshapeOp(IRDLOperation):
    """The same elements, in row-major order, as a tensor of another shape."""

    name = "packing.reshape"

    source = operand_def(_Tensor)
    result = result_def(_Tensor)

    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `to` type($result)"

    def verify_(self) -> None:
        source = cast("TensorType[Attribute]", self.source.type)
        result = self.result.type
        if source.get_element_type() != result.get_element_type() or prod(source.get_shape()) != prod(
            result.get_shape()
        ):
            raise VerifyException(f"expected as many elements of the same type, found {source} and {result}")


@irdl_op_definition
class BlockDiagonalOp(IRDLOperation):
    """The kernel of a convolution in groups, with zeros between groups that are computed as one.

    (G, F, C, H, W) as (G * F, M * C, H, W), for M neighbouring groups at once; for all of
    them that is the dense kernel.
    """

    name = "packing.block_diagonal"

    source = operand_def(_Tensor)
    result = result_def(_Tensor)

    traits = traits_def(Pure())
    assembly_format = "$source attr-dict `:` type($source) `to` type($result)"

    def verify_(self) -> None:
        source = cast("TensorType[Attribute]", self.source.type)
        shape = source.get_shape()
        if len(shape) != 5:
            raise VerifyException(f"expected groups of kernels of rank 5, found {source}")
        groups, features, channels, *taps = shape
        result = self.result.type
        if len(result.get_shape()) == 4:
            merged = result.get_shape()[1] // channels
            kind = TensorType(source.get_element_type(), [groups * features, merged * channels, *taps])
            if merged > 0 and groups % merged == 0 and result == kind:
                return
        wanted = TensorType(source.get_element_type(), [groups * features, groups * channels, *taps])
        raise VerifyException(
            f"expected the result {wanted}, or with the channels of a divisor of {groups} groups, found {result}"
        )


@irdl_op_definition
class InterleaveOp(IRDLOperation):
    """One i32 tensor from its four byte planes, the lowest byte first, each an i8 tensor of the same shape."""

    name = "packing.interleave"

    planes = var_operand_def(_Tensor)
    result = result_def(_Tensor)

    traits = traits_def(Pure())
    assembly_format = "$planes attr-dict `:` type($planes) `to` type($result)"

    def verify_(self) -> None:
        result = self.result.type
        if str(result.get_element_type()) != "i32" or len(self.planes) != 4:
            raise VerifyException(f"expected four planes and an i32 result, found {len(self.planes)} and {result}")
        for plane in self.planes:
            kind = cast("TensorType[Attribute]", plane.type)
            if str(kind.get_element_type()) != "i8" or kind.get_shape() != result.get_shape():
                raise VerifyException(f"expected i8 planes of shape {list(result.get_shape())}, found {kind}")


@irdl_op_definition
class JoinOp(IRDLOperation):
    """Tensors one after the other along their first dimension."""

    name = "packing.join"

    parts = var_operand_def(_Tensor)
    result = result_def(_Tensor)

    traits = traits_def(Pure())
    assembly_format = "$parts attr-dict `:` type($parts) `to` type($result)"

    def verify_(self) -> None:
        result = self.result.type
        kinds = [cast("TensorType[Attribute]", part.type) for part in self.parts]
        rest = [(kind.get_element_type(), tuple(kind.get_shape()[1:])) for kind in kinds]
        wanted = (result.get_element_type(), tuple(result.get_shape()[1:]))
        if any(one != wanted for one in rest) or sum(kind.get_shape()[0] for kind in kinds) != result.get_shape()[0]:
            raise VerifyException(f"expected parts that make up {result}, found {', '.join(map(str, kinds))}")


@irdl_op_definition
class HostOp(IRDLOperation):
    """Operations that the host executes, and the reason why the VTA does not."""

    name = "packing.host"

    reason = prop_def(StringAttr)
    outputs = var_result_def()
    body = region_def("single_block")

    traits = traits_def(RecursiveMemoryEffect())
    assembly_format = "$reason attr-dict-with-keyword (`->` type($outputs)^)? $body"

    @staticmethod
    def get(reason: str, outputs: Sequence[Attribute], body: Region) -> HostOp:
        """A segment whose body ends in `packing.yield` of values of the types `outputs`."""
        return HostOp(properties={"reason": StringAttr(reason)}, result_types=[list(outputs)], regions=[body])

    def verify_(self) -> None:
        last = self.body.block.last_op
        if not isinstance(last, YieldOp):
            raise VerifyException("expected a body that ends in packing.yield")
        given, wanted = [value.type for value in last.values], [value.type for value in self.outputs]
        if given != wanted:
            raise VerifyException(
                f"expected packing.yield of {', '.join(map(str, wanted))}, found {', '.join(map(str, given))}"
            )


@irdl_op_definition
class YieldOp(IRDLOperation):
    """What a host segment gives to the program around it."""

    name = "packing.yield"

    values = var_operand_def()

    traits = traits_def(IsTerminator(), NoMemoryEffect(), HasParent(HostOp))
    assembly_format = "($values^ `:` type($values))? attr-dict"
