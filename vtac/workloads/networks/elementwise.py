"""Elementwise layers of integers: sums, affine functions per channel, gates."""

from __future__ import annotations

import numpy as np

from vtac.workloads.networks.core import NetworkCore, Values
from vtac.workloads.networks.reference import Activation, Int8, requantised
from vtac.workloads.tensor_text import Tensor


class Elementwise(NetworkCore):
    """Layers that work on each element by itself."""

    def add(self, left: Tensor, right: Tensor, name: str, *, shift: int = 0, activation: Activation = "none") -> Tensor:
        """The activation of (left + right) >> shift."""
        result = Tensor(name, left.shape)
        total = Tensor(f"{name}_sum", left.shape, "i32")
        body = """%x0 = arith.extsi %a0 : i8 to i32
    %x1 = arith.extsi %a1 : i8 to i32
    %y = arith.addi %x0, %x1 : i32"""
        self._elementwise(total, [left, right], body)
        self._requantise(total, result, shift, activation, None)

        def compute(values: Values) -> Int8:
            total = values[left.name].astype(np.int64) + values[right.name]
            return requantised(total, shift, activation)

        return self._record(result, f"add {'x'.join(map(str, left.shape[1:]))}", 0, compute)

    def shifted(self, source: Tensor, name: str, *, activation: Activation = "relu") -> Tensor:
        """A number per channel added, then the activation: what normalisation leaves at a scale of one."""
        result = Tensor(name, source.shape)
        bias = self._bias(f"{name}_b", source.shape[1], 0)
        wide = Tensor(f"{name}_wide", source.shape, "i32")
        self._elementwise(wide, [source], "%y = arith.extsi %a0 : i8 to i32")
        self._requantise(wide, result, 0, activation, bias)

        def compute(values: Values) -> Int8:
            shape = (-1, *[1] * (len(source.shape) - 2))
            return requantised(values[source.name] + self.parameters[bias.name].reshape(shape), 0, activation)

        return self._record(result, f"bias and {activation} {'x'.join(map(str, source.shape[1:]))}", 0, compute)

    def negated(self, source: Tensor, name: str) -> Tensor:
        """clip(-x)."""
        result = Tensor(name, source.shape)
        body = """%x = arith.extsi %a0 : i8 to i32
    %zero = arith.constant 0 : i32
    %turned = arith.subi %zero, %x : i32
    %most = arith.constant 127 : i32
    %high = arith.minsi %turned, %most : i32
    %y = arith.trunci %high : i32 to i8"""
        self._elementwise(result, [source], body)

        def compute(values: Values) -> Int8:
            return np.minimum(-values[source.name].astype(np.int64), 127).astype(np.int8)

        return self._record(result, "negation", 0, compute)

    def gate(self, source: Tensor, name: str) -> Tensor:
        """The hard sigmoid clip(x / 4 + 64, 0, 127): half where x is 0, with 128 as one."""
        result = Tensor(name, source.shape)
        body = """%x = arith.extsi %a0 : i8 to i32
    %two = arith.constant 2 : i32
    %slope = arith.shrsi %x, %two : i32
    %half = arith.constant 64 : i32
    %moved = arith.addi %slope, %half : i32
    %zero = arith.constant 0 : i32
    %low = arith.maxsi %moved, %zero : i32
    %one = arith.constant 127 : i32
    %high = arith.minsi %low, %one : i32
    %y = arith.trunci %high : i32 to i8"""
        self._elementwise(result, [source], body)

        def compute(values: Values) -> Int8:
            return np.clip((values[source.name].astype(np.int64) >> 2) + 64, 0, 127).astype(np.int8)

        return self._record(result, "hard sigmoid", 0, compute)

    def gated(self, gate: Tensor, source: Tensor, name: str) -> Tensor:
        """gate * source / 128, rounded down: a product of two computed tensors, element by element."""
        result = Tensor(name, source.shape)
        body = """%g = arith.extsi %a0 : i8 to i32
    %x = arith.extsi %a1 : i8 to i32
    %product = arith.muli %g, %x : i32
    %seven = arith.constant 7 : i32
    %scaled = arith.shrsi %product, %seven : i32
    %y = arith.trunci %scaled : i32 to i8"""
        self._elementwise(result, [gate, source], body)

        def compute(values: Values) -> Int8:
            return (values[gate.name].astype(np.int64) * values[source.name] >> 7).astype(np.int8)

        return self._record(result, "product by element", 0, compute)
