"""Operations of the packing dialect that change a layout and nothing else, and what they are simplified to."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import ClassVar, TypeVar, cast

from xdsl.dialects.builtin import DenseArrayBase, TensorType, i64
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    base,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.traits import (
    HasCanonicalizationPatternsTrait,
    Pure,
)
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.computations import ComputesTensor
from vtac.dialects.packing.numbered import NumberedOp

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


class _LayoutOp(NumberedOp):
    """Base of both directions: which dimensions are tiled, by how much, and the order of the outer ones."""

    NUMBERS: ClassVar[tuple[str, ...]] = ("dims", "tiles", "order")

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
        return cls.with_numbers(source, result, (dims, tiles, order))

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


class _PackPatterns(HasCanonicalizationPatternsTrait):
    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        return (PackOfUnpack(),)


class _UnpackPatterns(HasCanonicalizationPatternsTrait):
    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        return (UnpackOfPack(),)


class _ReshapePatterns(HasCanonicalizationPatternsTrait):
    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        return (ReshapeOfReshape(),)


class _TransposePatterns(HasCanonicalizationPatternsTrait):
    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        return (TransposeOfTranspose(),)


@irdl_op_definition
class PackOp(_LayoutOp):
    """Cut dimensions into tiles, the tile's dimensions last; zeros fill incomplete tiles."""

    name = "packing.pack"
    traits = traits_def(Pure(), ComputesTensor(), _PackPatterns())

    def verify_(self) -> None:
        self.verify_layout(self.source_type, self.result_type)


@irdl_op_definition
class UnpackOp(_LayoutOp):
    """The inverse of `pack`: the tiles in their places, what lies outside of the result cropped."""

    name = "packing.unpack"
    traits = traits_def(Pure(), ComputesTensor(), _UnpackPatterns())

    def verify_(self) -> None:
        self.verify_layout(self.result_type, self.source_type)


@irdl_op_definition
class ReshapeOp(IRDLOperation):
    """The same elements, in row-major order, as a tensor of another shape."""

    name = "packing.reshape"

    source = operand_def(_Tensor)
    result = result_def(_Tensor)

    traits = traits_def(Pure(), _ReshapePatterns())
    assembly_format = "$source attr-dict `:` type($source) `to` type($result)"

    def verify_(self) -> None:
        source = cast("TensorType[Attribute]", self.source.type)
        result = self.result.type
        if source.get_element_type() != result.get_element_type() or prod(source.get_shape()) != prod(
            result.get_shape()
        ):
            raise VerifyException(f"expected as many elements of the same type, found {source} and {result}")


@irdl_op_definition
class TransposeTilesOp(NumberedOp):
    """Dimensions in another order: dimension i of the result is `permutation[i]` of the source."""

    NUMBERS: ClassVar[tuple[str, ...]] = ("permutation",)

    name = "packing.transpose"

    permutation = prop_def(DenseArrayBase.constr(i64))

    traits = traits_def(Pure(), _TransposePatterns())

    @classmethod
    def of(cls, source: SSAValue, permutation: Sequence[int]) -> TransposeTilesOp:
        """The tensor `source` with its dimensions in that order."""
        kind = cast("TensorType[Attribute]", source.type)
        shape = [kind.get_shape()[dim] for dim in permutation]
        return cls.with_numbers(source, TensorType(kind.get_element_type(), shape), (permutation,))

    @property
    def order(self) -> tuple[int, ...]:
        """For each dimension of the result, the one of the source that it is."""
        return self.values()[0]

    def verify_(self) -> None:
        source = cast("TensorType[Attribute]", self.source.type)
        result = self.result.type
        if sorted(self.order) != list(range(len(source.get_shape()))):
            raise VerifyException(
                f"expected a permutation of all {len(source.get_shape())} dimensions, found {list(self.order)}"
            )
        wanted = TensorType(source.get_element_type(), [source.get_shape()[dim] for dim in self.order])
        if result != wanted:
            raise VerifyException(f"expected the result {wanted}, found {result}")


class UnpackOfPack(RewritePattern):
    """What is packed and unpacked again is as it was: the zeros that filled incomplete tiles are cropped."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: UnpackOp, rewriter: PatternRewriter) -> None:
        packed = op.source.owner
        if isinstance(packed, PackOp) and packed.layout() == op.layout() and packed.source.type == op.result.type:
            rewriter.replace(op, [], [packed.source])


class PackOfUnpack(RewritePattern):
    """What is unpacked and packed again is as it was, unless its tiles are incomplete: what fills them is cropped."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: PackOp, rewriter: PatternRewriter) -> None:
        plain = op.source.owner
        if not isinstance(plain, UnpackOp) or plain.layout() != op.layout() or plain.source.type != op.result.type:
            return
        shape = cast("TensorType[Attribute]", op.source.type).get_shape()
        dims, tiles, _ = op.layout()
        if all(shape[dim] % tile == 0 for dim, tile in zip(dims, tiles, strict=True)):
            rewriter.replace(op, [], [plain.source])


class ReshapeOfReshape(RewritePattern):
    """Elements keep their row-major order: only the last shape counts, and one that is there already goes."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: ReshapeOp, rewriter: PatternRewriter) -> None:
        before = op.source.owner
        if op.source.type == op.result.type:
            rewriter.replace(op, [], [op.source])
        elif isinstance(before, ReshapeOp):
            rewriter.replace(op, ReshapeOp(operands=[before.source], result_types=[op.result.type]))


class TransposeOfTranspose(RewritePattern):
    """Of transposes in a row only the order of all counts, and one that keeps every dimension in its place goes."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: TransposeTilesOp, rewriter: PatternRewriter) -> None:
        before = op.source.owner
        if op.order == tuple(range(len(op.order))):
            rewriter.replace(op, [], [op.source])
        elif isinstance(before, TransposeTilesOp):
            rewriter.replace(op, TransposeTilesOp.of(before.source, [before.order[dim] for dim in op.order]))
