"""linalg's named operations that frontends emit and xDSL lacks, or reads with one element type only.

Each is a name for a `linalg.generic`: its maps follow from strides and dilations, its hidden
body widens the operands to the accumulator's type, subtracts zero points where the operation
has them, multiplies and adds (or takes a maximum, or a sum). `NamedLinalg` is xDSL's linalg
dialect with these in place of the operations of the same name.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import ClassVar, cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import AffineMapAttr, AnyFloat, ArrayAttr, DenseIntElementsAttr, IntegerType
from xdsl.dialects.linalg import Linalg
from xdsl.dialects.linalg.abstract_ops import NamedOperation
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import YieldOp
from xdsl.ir import Attribute, Block, Dialect, Operation, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineExpr, AffineMap
from xdsl.irdl import irdl_op_definition, opt_prop_def, prop_def
from xdsl.utils.exceptions import VerifyException


class _Body:
    """A hidden body under construction: one argument per operand."""

    def __init__(self, operands: Sequence[SSAValue]) -> None:
        self.block = Block(arg_types=NamedOperation.body_arg_types(operands))
        self.accumulator = self.block.args[-1]

    def add(self, op: Operation) -> SSAValue:
        self.block.add_op(op)
        return op.results[0]

    def widened(self, position: int) -> SSAValue:
        """An operand in the accumulator's type."""
        value, wide = self.block.args[position], self.accumulator.type
        if value.type == wide:
            return value
        if isinstance(wide, IntegerType):
            return self.add(arith.ExtSIOp(value, cast("IntegerType", wide)))
        return self.add(arith.ExtFOp(value, cast("AnyFloat", wide)))

    def closed(self, value: SSAValue) -> Region:
        self.block.add_op(YieldOp(value))
        return Region(self.block)


def multiply_accumulate(operands: Sequence[SSAValue]) -> Region:
    """acc + (a - a_zero) * (b - b_zero), with zero points when there are five operands."""
    body = _Body(operands)
    factors = [body.widened(0), body.widened(1)]
    if len(operands) == 5:
        factors = [body.add(arith.SubiOp(factor, body.widened(2 + i))) for i, factor in enumerate(factors)]
    left, right = factors
    if isinstance(body.accumulator.type, IntegerType):
        return body.closed(body.add(arith.AddiOp(body.accumulator, body.add(arith.MuliOp(left, right)))))
    return body.closed(body.add(arith.AddfOp(body.accumulator, body.add(arith.MulfOp(left, right)))))


def take_maximum(operands: Sequence[SSAValue]) -> Region:
    """max(acc, a)."""
    body = _Body(operands)
    maximum = arith.MaxSIOp if isinstance(body.accumulator.type, IntegerType) else arith.MaximumfOp
    return body.closed(body.add(maximum(body.accumulator, body.widened(0))))


def take_sum(operands: Sequence[SSAValue]) -> Region:
    """acc + a."""
    body = _Body(operands)
    plus = arith.AddiOp if isinstance(body.accumulator.type, IntegerType) else arith.AddfOp
    return body.closed(body.add(plus(body.accumulator, body.widened(0))))


def _dims(count: int) -> list[AffineExpr]:
    return [AffineDimExpr(dim) for dim in range(count)]


class _NamedOp(NamedOperation, ABC):
    """Maps, written over one letter per loop, and how many of the loops reduce."""

    LOOPS: ClassVar[str] = ""
    """One letter per loop; capital letters reduce."""
    MAPS: ClassVar[tuple[str, ...]] = ()
    """One string per shaped operand: a letter per dimension; `h` and `w` are moved by `H` and `W`."""
    SLIDING: ClassVar[bool] = True
    """Whether the first operand's `h` and `w` stand for windows."""
    PRINT_ATTRS_IN_FRONT: ClassVar[bool] = True

    def get_default_indexing_maps(self) -> Sequence[AffineMap]:
        dims = dict(zip(self.LOOPS, _dims(len(self.LOOPS)), strict=True))
        maps = [
            AffineMap(len(dims), 0, tuple(self._index(letter, dims, position) for letter in letters))
            for position, letters in enumerate(self.MAPS)
        ]
        scalars = len(self.operands) - len(maps)
        return [*maps[:-1], *[AffineMap(len(dims), 0, ())] * scalars, maps[-1]]

    def _index(self, letter: str, dims: dict[str, AffineExpr], position: int) -> AffineExpr:
        if position or not self.SLIDING or letter not in "hw":
            return dims[letter]
        axis = "hw".index(letter)
        strides, dilations = (
            cast("DenseIntElementsAttr", self.properties[name]).get_values() for name in ("strides", "dilations")
        )
        return dims[letter] * strides[axis] + dims[letter.upper()] * dilations[axis]

    def get_iterator_types(self) -> ArrayAttr[IteratorTypeAttr]:
        kinds = (IteratorTypeAttr.reduction() if c.isupper() else IteratorTypeAttr.parallel() for c in self.LOOPS)
        return ArrayAttr(kinds)

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return multiply_accumulate((*inputs, *outputs))


