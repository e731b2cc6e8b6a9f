"""linalg's named operations that frontends emit and xDSL lacks, or reads with one element type only.

Each is a name for a `linalg.generic`: its maps follow from strides and dilations, its hidden
body widens the operands to the accumulator's type, subtracts zero points where the operation
has them, multiplies and adds (or takes a maximum, or a sum). `NamedLinalg` is xDSL's linalg
dialect with these in place of the operations of the same name.
"""

from __future__ import annotations

from typing import ClassVar

from xdsl.dialects.builtin import AffineMapAttr, ArrayAttr
from xdsl.dialects.linalg import Linalg
from xdsl.ir import Attribute, Dialect, Operation
from xdsl.irdl import irdl_op_definition, opt_prop_def
from xdsl.utils.exceptions import VerifyException

from vtac.dialects.named_operation import MaxPoolingOp, NamedOp, SumPoolingOp, WindowOp


@irdl_op_definition
class MatmulOp(NamedOp):
    """A product of two matrices, widened to the accumulator's type; its maps are the default ones."""

    name = "linalg.matmul"
    LOOPS: ClassVar[str] = "mnK"
    MAPS: ClassVar[tuple[str, ...]] = ("mK", "Kn", "mn")

    indexing_maps = opt_prop_def(ArrayAttr[AffineMapAttr])

    def verify_(self) -> None:
        super().verify_()
        if self.indexing_maps is not None and self.indexing_maps != self.get_indexing_maps():
            raise VerifyException(
                f"expected the default indexing maps, found {self.indexing_maps}: "
                "write other products as linalg.generic"
            )


@irdl_op_definition
class BatchMatmulOp(NamedOp):
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
class Conv2DNchwFchwOp(WindowOp):
    """Convolution, channels before rows."""

    name = "linalg.conv_2d_nchw_fchw"
    LOOPS: ClassVar[str] = "nfhwCHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nChw", "fCHW", "nfhw")


@irdl_op_definition
class Conv2DNchwFchwQOp(WindowOp):
    """Convolution with zero points, channels before rows."""

    name = "linalg.conv_2d_nchw_fchw_q"
    LOOPS: ClassVar[str] = "nfhwCHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nChw", "fCHW", "nfhw")


@irdl_op_definition
class Conv2DNhwcFhwcOp(WindowOp):
    """Convolution, channels last."""

    name = "linalg.conv_2d_nhwc_fhwc"
    LOOPS: ClassVar[str] = "nhwfHWC"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwC", "fHWC", "nhwf")


@irdl_op_definition
class Conv2DNhwcHwcfOp(WindowOp):
    """Convolution, channels last, features last in the kernel."""

    name = "linalg.conv_2d_nhwc_hwcf"
    LOOPS: ClassVar[str] = "nhwfHWC"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwC", "HWCf", "nhwf")


@irdl_op_definition
class Conv2DNhwcFhwcQOp(WindowOp):
    """Convolution with zero points, channels last."""

    name = "linalg.conv_2d_nhwc_fhwc_q"
    LOOPS: ClassVar[str] = "nhwfHWC"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwC", "fHWC", "nhwf")


@irdl_op_definition
class Conv2DNhwcHwcfQOp(WindowOp):
    """Convolution with zero points, channels last, features last in the kernel."""

    name = "linalg.conv_2d_nhwc_hwcf_q"
    LOOPS: ClassVar[str] = "nhwfHWC"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwC", "HWCf", "nhwf")


@irdl_op_definition
class Conv2DNgchwGfchwOp(WindowOp):
    """Convolution in groups of channels."""

    name = "linalg.conv_2d_ngchw_gfchw"
    LOOPS: ClassVar[str] = "ngfhwCHW"
    MAPS: ClassVar[tuple[str, ...]] = ("ngChw", "gfCHW", "ngfhw")


@irdl_op_definition
class Conv2DNgchwGfchwQOp(WindowOp):
    """Convolution with zero points in groups of channels."""

    name = "linalg.conv_2d_ngchw_gfchw_q"
    LOOPS: ClassVar[str] = "ngfhwCHW"
    MAPS: ClassVar[tuple[str, ...]] = ("ngChw", "gfCHW", "ngfhw")


@irdl_op_definition
class DepthwiseConv2DNchwChwOp(WindowOp):
    """Convolution of each channel with its own kernel, channels before rows."""

    name = "linalg.depthwise_conv_2d_nchw_chw"
    LOOPS: ClassVar[str] = "nhwcHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nchw", "cHW", "nchw")


@irdl_op_definition
class DepthwiseConv2DNhwcHwcOp(WindowOp):
    """Convolution of each channel with its own kernel, channels last."""

    name = "linalg.depthwise_conv_2d_nhwc_hwc"
    LOOPS: ClassVar[str] = "nhwcHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwc", "HWc", "nhwc")


@irdl_op_definition
class DepthwiseConv2DNhwcHwcQOp(WindowOp):
    """Convolution with zero points of each channel with its own kernel, channels last."""

    name = "linalg.depthwise_conv_2d_nhwc_hwc_q"
    LOOPS: ClassVar[str] = "nhwcHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwc", "HWc", "nhwc")


@irdl_op_definition
class PoolingNchwMaxOp(MaxPoolingOp):
    """The largest element of each window, channels before rows."""

    name = "linalg.pooling_nchw_max"
    LOOPS: ClassVar[str] = "nchwHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nchw", "HW", "nchw")


@irdl_op_definition
class PoolingNhwcMaxOp(MaxPoolingOp):
    """The largest element of each window, channels last."""

    name = "linalg.pooling_nhwc_max"
    LOOPS: ClassVar[str] = "nhwcHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwc", "HW", "nhwc")


@irdl_op_definition
class PoolingNchwSumOp(SumPoolingOp):
    """The sum of each window, channels before rows."""

    name = "linalg.pooling_nchw_sum"
    LOOPS: ClassVar[str] = "nchwHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nchw", "HW", "nchw")


@irdl_op_definition
class PoolingNhwcSumOp(SumPoolingOp):
    """The sum of each window, channels last."""

    name = "linalg.pooling_nhwc_sum"
    LOOPS: ClassVar[str] = "nhwcHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwc", "HW", "nhwc")


_OPS: tuple[type[Operation], ...] = (
    MatmulOp,
    BatchMatmulOp,
    QuantizedBatchMatmulOp,
    MatmulTransposeBOp,
    MatvecOp,
    VecmatOp,
    DotOp,
    Conv2DNchwFchwOp,
    Conv2DNchwFchwQOp,
    Conv2DNhwcFhwcOp,
    Conv2DNhwcHwcfOp,
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


_DIMENSIONS = {"h": "oh", "w": "ow", "H": "kh", "W": "kw"}
_LOOPS = {op.name: op.LOOPS for op in _OPS}


def dimension_names(name: str) -> tuple[str, ...]:
    """What the iterators of a named operation are called (`m`, `oh`, `kw`, ...), in order; none for other names."""
    return tuple(_DIMENSIONS.get(letter, letter.lower()) for letter in _LOOPS.get(name, ""))
