"""linalg's named convolutions and poolings along three axes, over volumes."""

from __future__ import annotations

from typing import ClassVar

from xdsl.irdl import irdl_op_definition

from vtac.dialects.named_operation import (
    MaxPoolingOp,
    MinPoolingOp,
    NamedOp,
    SpaceOp,
    SumPoolingOp,
)


@irdl_op_definition
class Conv3DOp(NamedOp):
    """Convolution of one channel, without strides."""

    name = "linalg.conv_3d"
    LOOPS: ClassVar[str] = "dhwDHW"
    MAPS: ClassVar[tuple[str, ...]] = ("dhw", "DHW", "dhw")


@irdl_op_definition
class Conv3DNcdhwFcdhwOp(SpaceOp):
    """Convolution, channels before planes."""

    name = "linalg.conv_3d_ncdhw_fcdhw"
    LOOPS: ClassVar[str] = "nfdhwCDHW"
    MAPS: ClassVar[tuple[str, ...]] = ("nCdhw", "fCDHW", "nfdhw")


@irdl_op_definition
class Conv3DNdhwcDhwcfOp(SpaceOp):
    """Convolution, channels last, features last in the kernel."""

    name = "linalg.conv_3d_ndhwc_dhwcf"
    LOOPS: ClassVar[str] = "ndhwfDHWC"
    MAPS: ClassVar[tuple[str, ...]] = ("ndhwC", "DHWCf", "ndhwf")


@irdl_op_definition
class Conv3DNdhwcDhwcfQOp(SpaceOp):
    """Convolution with zero points, channels last, features last in the kernel."""

    name = "linalg.conv_3d_ndhwc_dhwcf_q"
    LOOPS: ClassVar[str] = "ndhwfDHWC"
    MAPS: ClassVar[tuple[str, ...]] = ("ndhwC", "DHWCf", "ndhwf")


@irdl_op_definition
class DepthwiseConv3DNcdhwCdhwOp(SpaceOp):
    """Convolution of each channel with its own kernel, channels before planes."""

    name = "linalg.depthwise_conv_3d_ncdhw_cdhw"
    LOOPS: ClassVar[str] = "ndhwDHWc"
    MAPS: ClassVar[tuple[str, ...]] = ("ncdhw", "cDHW", "ncdhw")


@irdl_op_definition
class DepthwiseConv3DNdhwcDhwcOp(SpaceOp):
    """Convolution of each channel with its own kernel, channels last."""

    name = "linalg.depthwise_conv_3d_ndhwc_dhwc"
    LOOPS: ClassVar[str] = "ndhwDHWc"
    MAPS: ClassVar[tuple[str, ...]] = ("ndhwc", "DHWc", "ndhwc")


@irdl_op_definition
class DepthwiseConv3DNdhwcDhwcmOp(SpaceOp):
    """Convolution of each channel with several kernels of its own, channels last."""

    name = "linalg.depthwise_conv_3d_ndhwc_dhwcm"
    LOOPS: ClassVar[str] = "ndhwmDHWc"
    MAPS: ClassVar[tuple[str, ...]] = ("ndhwc", "DHWcm", "ndhwcm")


@irdl_op_definition
class PoolingNdhwcMaxOp(MaxPoolingOp, SpaceOp):
    """The largest element of each window, channels last."""

    name = "linalg.pooling_ndhwc_max"
    LOOPS: ClassVar[str] = "ndhwcDHW"
    MAPS: ClassVar[tuple[str, ...]] = ("ndhwc", "DHW", "ndhwc")


@irdl_op_definition
class PoolingNdhwcMinOp(MinPoolingOp, SpaceOp):
    """The smallest element of each window, channels last."""

    name = "linalg.pooling_ndhwc_min"
    LOOPS: ClassVar[str] = "ndhwcDHW"
    MAPS: ClassVar[tuple[str, ...]] = ("ndhwc", "DHW", "ndhwc")


@irdl_op_definition
class PoolingNdhwcSumOp(SumPoolingOp, SpaceOp):
    """The sum of each window, channels last."""

    name = "linalg.pooling_ndhwc_sum"
    LOOPS: ClassVar[str] = "ndhwcDHW"
    MAPS: ClassVar[tuple[str, ...]] = ("ndhwc", "DHW", "ndhwc")


SPACES: tuple[type[NamedOp], ...] = (
    Conv3DOp,
    Conv3DNcdhwFcdhwOp,
    Conv3DNdhwcDhwcfOp,
    Conv3DNdhwcDhwcfQOp,
    DepthwiseConv3DNcdhwCdhwOp,
    DepthwiseConv3DNdhwcDhwcOp,
    DepthwiseConv3DNdhwcDhwcmOp,
    PoolingNdhwcMaxOp,
    PoolingNdhwcMinOp,
    PoolingNdhwcSumOp,
)
