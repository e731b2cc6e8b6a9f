"""The fp16 convolution on plain NHWC images as frontends print it: nothing is packed, sizes are any."""

from __future__ import annotations

from dataclasses import dataclass

from vtac.errors import CompileError
from vtac.workloads.linalg_text import tensor
from vtac.workloads.wmma_conv2d_plain import PlainConv2D


@dataclass(frozen=True)
class NhwcConv2D(PlainConv2D):
    """A square-kernel convolution of NHWC images with an HWIO kernel, whose rows of a product are pixels."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layout != "nhwc":
            raise CompileError(f"layout '{self.layout}'; images whose pixels are rows of a product are nhwc")

    def text(self) -> str:
        """The program as linalg text."""
        data, kernel = tensor(self.data_shape, "f16"), tensor(self.kernel_shape, "f16")
        output, by, pad = tensor(self.output_shape, "f32"), self.stride, self.padding
        sizes = (self.height + 2 * pad, self.width + 2 * pad)
        padded = tensor((self.batch, *sizes, self.in_channels), "f16")
        return f"""func.func @conv2d(%data: {data}, %kernel: {kernel}) -> {output} {{
  %none = arith.constant 0.0 : f16
  %padded = tensor.pad %data low[0, {pad}, {pad}, 0] high[0, {pad}, {pad}, 0] {{
  ^bb0(%n: index, %y: index, %x: index, %c: index):
    tensor.yield %none : f16
  }} : {data} to {padded}
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : {output}
  %start = linalg.fill ins(%zero : f32) outs(%empty : {output}) -> {output}
  %output = linalg.conv_2d_nhwc_hwcf {{dilations = dense<1> : tensor<2xi64>, strides = dense<{by}> : tensor<2xi64>}}
    ins(%padded, %kernel : {padded}, {kernel}) outs(%start : {output}) -> {output}
  func.return %output : {output}
}}
"""
