"""Integer networks under construction: layers with given parameters, as linalg text and as numpy."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from vtac.models.quantiser.products import IntegerProduct
from vtac.workloads.networks.core import Array, Values
from vtac.workloads.networks.network import Network
from vtac.workloads.networks.reference import convolution, matrix_product
from vtac.workloads.tensor_text import Tensor, filled, operand_list, window_attributes

Bounds = tuple[int, int]


class IntegerNetwork(Network):
    """A network of i8 whose results are shifted by an amount per feature, rounded half up, and clipped."""

    def __init__(self, name: str, shape: tuple[int, ...], input_name: str) -> None:
        super().__init__(name, shape, 0, input_name)

    def convolution_of(
        self,
        source: Tensor,
        name: str,
        product: IntegerProduct,
        stride: int,
        pads: Sequence[int],
        groups: int,
        dilation: int,
        bounds: Bounds | None,
        zero: int = 0,
    ) -> Tensor:
        """A convolution of data less `zero`, clipped to `bounds`; without them its sums, as i32.

        A convolution in groups has no form with a zero point.
        """
        around = tuple(pads)
        weights = self._given(f"{name}_w", product.weights)
        extents = [source.shape[2] + pads[0] + pads[2], source.shape[3] + pads[1] + pads[3]]
        taps = product.weights.shape[2:]
        size = [(extent - dilation * (tap - 1) - 1) // stride + 1 for extent, tap in zip(extents, taps, strict=True)]
        shape = (source.shape[0], product.weights.shape[0], *size)
        data = self._pad(source, f"{name}_padded", around, zero)
        if zero:
            total = self._less_zero(data, weights, Tensor(f"{name}_t_sum", shape, "i32"), zero, stride, dilation)
        else:
            total = self._sums(data, weights, f"{name}_t", shape, stride, dilation, groups)
        result = self._finish(total, name, product, bounds)

        def compute(values: Values) -> Array:
            sums = convolution(_without(values[source.name], zero), product.weights, stride, around, groups, dilation)
            return _finished(sums, product, bounds)

        macs = prod(shape) * prod(product.weights.shape[1:])
        return self._record(result, f"conv {source.shape[1]}->{shape[1]}", macs, compute)

    def linear_of(
        self, source: Tensor, name: str, product: IntegerProduct, bounds: Bounds | None, zero: int = 0
    ) -> Tensor:
        """A matrix product of data less `zero`, clipped to `bounds`; without them its sums, as i32."""
        weights = self._given(f"{name}_w", np.ascontiguousarray(product.weights.T))
        total = Tensor(f"{name}_sum", (source.shape[0], product.weights.shape[0]), "i32")
        if zero:
            self._less_zero(source, weights, total, zero)
        else:
            self._structured(total, "linalg.matmul", [source, weights], 0)
        result = self._finish(total, name, product, bounds)

        def compute(values: Values) -> Array:
            return _finished(matrix_product(_without(values[source.name], zero), product.weights.T), product, bounds)

        macs = source.shape[0] * product.weights.size
        return self._record(result, f"linear {source.shape[1]}->{total.shape[1]}", macs, compute)

    def sum_of(
        self, left: Tensor, right: Tensor, name: str, factors: Bounds, offset: int, shift: int, bounds: Bounds
    ) -> Tensor:
        """(left * factors[0] + right * factors[1] + offset) >> shift, clipped; the offset holds what rounds."""
        total, result = Tensor(f"{name}_sum", left.shape, "i32"), Tensor(name, left.shape)
        body = [f"%x{place} = arith.extsi %a{place} : i8 to i32" for place in (0, 1)]
        for place, factor in enumerate(factors):
            body.append(f"%f{place} = arith.constant {factor} : i32")
            body.append(f"%s{place} = arith.muli %x{place}, %f{place} : i32")
        body.append("%y = arith.addi %s0, %s1 : i32")
        self._elementwise(total, [left, right], "\n    ".join(body))
        self._elementwise(result, [total], _shifted(offset, shift, bounds))

        def compute(values: Values) -> Array:
            sums = values[left.name].astype(np.int64) * factors[0] + values[right.name].astype(np.int64) * factors[1]
            return np.clip(sums + offset >> shift, *bounds).astype(np.int8)

        return self._record(result, "add", 0, compute)

    def mean_of(self, source: Tensor, name: str, offset: int, shift: int) -> Tensor:
        """(The sum over rows and columns + offset) >> shift; the offset holds what rounds."""
        result = Tensor(name, (*source.shape[:2], 1, 1))
        window = self._empty(f"{name}_window", source.shape[2:])
        total = Tensor(f"{name}_sum", result.shape, "i32")
        attributes = "{dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}"
        self._structured(total, f"linalg.pooling_nchw_sum {attributes}", [source, window], 0)
        self._elementwise(result, [total], _shifted(offset, shift, (-128, 127)))

        def compute(values: Values) -> Array:
            sums = values[source.name].sum(axis=(2, 3), keepdims=True, dtype=np.int64)
            return np.clip(sums + offset >> shift, -128, 127).astype(np.int8)

        return self._record(result, f"mean {source.shape[2]}x{source.shape[3]}", 0, compute)

    def clipped(self, source: Tensor, name: str, bounds: Bounds) -> Tensor:
        """What lies beyond `bounds` as the nearer one."""
        wide, result = Tensor(f"{name}_wide", source.shape, "i32"), Tensor(name, source.shape)
        self._elementwise(wide, [source], "%y = arith.extsi %a0 : i8 to i32")
        self._elementwise(result, [wide], _shifted(0, 0, bounds))
        return self._record(result, "clip", 0, lambda values: np.clip(values[source.name], *bounds).astype(np.int8))

    def _less_zero(
        self, data: Tensor, weights: Tensor, total: Tensor, zero: int, stride: int = 1, dilation: int = 1
    ) -> Tensor:
        """Sums of weights times (data - zero), by the quantised forms of operations."""
        scalars = [Tensor(f"{total.name}_zero", (), "i32"), Tensor(f"{total.name}_none", (), "i32")]
        start = Tensor(f"{total.name}_start", total.shape, "i32")
        image = f"linalg.conv_2d_nchw_fchw_q {window_attributes(stride, dilation)}"
        op = image if len(data.shape) == 4 else "linalg.quantized_matmul"
        self._lines += [
            f"  %{one.name} = arith.constant {value} : i32" for one, value in zip(scalars, (zero, 0), strict=True)
        ]
        self._lines.append(filled(start, 0))
        outputs = f"outs(%{start.name} : {start.kind}) -> {total.kind}"
        self._lines.append(f"  %{total.name} = {op}\n    {operand_list([data, weights], scalars)} {outputs}")
        return total

    def _given(self, name: str, array: NDArray[np.int8] | NDArray[np.int32]) -> Tensor:
        self.parameters[name] = array
        return Tensor(name, array.shape, "i8" if array.dtype == np.int8 else "i32")

    def _finish(self, total: Tensor, name: str, product: IntegerProduct, bounds: Bounds | None) -> Tensor:
        """Bias, shifts and clip of sums; the bias alone without bounds."""
        bias = self._given(f"{name}_b", product.bias)
        result = Tensor(name, total.shape, "i32" if bounds is None else "i8")
        if bounds is None:
            self._elementwise(result, [total, bias], "%y = arith.addi %a0, %a1 : i32")
            return result
        shifts = self._given(f"{name}_shift", product.shifts)
        lines = ["%v0 = arith.addi %a0, %a1 : i32", "%v1 = arith.shrsi %v0, %a2 : i32"]
        self._elementwise(result, [total, bias, shifts], "\n    ".join([*lines, _clip("%v1", bounds)]))
        return result


def _without(data: Array, zero: int) -> NDArray[np.int32]:
    return data.astype(np.int32) - np.int32(zero)


def _finished(sums: NDArray[np.int64], product: IntegerProduct, bounds: Bounds | None) -> Array:
    features = (-1, *[1] * (sums.ndim - 2))
    biased = sums + product.bias.reshape(features)
    if bounds is None:
        return biased.astype(np.int32)
    return np.clip(biased >> product.shifts.reshape(features), *bounds).astype(np.int8)


def _shifted(offset: int, shift: int, bounds: Bounds) -> str:
    """The body that clips (`%a0` + offset) >> shift."""
    lines = [
        f"%offset = arith.constant {offset} : i32",
        "%v0 = arith.addi %a0, %offset : i32",
        f"%shift = arith.constant {shift} : i32",
        "%v1 = arith.shrsi %v0, %shift : i32",
    ]
    return "\n    ".join([*(lines if shift or offset else []), _clip("%v1" if shift or offset else "%a0", bounds)])


def _clip(value: str, bounds: Bounds) -> str:
    lines = [
        f"%low = arith.constant {bounds[0]} : i32",
        f"%high = arith.constant {bounds[1]} : i32",
        f"%v2 = arith.maxsi {value}, %low : i32",
        "%v3 = arith.minsi %v2, %high : i32",
        "%y = arith.trunci %v3 : i32 to i8",
    ]
    return "\n    ".join(lines)