class _WindowOp(_NamedOp, ABC):
    """An operation with strides and dilations."""

    strides = prop_def(DenseIntElementsAttr)
    dilations = prop_def(DenseIntElementsAttr)


@irdl_op_definition
class MatmulOp(_NamedOp):
    """A product of two matrices, widened to the accumulator's type; its maps are the default ones."""

    name = "linalg.matmul"
    LOOPS: ClassVar[str] = "mnK"
    MAPS: ClassVar[tuple[str, ...]] = ("mK", "Kn", "mn")
    SLIDING: ClassVar[bool] = False

    indexing_maps = opt_prop_def(ArrayAttr[AffineMapAttr])

    def verify_(self) -> None:
        super().verify_()
        if self.indexing_maps is not None and self.indexing_maps != self.get_indexing_maps():
            raise VerifyException(
                f"expected the default indexing maps, found {self.indexing_maps}: "
                "write other products as linalg.generic"
            )


@irdl_op_definition
class BatchMatmulOp(_NamedOp):
    """One product per leading index."""

    name = "linalg.batch_matmul"
    LOOPS: ClassVar[str] = "bmnK"
    MAPS: ClassVar[tuple[str, ...]] = ("bmK", "bKn", "bmn")
    SLIDING: ClassVar[bool] = False


@irdl_op_definition
class QuantizedBatchMatmulOp(_NamedOp):
    """One product with zero points per leading index."""

    name = "linalg.quantized_batch_matmul"
    LOOPS: ClassVar[str] = "bmnK"
    MAPS: ClassVar[tuple[str, ...]] = ("bmK", "bKn", "bmn")
    SLIDING: ClassVar[bool] = False


@irdl_op_definition
class MatmulTransposeBOp(_NamedOp):
    """A product of a matrix and another's transpose."""

    name = "linalg.matmul_transpose_b"
    LOOPS: ClassVar[str] = "mnK"
    MAPS: ClassVar[tuple[str, ...]] = ("mK", "nK", "mn")
    SLIDING: ClassVar[bool] = False


@irdl_op_definition
class Conv2DNchwFchwOp(_WindowOp):
    """Convolution, channels before rows."""

    name = "linalg.conv_2d_nchw_fchw"
    LOOPS: ClassVar[str] = "nfhwCHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nChw", "fCHW", "nfhw")


@irdl_op_definition
class Conv2DNchwFchwQOp(_WindowOp):
    """Convolution with zero points, channels before rows."""

    name = "linalg.conv_2d_nchw_fchw_q"
    LOOPS: ClassVar[str] = "nfhwCHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nChw", "fCHW", "nfhw")


@irdl_op_definition
class Conv2DNhwcFhwcQOp(_WindowOp):
    """Convolution with zero points, channels last."""

    name = "linalg.conv_2d_nhwc_fhwc_q"
    LOOPS: ClassVar[str] = "nhwfHWC"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwC", "fHWC", "nhwf")


@irdl_op_definition
class Conv2DNhwcHwcfQOp(_WindowOp):
    """Convolution with zero points, channels last, features last in the kernel."""

    name = "linalg.conv_2d_nhwc_hwcf_q"
    LOOPS: ClassVar[str] = "nhwfHWC"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwC", "HWCf", "nhwf")


