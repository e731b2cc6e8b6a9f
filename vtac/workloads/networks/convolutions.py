"""Convolutions of networks: dense, grouped, by channel, transposed; NCHW."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from vtac.workloads.networks.core import NetworkCore, Values
from vtac.workloads.networks.reference import Activation, between_zeros, convolution, requantised
from vtac.workloads.tensor_text import Tensor, filled, window_attributes


class Convolutions(NetworkCore):
    """Layers that are convolutions, each with bias, requantisation and activation."""

    def convolution(
        self,
        source: Tensor,
        name: str,
        features: int,
        kernel: int,
        stride: int = 1,
        *,
        relu: bool = True,
        activation: Activation | None = None,
        residual: Tensor | None = None,
        pads: Sequence[int] | None = None,
        groups: int = 1,
        dilation: int = 1,
    ) -> Tensor:
        """A convolution, padded by half of the kernel unless `pads` say how; a residual is added before the clip.

        `pads` are top, left, bottom, right. As many groups as channels and features are a
        convolution by channel. `relu` chooses between two activations, `activation` among all.
        """
        batch, channels, height, width = source.shape
        around = tuple(pads) if pads is not None else (dilation * (kernel // 2),) * 4
        reach = dilation * (kernel - 1) + 1
        reached = (height + around[0] + around[2] - reach, width + around[1] + around[3] - reach)
        size = tuple(extent // stride + 1 for extent in reached)
        result = Tensor(name, (batch, features, *size))
        per_group = channels // groups
        weights = self._weights(f"{name}_w", (features, per_group, kernel, kernel))
        shift = self._shift(per_group * kernel * kernel, source)
        bias = self._bias(f"{name}_b", features, shift)
        data = self._pad(source, f"{name}_padded", around, 0)
        total = self._sums(data, weights, name, result.shape, stride, dilation, groups)
        after = activation or ("relu" if relu else "none")
        self._requantise(total, result, shift, after, bias, residual)

        def compute(values: Values) -> NDArray[np.int8]:
            extra = None if residual is None else values[residual.name]
            sums = convolution(values[source.name], self.parameters[weights.name], stride, around, groups, dilation)
            return requantised(sums + self.parameters[bias.name][:, None, None], shift, after, extra)

        kind = "depthwise" if groups == channels == features and groups > 1 else "conv"
        grouped = f" in {groups} groups" if groups > 1 and kind == "conv" else ""
        described = f"{kind} {kernel}x{kernel}{f'/{stride}' if stride > 1 else ''} {channels}->{features}{grouped}"
        macs = prod(result.shape) * per_group * kernel**2
        return self._record(result, f"{described} {size[0]}x{size[1]}", macs, compute)

    def _sums(
        self,
        data: Tensor,
        weights: Tensor,
        name: str,
        shape: tuple[int, ...],
        stride: int,
        dilation: int,
        groups: int,
    ) -> Tensor:
        """The sums of products, as the named operation that fits the groups."""
        total = Tensor(f"{name}_sum", shape, "i32")
        window = window_attributes(stride, dilation)
        if groups == 1:
            self._structured(total, f"linalg.conv_2d_nchw_fchw {window}", [data, weights], 0)
        elif weights.shape[1] == 1 and weights.shape[0] == groups:
            taps = self._view(weights, f"{name}_taps", (groups, *weights.shape[2:]), "[[0, 1], [2], [3]]")
            self._structured(total, f"linalg.depthwise_conv_2d_nchw_chw {window}", [data, taps], 0)
        else:
            self._grouped(data, weights, total, window, groups)
        return total

    def _grouped(self, data: Tensor, weights: Tensor, total: Tensor, window: str, groups: int) -> None:
        """Groups as a dimension of their own, around `linalg.conv_2d_ngchw_gfchw`."""
        batch, channels, *image = data.shape
        features, per_group, *taps = weights.shape
        parts = "[[0], [1, 2], [3], [4]]"
        images = self._split(data, f"{total.name}_in", (batch, groups, channels // groups, *image), parts)
        kernels = self._split(
            weights, f"{total.name}_k", (groups, features // groups, per_group, *taps), "[[0, 1], [2], [3], [4]]"
        )
        sums = Tensor(f"{total.name}_groups", (batch, groups, features // groups, *total.shape[2:]), "i32")
        self._structured(sums, f"linalg.conv_2d_ngchw_gfchw {window}", [images, kernels], 0)
        self._lines.append(
            f"  %{total.name} = tensor.collapse_shape %{sums.name} {parts} : {sums.kind} into {total.kind}"
        )

    def transposed_convolution(
        self,
        source: Tensor,
        name: str,
        features: int,
        kernel: int,
        stride: int,
        padding: int,
        *,
        activation: Activation = "relu",
    ) -> Tensor:
        """A transposed convolution as frontends print it: zeros between neighbours, then a convolution.

        Its output is (extent - 1) * stride - 2 * padding + kernel wide.
        """
        batch, channels, height, width = source.shape
        wide = Tensor(f"{name}_wide", (batch, channels, (height - 1) * stride + 1, (width - 1) * stride + 1))
        zeros = Tensor(f"{name}_zeros", wide.shape)
        self._lines += [
            filled(zeros, 0),
            f"  %{wide.name} = tensor.insert_slice %{source.name} into %{zeros.name}[0, 0, 0, 0] "
            f"[{', '.join(map(str, source.shape))}] [1, 1, {stride}, {stride}] : {source.kind} into {wide.kind}",
        ]
        around = (kernel - 1 - padding,) * 4
        size = [extent + 2 * around[0] - kernel + 1 for extent in wide.shape[2:]]
        result = Tensor(name, (batch, features, *size))
        weights = self._weights(f"{name}_w", (features, channels, kernel, kernel))
        shift = self._shift(max(1, channels * kernel * kernel // stride**2), source)
        bias = self._bias(f"{name}_b", features, shift)
        total = self._sums(self._pad(wide, f"{name}_padded", around, 0), weights, name, result.shape, 1, 1, 1)
        self._requantise(total, result, shift, activation, bias)

        def compute(values: Values) -> NDArray[np.int8]:
            data = between_zeros(values[source.name], stride)
            sums = convolution(data, self.parameters[weights.name], 1, around)
            return requantised(sums + self.parameters[bias.name][:, None, None], shift, activation)

        described = f"transposed conv {kernel}x{kernel}/{stride} {channels}->{features} {size[0]}x{size[1]}"
        macs = batch * height * width * channels * features * kernel**2
        return self._record(result, described, macs, compute)

    def _view(self, source: Tensor, name: str, shape: tuple[int, ...], groups: str) -> Tensor:
        """Neighbouring dimensions as one."""
        result = Tensor(name, shape, source.element)
        kinds = f"{source.kind} into {result.kind}"
        self._lines.append(f"  %{name} = tensor.collapse_shape %{source.name} {groups} : {kinds}")
        return result

    def _split(self, source: Tensor, name: str, shape: tuple[int, ...], groups: str) -> Tensor:
        """A dimension as several."""
        result = Tensor(name, shape, source.element)
        extents = ", ".join(map(str, shape))
        self._lines.append(
            f"  %{name} = tensor.expand_shape %{source.name} {groups} output_shape [{extents}] : "
            f"{source.kind} into {result.kind}"
        )
        return result
