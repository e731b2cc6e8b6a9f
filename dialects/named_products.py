"""linalg's named products of matrices and vectors.

As in MLIR, `linalg.matmul` and `linalg.batch_matmul` may say how their operands are laid out, in maps in front
(`linalg.matmul indexing_maps = [#a, #b, #c] ins(...)`), and whether integers have signs (`{cast =
#linalg.type_fn<cast_unsigned>}`).
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from enum import auto
from typing import ClassVar, Self

from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr
from xdsl.dialects.utils import EnumAttribute
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.irdl import irdl_attr_definition, irdl_op_definition, opt_prop_def
from xdsl.parser import AttrParser, Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException
from xdsl.utils.hints import isa
from xdsl.utils.str_enum import StrEnum

from vtac.dialects.named_operation import NamedOp, multiply_accumulate


class TypeFn(StrEnum):
    """Whether integers have signs."""

    CAST_SIGNED = auto()
    CAST_UNSIGNED = auto()


@irdl_attr_definition
class TypeFnAttr(EnumAttribute[TypeFn]):
    """How operands become numbers of the accumulator's type: `#linalg.type_fn<cast_signed>`."""

    name = "linalg.type_fn"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> TypeFn:
        with parser.in_angle_brackets():
            return super().parse_parameter(parser)

    def print_parameter(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            super().print_parameter(printer)


class ProductOp(NamedOp, ABC):
    """A product whose factors may be transposed, and unsigned."""

    indexing_maps = opt_prop_def(ArrayAttr[AffineMapAttr])
    type_fn = opt_prop_def(TypeFnAttr, prop_name="cast")

    def get_default_indexing_maps(self) -> Sequence[AffineMap]:
        given = self.properties.get("indexing_maps")
        if not isa(given, ArrayAttr[AffineMapAttr]):
            return super().get_default_indexing_maps()
        return [indices.data for indices in given]

    @classmethod
    def parse(cls, parser: Parser) -> Self:
        maps = None
        if parser.parse_optional_keyword("indexing_maps") is not None:
            parser.parse_punctuation("=")
            maps = parser.parse_attribute()
        op = super().parse(parser)
        if maps is not None:
            op.properties["indexing_maps"] = maps
        return op._unsigned() if op.type_fn == TypeFnAttr(TypeFn.CAST_UNSIGNED) else op

    def _unsigned(self) -> Self:
        """The product with factors that have no sign, in place of this one, which is no user of its values then."""
        inputs, outputs, kinds = list(self.inputs), list(self.outputs), [list(self.res.types)]
        self.operands = ()
        body = multiply_accumulate([*inputs, *outputs], is_signed=False)
        return type(self)(inputs, outputs, kinds, self.properties, self.attributes, body)

    def print(self, printer: Printer) -> None:
        if self.indexing_maps is not None and list(self.get_default_indexing_maps()) != self._plain_maps():
            printer.print_string(" indexing_maps = ")
            printer.print_attribute(self.indexing_maps)
        super().print(printer)

    def verify_(self) -> None:
        last = self.LOOPS.index("K")
        for given, plain in zip(self.get_default_indexing_maps(), self._plain_maps(), strict=False):
            used, known = _positions(given), _positions(plain)
            if len(used) != len(given.results) or not known.issuperset(used) or (last in known - used):
                raise VerifyException(
                    f"the indexing map {given} is no permutation of {plain}, nor of a part of it with d{last}: write "
                    "other products as linalg.generic"
                )
        super().verify_()

    def _plain_maps(self) -> list[AffineMap]:
        return list(super().get_default_indexing_maps())


def _positions(indices: AffineMap) -> set[int]:
    return {index.position for index in indices.results if isinstance(index, AffineDimExpr)}


@irdl_op_definition
class MatmulOp(ProductOp):
    """A product of two matrices."""

    name = "linalg.matmul"
    LOOPS: ClassVar[str] = "mnK"
    MAPS: ClassVar[tuple[str, ...]] = ("mK", "Kn", "mn")


@irdl_op_definition
class BatchMatmulOp(ProductOp):
    """One product per leading index."""

    name = "linalg.batch_matmul"
    LOOPS: ClassVar[str] = "bmnK"
    MAPS: ClassVar[tuple[str, ...]] = ("bmK", "bKn", "bmn")


@irdl_op_definition
class QuantizedBatchMatmulOp(NamedOp):
    """One product with zero points per leading index."""

    name = "linalg.quantized_batch_matmul"
    LOOPS: ClassVar[str] = "bmnK"
    MAPS: ClassVar[tuple[str, ...]] = ("bmK", "bKn", "bmn")


@irdl_op_definition
class MatmulTransposeBOp(NamedOp):
    """A product of a matrix and another's transpose."""

    name = "linalg.matmul_transpose_b"
    LOOPS: ClassVar[str] = "mnK"
    MAPS: ClassVar[tuple[str, ...]] = ("mK", "nK", "mn")


@irdl_op_definition
class MatvecOp(NamedOp):
    """A product of a matrix and a vector."""

    name = "linalg.matvec"
    LOOPS: ClassVar[str] = "mK"
    MAPS: ClassVar[tuple[str, ...]] = ("mK", "K", "m")


@irdl_op_definition
class VecmatOp(NamedOp):
    """A product of a vector and a matrix."""

    name = "linalg.vecmat"
    LOOPS: ClassVar[str] = "nK"
    MAPS: ClassVar[tuple[str, ...]] = ("K", "Kn", "n")


@irdl_op_definition
class DotOp(NamedOp):
    """A product of two vectors."""

    name = "linalg.dot"
    LOOPS: ClassVar[str] = "K"
    MAPS: ClassVar[tuple[str, ...]] = ("K", "K", "")


@irdl_op_definition
class BatchReduceMatmulOp(ProductOp):
    """The sum of one product per leading index."""

    name = "linalg.batch_reduce_matmul"
    LOOPS: ClassVar[str] = "BmnK"
    MAPS: ClassVar[tuple[str, ...]] = ("BmK", "BKn", "mn")


@irdl_op_definition
class BatchMatvecOp(NamedOp):
    """One product of a matrix and a vector per leading index."""

    name = "linalg.batch_matvec"
    LOOPS: ClassVar[str] = "bmK"
    MAPS: ClassVar[tuple[str, ...]] = ("bmK", "bK", "bm")


@irdl_op_definition
class BatchVecmatOp(NamedOp):
    """One product of a vector and a matrix per leading index."""

    name = "linalg.batch_vecmat"
    LOOPS: ClassVar[str] = "bnK"
    MAPS: ClassVar[tuple[str, ...]] = ("bK", "bKn", "bn")


PRODUCTS: tuple[type[NamedOp], ...] = (
    MatmulOp,
    BatchMatmulOp,
    QuantizedBatchMatmulOp,
    MatmulTransposeBOp,
    MatvecOp,
    VecmatOp,
    DotOp,
    BatchReduceMatmulOp,
    BatchMatvecOp,
    BatchVecmatOp,
)
