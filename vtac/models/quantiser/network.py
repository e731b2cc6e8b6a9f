"""Integer networks under construction: layers with given parameters, as linalg text and as numpy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FileLineColLoc, ModuleOp, StringAttr
from xdsl.ir import Operation

from vtac.models.layer import Layer
from vtac.models.layers.convolutions import Spread
from vtac.models.layers.views import Flatten, Pad, Reshape
from vtac.models.quantiser.float_layers import moved, padding
from vtac.models.quantiser.float_text import FloatText
from vtac.models.quantiser.float_windows import spread_out
from vtac.models.quantiser.host_step import HostStep
from vtac.models.quantiser.integer_bodies import (
    Bounds,
    Finish,
    IntegerBody,
    clipped_numbers,
    convolved,
    exact_type,
    finished_sums,
    window_attributes,
)
from vtac.models.windows import Window
from vtac.workloads.networks.core import Array, Values
from vtac.workloads.networks.network import Network
from vtac.workloads.tensor_text import Tensor

PART = re.compile(
    r"_(w|b|t|shift1?|below|limit|padded|window|sum|taps|in|k|groups|zero|none|start|empty|value|wide|flat|zeros|[fp]\d+)$"
)
"""How the names of values end that layers are made of."""


class IntegerNetwork(Network):
    """A network of i8 whose results are shifted by an amount per feature, rounded, and clipped.

    `origins` says which layer of the model the values of each name are of, those with more behind it included.
    """

    def __init__(self, name: str, inputs: Sequence[Tensor]) -> None:
        super().__init__(name, inputs[0].shape, 0, inputs[0].name)
        self.input, self.inputs = inputs[0], list(inputs)
        self.origins: dict[str, str] = {}

    def module(self) -> ModuleOp:
        """The network with its parameters as constants; places are those of its text, by the names of layers."""
        made = super().module()
        for function in made.ops:
            for op in function.walk():
                origin = self._origin_of(op)
                place = op.location
                if origin and isinstance(place, FileLineColLoc):
                    op.location = FileLineColLoc(StringAttr(origin), place.line, place.column)
        return made

    def _origin_of(self, op: Operation) -> str:
        """The layer that an operation is of, or the one around it; empty where there is none."""
        name = (op.results[0].name_hint or "") if op.results else ""
        while name and name not in self.origins and (part := PART.search(name)):
            name = name[: part.start()]
        around = op.parent_op()
        return self.origins.get(name, "") or (self._origin_of(around) if around is not None else "")

    def host_step(self, step: HostStep, described: str) -> Tensor:
        """What the host computes."""
        self._lines += step.lines
        self.parameters.update(step.parameters)
        return self._record(step.result, described, 0, step.compute)

    def view_of(
        self, source: Tensor, name: str, layer: Layer, shape: tuple[int, ...], others: Sequence[Tensor]
    ) -> Tensor:
        """A layer that moves elements, whatever they are."""
        text = FloatText(name)
        sources = [source, *others]
        found = text.named(moved(text, layer, sources, shape), name)
        self._lines += text.lines
        is_view = isinstance(layer, Reshape | Flatten)

        def compute(values: Values) -> Array:
            return layer.compute(*(values[one.name] for one in sources))

        return self._record(found, layer.kind, 0, compute, is_view=is_view)

    def padding_of(self, source: Tensor, name: str, layer: Pad, shape: tuple[int, ...]) -> Tensor:
        """A number around the elements; the layer's value is that number in bytes."""
        text = FloatText(name)
        found = text.named(padding(text, layer, source, shape, int(layer.value)), name)
        self._lines += text.lines
        return self._record(found, layer.kind, 0, lambda values: layer.compute(values[source.name]))

    def spread_of(self, source: Tensor, name: str, layer: Spread, shape: tuple[int, ...]) -> Tensor:
        """Zeros between rows and columns."""
        text = FloatText(name)
        found = text.named(spread_out(text, layer, source, shape, 0), name)
        self._lines += text.lines
        return self._record(found, layer.kind, 0, lambda values: layer.compute(values[source.name]))

    def convolution_of(self, source: Tensor, name: str, window: Window, groups: int, zero: int, end: Finish) -> Tensor:
        """A convolution of data less `zero`: padding holds it, and the bias makes up for it."""
        product = end.product
        weights = self._given(f"{name}_w", product.weights)
        size = tuple(
            (source.shape[axis + 2] + window.pads[axis] + window.pads[axis + 2] - window.reach[axis])
            // window.stride[axis]
            + 1
            for axis in (0, 1)
        )
        shape = (source.shape[0], product.weights.shape[0], *size)
        data = self._pad(source, f"{name}_padded", window.pads, zero)
        total = Tensor(f"{name}_t_sum", shape, "i32")
        self._sums_of(data, weights, total, window, groups)
        result = self._finish(total, name, replace(end, product=product.without_zero(zero)))

        def compute(values: Values) -> Array:
            sums = convolved(values[source.name], product.weights, window, (size[0], size[1]), groups, zero)
            return finished_sums(sums, end, values)

        macs = prod(shape) * prod(product.weights.shape[1:])
        return self._record(result, f"conv {source.shape[1]}->{shape[1]}", macs, compute)

    def by_channel(self, source: Tensor, name: str, end: Finish) -> Tensor:
        """A factor for each channel (dimension 1) of images or rows."""
        weights = end.product.weights
        if len(source.shape) == 4:
            return self.convolution_of(source, name, Window((1, 1)), weights.shape[0], 0, end)
        factors = self._given(f"{name}_w", weights.ravel())
        total = Tensor(f"{name}_sum", source.shape, "i32")
        body = """%x0 = arith.extsi %a0 : i8 to i32
    %x1 = arith.extsi %a1 : i8 to i32
    %y = arith.muli %x0, %x1 : i32"""
        self._elementwise(total, [source, factors], body)
        result = self._finish(total, name, end)

        def compute(values: Values) -> Array:
            return finished_sums(values[source.name].astype(np.int64) * weights.ravel().astype(np.int64), end, values)

        return self._record(result, "by channel", 0, compute)

    def linear_of(self, source: Tensor, name: str, end: Finish) -> Tensor:
        """A matrix product."""
        product = end.product
        weights = self._given(f"{name}_w", np.ascontiguousarray(product.weights.T))
        total = Tensor(f"{name}_sum", (source.shape[0], product.weights.shape[0]), "i32")
        self._structured(total, "linalg.matmul", [source, weights], 0)
        result = self._finish(total, name, end)

        def compute(values: Values) -> Array:
            kind = exact_type(product.weights, 0)
            data = values[source.name].astype(kind)
            return finished_sums((data @ product.weights.T.astype(kind)).astype(np.int64), end, values)

        macs = source.shape[0] * product.weights.size
        return self._record(result, f"linear {source.shape[1]}->{total.shape[1]}", macs, compute)

    def sum_of(
        self,
        left: Tensor,
        right: Tensor,
        name: str,
        factors: tuple[int, int],
        offset: int,
        shift: int,
        bounds: Bounds,
    ) -> Tensor:
        """(left * factors[0] + right * factors[1] + offset) >> shift, clipped; the offset holds what rounds."""
        total, result = Tensor(f"{name}_sum", left.shape, "i32"), Tensor(name, left.shape)
        body = [f"%x{place} = arith.extsi %a{place} : i8 to i32" for place in (0, 1)]
        for place, factor in enumerate(factors):
            body.append(f"%f{place} = arith.constant {factor} : i32")
            body.append(f"%s{place} = arith.muli %x{place}, %f{place} : i32")
        body.append("%y = arith.addi %s0, %s1 : i32")
        self._elementwise(total, [left, right], "\n    ".join(body))
        self._clipping(result, total, offset, shift, bounds)

        def compute(values: Values) -> Array:
            sums = values[left.name].astype(np.int64) * factors[0] + values[right.name].astype(np.int64) * factors[1]
            return clipped_numbers(sums + offset >> shift, bounds)

        return self._record(result, "add", 0, compute)

    def mean_of(self, source: Tensor, name: str, offset: int, shift: int) -> Tensor:
        """(The sum over rows and columns + offset) >> shift; the offset holds what rounds."""
        result = Tensor(name, (*source.shape[:2], 1, 1))
        window = self._empty(f"{name}_window", source.shape[2:])
        total = Tensor(f"{name}_sum", result.shape, "i32")
        attributes = "{dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}"
        self._structured(total, f"linalg.pooling_nchw_sum {attributes}", [source, window], 0)
        self._clipping(result, total, offset, shift, (-128, 127))

        def compute(values: Values) -> Array:
            sums = values[source.name].sum(axis=(2, 3), keepdims=True, dtype=np.int64)
            return np.clip(sums + offset >> shift, -128, 127).astype(np.int8)

        return self._record(result, f"mean {source.shape[2]}x{source.shape[3]}", 0, compute)

    def maximum_of(self, source: Tensor, name: str, window: Window, positions: tuple[int, int]) -> Tensor:
        """The largest of each window, as far as windows reach."""
        result = Tensor(name, (*source.shape[:2], *positions))
        data = self._pad(source, f"{name}_padded", window.reaching(positions, source.shape), -128)
        size = self._empty(f"{name}_window", window.size)
        self._structured(result, f"linalg.pooling_nchw_max {window_attributes(window)}", [data, size], -128)

        def compute(values: Values) -> Array:
            padded = window.padded(values[source.name], positions, -128)
            found = np.full((*padded.shape[:2], *positions), -128, np.int8)
            for _, seen in window.taps(padded, positions):
                np.maximum(found, seen, out=found)
            return found

        return self._record(result, f"max pool {window.size[0]}x{window.size[1]}", 0, compute)

    def clipped(self, source: Tensor, name: str, bounds: Bounds) -> Tensor:
        """What lies beyond `bounds` as the nearer one."""
        wide, result = Tensor(f"{name}_wide", source.shape, "i32"), Tensor(name, source.shape)
        self._elementwise(wide, [source], "%y = arith.extsi %a0 : i8 to i32")
        self._clipping(result, wide, 0, 0, bounds)
        return self._record(
            result, "clip", 0, lambda values: clipped_numbers(values[source.name].astype(np.int64), bounds)
        )

    def _sums_of(self, data: Tensor, weights: Tensor, total: Tensor, window: Window, groups: int) -> Tensor:
        """The sums of products, as the named operation that fits the groups."""
        attributes = window_attributes(window)
        if groups == 1:
            self._structured(total, f"linalg.conv_2d_nchw_fchw {attributes}", [data, weights], 0)
        elif weights.shape[1] == 1 and weights.shape[0] == groups:
            taps = self._view(weights, f"{total.name}_taps", (groups, *weights.shape[2:]), "[[0, 1], [2], [3]]")
            self._structured(total, f"linalg.depthwise_conv_2d_nchw_chw {attributes}", [data, taps], 0)
        else:
            self._grouped(data, weights, total, attributes, groups)
        return total

    def _given(self, name: str, array: NDArray[np.int8] | NDArray[np.int32]) -> Tensor:
        self.parameters[name] = array
        return Tensor(name, array.shape, "i8" if array.dtype == np.int8 else "i32")

    def _finish(self, total: Tensor, name: str, end: Finish) -> Tensor:
        """Bias, shifts and clip of sums; the bias alone without bounds."""
        bias = self._given(f"{name}_b", end.product.bias)
        result = Tensor(name, total.shape, "i32" if end.bounds is None else "i8")
        if end.bounds is None:
            self._elementwise(result, [total, bias], "%y = arith.addi %a0, %a1 : i32")
            return result
        shifts = self._given(f"{name}_shift", end.product.shifts)
        body = IntegerBody([total, bias, shifts])
        value = body.add("arith.addi", "%a0", "%a1")
        if end.rounding == "half-even":
            one = body.operand(self._given(f"{name}_shift1", (end.product.shifts + 1).astype(np.int32)))
            below = np.left_shift(1, end.product.shifts) - 1
            most = body.operand(self._given(f"{name}_below", below.astype(np.int32)))
            first = body.add("arith.shrsi", value, one)
            second = body.add("arith.shrsi", body.add("arith.addi", value, most), one)
            value = body.add("arith.addi", first, second)
        else:
            value = body.add("arith.shrsi", value, "%a2")
        if end.inner is not None:
            low, high = (
                body.operand(self._given(f"{name}_{side}", one))
                for side, one in zip(("least", "most"), end.inner, strict=True)
            )
            value = body.add("arith.minsi", body.add("arith.maxsi", value, low), high)
        if end.residual is not None:
            value = body.with_residual(value, end.residual)
        limit = self._limit(name, end.bounds)
        body.clip(value, end.bounds, None if limit is None else body.operand(limit))
        self._elementwise(result, body.operands, "\n    ".join(body.lines))
        return result

    def _clipping(self, result: Tensor, source: Tensor, offset: int, shift: int, bounds: Bounds) -> None:
        """(source + offset) >> shift, clipped."""
        body = IntegerBody([source])
        value = body.add("arith.addi", "%a0", body.constant(offset)) if offset else "%a0"
        value = body.add("arith.shrsi", value, body.constant(shift)) if shift else value
        limit = self._limit(result.name, bounds)
        body.clip(value, bounds, None if limit is None else body.operand(limit))
        self._elementwise(result, body.operands, "\n    ".join(body.lines))

    def _limit(self, name: str, bounds: Bounds) -> Tensor | None:
        high = bounds[1]
        return None if isinstance(high, int) else self._given(f"{name}_limit", high)