@irdl_op_definition
class Conv2DNgchwGfchwOp(_WindowOp):
    """Convolution in groups of channels."""

    name = "linalg.conv_2d_ngchw_gfchw"
    LOOPS: ClassVar[str] = "ngfhwCHW"
    MAPS: ClassVar[tuple[str, ...]] = ("ngChw", "gfCHW", "ngfhw")


@irdl_op_definition
class Conv2DNgchwGfchwQOp(_WindowOp):
    """Convolution with zero points in groups of channels."""

    name = "linalg.conv_2d_ngchw_gfchw_q"
    LOOPS: ClassVar[str] = "ngfhwCHW"
    MAPS: ClassVar[tuple[str, ...]] = ("ngChw", "gfCHW", "ngfhw")


@irdl_op_definition
class DepthwiseConv2DNchwChwOp(_WindowOp):
    """Convolution of each channel with its own kernel, channels before rows."""

    name = "linalg.depthwise_conv_2d_nchw_chw"
    LOOPS: ClassVar[str] = "nhwcHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nchw", "cHW", "nchw")


@irdl_op_definition
class DepthwiseConv2DNhwcHwcOp(_WindowOp):
    """Convolution of each channel with its own kernel, channels last."""

    name = "linalg.depthwise_conv_2d_nhwc_hwc"
    LOOPS: ClassVar[str] = "nhwcHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwc", "HWc", "nhwc")


@irdl_op_definition
class DepthwiseConv2DNhwcHwcQOp(_WindowOp):
    """Convolution with zero points of each channel with its own kernel, channels last."""

    name = "linalg.depthwise_conv_2d_nhwc_hwc_q"
    LOOPS: ClassVar[str] = "nhwcHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwc", "HWc", "nhwc")


@irdl_op_definition
class PoolingNchwMaxOp(_WindowOp):
    """The largest element of each window, channels before rows."""

    name = "linalg.pooling_nchw_max"
    LOOPS: ClassVar[str] = "nchwHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nchw", "HW", "nchw")

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return take_maximum((*inputs, *outputs))


@irdl_op_definition
class PoolingNhwcMaxOp(_WindowOp):
    """The largest element of each window, channels last."""

    name = "linalg.pooling_nhwc_max"
    LOOPS: ClassVar[str] = "nhwcHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwc", "HW", "nhwc")

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return take_maximum((*inputs, *outputs))


@irdl_op_definition
class PoolingNchwSumOp(_WindowOp):
    """The sum of each window, channels before rows."""

    name = "linalg.pooling_nchw_sum"
    LOOPS: ClassVar[str] = "nchwHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nchw", "HW", "nchw")

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return take_sum((*inputs, *outputs))


@irdl_op_definition
class PoolingNhwcSumOp(_WindowOp):
    """The sum of each window, channels last."""

    name = "linalg.pooling_nhwc_sum"
    LOOPS: ClassVar[str] = "nhwcHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwc", "HW", "nhwc")

    @classmethod
    def get_hidden_region(cls, inputs: Sequence[SSAValue], outputs: Sequence[SSAValue]) -> Region:
        return take_sum((*inputs, *outputs))


_OPS: tuple[type[Operation], ...] = (
    MatmulOp,
    BatchMatmulOp,
    QuantizedBatchMatmulOp,
    MatmulTransposeBOp,
    Conv2DNchwFchwOp,
    Conv2DNchwFchwQOp,
    Conv2DNhwcFhwcQOp,
    Conv2DNhwcHwcfQOp,
    Conv2DNgchwGfchwOp,
    Conv2DNgchwGfchwQOp,
    DepthwiseConv2DNchwChwOp,
    DepthwiseConv2DNhwcHwcOp,
    DepthwiseConv2DNhwcHwcQOp,
    PoolingNchwMaxOp,
    PoolingNhwcMaxOp,
    PoolingNchwSumOp,
    PoolingNhwcSumOp,
)


def _with_ours() -> list[type[Operation]]:
    ours = {op.name: op for op in _OPS}
    theirs = [ours.pop(op.name, op) for op in Linalg.operations]
    return [*theirs, *ours.values()]


_ATTRIBUTES: list[type[Attribute]] = list(Linalg.attributes)
NamedLinalg = Dialect("linalg", _with_ours(), _ATTRIBUTES)
