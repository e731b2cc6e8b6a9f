"""linalg's named convolutions and poolings along one axis, over sequences."""

from __future__ import annotations

from typing import ClassVar

from xdsl.irdl import irdl_op_definition

from vtac.dialects.named_operation import (
    LineOp,
    MaxPoolingOp,
    MinPoolingOp,
    NamedOp,
    SumPoolingOp,
    UnsignedMaxPoolingOp,
    UnsignedMinPoolingOp,
)


@irdl_op_definition
class Conv1DOp(NamedOp):
    """Convolution of one channel, without strides."""

    name = "linalg.conv_1d"
    LOOPS: ClassVar[str] = "wW"
    MAPS: ClassVar[tuple[str, ...]] = ("w", "W", "w")


@irdl_op_definition
class Conv1DNcwFcwOp(LineOp):
    """Convolution, channels before places."""

    name = "linalg.conv_1d_ncw_fcw"
    LOOPS: ClassVar[str] = "nfwCW"
    MAPS: ClassVar[tuple[str, ...]] = ("nCw", "fCW", "nfw")


@irdl_op_definition
class Conv1DNwcWcfOp(LineOp):
    """Convolution, channels last, features last in the kernel."""

    name = "linalg.conv_1d_nwc_wcf"
    LOOPS: ClassVar[str] = "nwfWC"
    MAPS: ClassVar[tuple[str, ...]] = ("nwC", "WCf", "nwf")


@irdl_op_definition
class DepthwiseConv1DNcwCwOp(LineOp):
    """Convolution of each channel with its own kernel, channels before places."""

    name = "linalg.depthwise_conv_1d_ncw_cw"
    LOOPS: ClassVar[str] = "nwcW"
    MAPS: ClassVar[tuple[str, ...]] = ("ncw", "cW", "ncw")


@irdl_op_definition
class DepthwiseConv1DNwcWcOp(LineOp):
    """Convolution of each channel with its own kernel, channels last."""

    name = "linalg.depthwise_conv_1d_nwc_wc"
    LOOPS: ClassVar[str] = "nwcW"
    MAPS: ClassVar[tuple[str, ...]] = ("nwc", "Wc", "nwc")


@irdl_op_definition
class DepthwiseConv1DNwcWcmOp(LineOp):
    """Convolution of each channel with several kernels of its own, channels last."""

    name = "linalg.depthwise_conv_1d_nwc_wcm"
    LOOPS: ClassVar[str] = "nwcmW"
    MAPS: ClassVar[tuple[str, ...]] = ("nwc", "Wcm", "nwcm")


@irdl_op_definition
class PoolingNcwMaxOp(MaxPoolingOp, LineOp):
    """The largest element of each window, channels before places."""

    name = "linalg.pooling_ncw_max"
    LOOPS: ClassVar[str] = "ncwW"
    MAPS: ClassVar[tuple[str, ...]] = ("ncw", "W", "ncw")


@irdl_op_definition
class PoolingNcwSumOp(SumPoolingOp, LineOp):
    """The sum of each window, channels before places."""

    name = "linalg.pooling_ncw_sum"
    LOOPS: ClassVar[str] = "ncwW"
    MAPS: ClassVar[tuple[str, ...]] = ("ncw", "W", "ncw")


@irdl_op_definition
class PoolingNwcMaxOp(MaxPoolingOp, LineOp):
    """The largest element of each window, channels last."""

    name = "linalg.pooling_nwc_max"
    LOOPS: ClassVar[str] = "nwcW"
    MAPS: ClassVar[tuple[str, ...]] = ("nwc", "W", "nwc")


@irdl_op_definition
class PoolingNwcMinOp(MinPoolingOp, LineOp):
    """The smallest element of each window, channels last."""

    name = "linalg.pooling_nwc_min"
    LOOPS: ClassVar[str] = "nwcW"
    MAPS: ClassVar[tuple[str, ...]] = ("nwc", "W", "nwc")


@irdl_op_definition
class PoolingNwcSumOp(SumPoolingOp, LineOp):
    """The sum of each window, channels last."""

    name = "linalg.pooling_nwc_sum"
    LOOPS: ClassVar[str] = "nwcW"
    MAPS: ClassVar[tuple[str, ...]] = ("nwc", "W", "nwc")


@irdl_op_definition
class PoolingNwcMaxUnsignedOp(UnsignedMaxPoolingOp, LineOp):
    """The largest element of each window, without signs, channels last."""

    name = "linalg.pooling_nwc_max_unsigned"
    LOOPS: ClassVar[str] = "nwcW"
    MAPS: ClassVar[tuple[str, ...]] = ("nwc", "W", "nwc")


@irdl_op_definition
class PoolingNwcMinUnsignedOp(UnsignedMinPoolingOp, LineOp):
    """The smallest element of each window, without signs, channels last."""

    name = "linalg.pooling_nwc_min_unsigned"
    LOOPS: ClassVar[str] = "nwcW"
    MAPS: ClassVar[tuple[str, ...]] = ("nwc", "W", "nwc")


LINES: tuple[type[NamedOp], ...] = (
    Conv1DOp,
    Conv1DNcwFcwOp,
    Conv1DNwcWcfOp,
    DepthwiseConv1DNcwCwOp,
    DepthwiseConv1DNwcWcOp,
    DepthwiseConv1DNwcWcmOp,
    PoolingNcwMaxOp,
    PoolingNcwSumOp,
    PoolingNwcMaxOp,
    PoolingNwcMinOp,
    PoolingNwcSumOp,
    PoolingNwcMaxUnsignedOp,
    PoolingNwcMinUnsignedOp,
)
