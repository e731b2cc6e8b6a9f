"""Matrix products of networks: by parameters, and of two computed tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vtac.workloads.networks.core import NetworkCore, Values
from vtac.workloads.networks.reference import Activation, matrix_product, requantised
from vtac.workloads.tensor_text import Tensor


class Products(NetworkCore):
    """Layers that are matrix products."""

    def linear(
        self,
        source: Tensor,
        name: str,
        features: int,
        *,
        last: bool = False,
        activation: Activation = "relu",
        residual: Tensor | None = None,
    ) -> Tensor:
        """(N, K) times (K, F) plus bias: requantised, or as i32 when it is the last layer."""
        batch, channels = source.shape
        weights = self._weights(f"{name}_w", (channels, features))
        shift = 0 if last else self._shift(channels, source)
        bias = self._bias(f"{name}_b", features, 12 if last else shift)
        result = Tensor(name, (batch, features), "i32" if last else "i8")
        product = Tensor(f"{name}_sum", result.shape, "i32")
        self._structured(product, "linalg.matmul", [source, weights], 0)
        if last:
            self._elementwise(result, [product, bias], "%y = arith.addi %a0, %a1 : i32")
        else:
            self._requantise(product, result, shift, activation, bias, residual)

        def compute(values: Values) -> NDArray[Any]:
            total = matrix_product(values[source.name], self.parameters[weights.name]) + self.parameters[bias.name]
            extra = None if residual is None else values[residual.name]
            return total.astype(np.int32) if last else requantised(total, shift, activation, extra)

        return self._record(result, f"linear {channels}->{features}", batch * channels * features, compute)

    def product(self, left: Tensor, right: Tensor, name: str, *, shift: int | None) -> Tensor:
        """(B, M, K) times (B, K, N), both computed: requantised, or as i32 when `shift` is none."""
        batches, rows, depth = left.shape
        columns = right.shape[2]
        result = Tensor(name, (batches, rows, columns), "i32" if shift is None else "i8")
        total = result if shift is None else Tensor(f"{name}_sum", result.shape, "i32")
        self._structured(total, "linalg.batch_matmul", [left, right], 0)
        if shift is not None:
            self._requantise(total, result, shift, "none", None)

        def compute(values: Values) -> NDArray[Any]:
            sums = matrix_product(values[left.name], values[right.name])
            return sums.astype(np.int32) if shift is None else requantised(sums, shift, "none")

        macs = batches * rows * depth * columns
        return self._record(result, f"{batches} products {rows}x{depth}x{columns}", macs, compute)
