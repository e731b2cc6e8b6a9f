"""linalg's named convolutions and poolings: windows that move over images, in the layouts that frontends emit."""

from __future__ import annotations

from typing import ClassVar

from xdsl.irdl import irdl_op_definition

from vtac.dialects.named_operation import (
    MaxPoolingOp,
    MinPoolingOp,
    NamedOp,
    SumPoolingOp,
    UnsignedMaxPoolingOp,
    UnsignedMinPoolingOp,
    WindowOp,
)


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
class Conv2DNgchwFgchwOp(WindowOp):
    """Convolution in groups of channels, features before groups in the kernel."""

    name = "linalg.conv_2d_ngchw_fgchw"
    LOOPS: ClassVar[str] = "ngfhwCHW"
    MAPS: ClassVar[tuple[str, ...]] = ("ngChw", "fgCHW", "ngfhw")


@irdl_op_definition
class Conv2DNhwgcGfhwcOp(WindowOp):
    """Convolution in groups of channels, channels last."""

    name = "linalg.conv_2d_nhwgc_gfhwc"
    LOOPS: ClassVar[str] = "nhwgfHWC"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwgC", "gfHWC", "nhwgf")


@irdl_op_definition
class Conv2DNhwgcGfhwcQOp(WindowOp):
    """Convolution with zero points in groups of channels, channels last."""

    name = "linalg.conv_2d_nhwgc_gfhwc_q"
    LOOPS: ClassVar[str] = "nhwgfHWC"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwgC", "gfHWC", "nhwgf")


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
class DepthwiseConv2DNhwcHwcmOp(WindowOp):
    """Convolution of each channel with several kernels of its own, channels last."""

    name = "linalg.depthwise_conv_2d_nhwc_hwcm"
    LOOPS: ClassVar[str] = "nhwcmHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwc", "HWcm", "nhwcm")


@irdl_op_definition
class PoolingNchwMaxOp(MaxPoolingOp, WindowOp):
    """The largest element of each window, channels before rows."""

    name = "linalg.pooling_nchw_max"
    LOOPS: ClassVar[str] = "nchwHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nchw", "HW", "nchw")


@irdl_op_definition
class PoolingNhwcMaxOp(MaxPoolingOp, WindowOp):
    """The largest element of each window, channels last."""

    name = "linalg.pooling_nhwc_max"
    LOOPS: ClassVar[str] = "nhwcHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwc", "HW", "nhwc")


@irdl_op_definition
class PoolingNchwSumOp(SumPoolingOp, WindowOp):
    """The sum of each window, channels before rows."""

    name = "linalg.pooling_nchw_sum"
    LOOPS: ClassVar[str] = "nchwHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nchw", "HW", "nchw")


@irdl_op_definition
class PoolingNhwcSumOp(SumPoolingOp, WindowOp):
    """The sum of each window, channels last."""

    name = "linalg.pooling_nhwc_sum"
    LOOPS: ClassVar[str] = "nhwcHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwc", "HW", "nhwc")


@irdl_op_definition
class PoolingNhwcMinOp(MinPoolingOp, WindowOp):
    """The smallest element of each window, channels last."""

    name = "linalg.pooling_nhwc_min"
    LOOPS: ClassVar[str] = "nhwcHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwc", "HW", "nhwc")


@irdl_op_definition
class DepthwiseConv2DNhwcHwcmQOp(WindowOp):
    """Convolution with zero points of each channel with several kernels of its own, channels last."""

    name = "linalg.depthwise_conv_2d_nhwc_hwcm_q"
    LOOPS: ClassVar[str] = "nhwcmHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwc", "HWcm", "nhwcm")


@irdl_op_definition
class PoolingNhwcMaxUnsignedOp(UnsignedMaxPoolingOp, WindowOp):
    """The largest element of each window, without signs, channels last."""

    name = "linalg.pooling_nhwc_max_unsigned"
    LOOPS: ClassVar[str] = "nhwcHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwc", "HW", "nhwc")


@irdl_op_definition
class PoolingNhwcMinUnsignedOp(UnsignedMinPoolingOp, WindowOp):
    """The smallest element of each window, without signs, channels last."""

    name = "linalg.pooling_nhwc_min_unsigned"
    LOOPS: ClassVar[str] = "nhwcHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nhwc", "HW", "nhwc")


@irdl_op_definition
class Conv2DOp(NamedOp):
    """Convolution of one channel, without strides."""

    name = "linalg.conv_2d"
    LOOPS: ClassVar[str] = "hwHW"
    MAPS: ClassVar[tuple[str, ...]] = ("hw", "HW", "hw")


WINDOWS: tuple[type[NamedOp], ...] = (
    Conv2DNchwFchwOp,
    Conv2DNchwFchwQOp,
    Conv2DNhwcFhwcOp,
    Conv2DNhwcHwcfOp,
    Conv2DNhwcFhwcQOp,
    Conv2DNhwcHwcfQOp,
    Conv2DNgchwGfchwOp,
    Conv2DNgchwGfchwQOp,
    Conv2DNgchwFgchwOp,
    Conv2DNhwgcGfhwcOp,
    Conv2DNhwgcGfhwcQOp,
    DepthwiseConv2DNchwChwOp,
    DepthwiseConv2DNhwcHwcOp,
    DepthwiseConv2DNhwcHwcQOp,
    DepthwiseConv2DNhwcHwcmOp,
    PoolingNchwMaxOp,
    PoolingNhwcMaxOp,
    PoolingNchwSumOp,
    PoolingNhwcSumOp,
    PoolingNhwcMinOp,
    DepthwiseConv2DNhwcHwcmQOp,
    PoolingNhwcMaxUnsignedOp,
    PoolingNhwcMinUnsignedOp,
    Conv2DOp,
)
