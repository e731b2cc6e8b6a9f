"""Attention of several heads, softmax(q k^T / sqrt(features) [+ mask]) v, as linalg text and in float64."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vtac.evaluate.bfloat16 import from_bfloat16, to_bfloat16
from vtac.workloads.float_text import LEAST, FloatProgram
from vtac.workloads.tensor_text import Tensor

Array = NDArray[np.generic]
Reals = NDArray[np.float64]


_CAUSAL = "\n    ".join(
    [
        "%row = linalg.index 1 : index",
        "%key = linalg.index 2 : index",
        "%counts = arith.cmpi sge, %row, %key : index",
        f"%least = arith.constant {LEAST} : f32",
        "%y = arith.select %counts, %a0, %least : f32",
    ]
)


@dataclass(frozen=True)
class Attention:
    """Each head's rows by its keys; `features` of queries and keys, `columns` of values.

    Operands and result are of f16 or bf16, an additive `mask` of rows by keys, for all heads, of f32. With `causal` no
    key beyond the row counts.
    """

    heads: int
    rows: int
    keys: int
    features: int
    columns: int
    element: str = "f16"
    mask: bool = False
    causal: bool = False

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The arguments."""
        found = {
            "q": (self.heads, self.rows, self.features),
            "k": (self.heads, self.keys, self.features),
            "v": (self.heads, self.keys, self.columns),
        }
        return {**found, "mask": (self.rows, self.keys)} if self.mask else found

    @property
    def scale(self) -> float:
        return 1 / math.sqrt(self.features)

    def text(self) -> str:
        """One function."""
        program, square = FloatProgram("attention"), (self.heads, self.rows, self.keys)
        q, k, v = (program.argument(name, self.shapes[name], self.element) for name in "qkv")
        scores = program.product(Tensor("scores", square, "f32"), (q, "h, i, d"), (k, "h, j, d"), "h, i, j")
        number = f"%n = arith.constant {self.scale:.17e} : f32\n    "
        reads = [(scores, "h, i, j")]
        if self.mask:
            reads.append((program.argument("mask", self.shapes["mask"], "f32"), "i, j"))
            body = f"{number}%s = arith.mulf %a0, %n : f32\n    %y = arith.addf %s, %a1 : f32"
        else:
            body = f"{number}%y = arith.mulf %a0, %n : f32"
        scaled = program.map(Tensor("scaled", square, "f32"), reads, body)
        if self.causal:
            scaled = program.map(Tensor("causal", square, "f32"), [(scaled, "h, i, j")], _CAUSAL)
        weights = softmax(program, scaled, self.element)
        shape = (self.heads, self.rows, self.columns)
        mixed = program.product(Tensor("mixed", shape, "f32"), (weights, "h, i, j"), (v, "h, j, d"), "h, i, d")
        return program.text(program.convert("result", mixed, self.element))

    def inputs(self, seed: int = 0) -> list[Array]:
        """Normally distributed operands; a mask takes a third of the keys away, never all of a row."""
        generator = np.random.default_rng(seed)
        found: list[Array] = []
        for name, shape in self.shapes.items():
            values = generator.standard_normal(shape).astype(np.float32)
            if name == "mask":
                gone = generator.random(shape) < 1 / 3
                gone[:, 0] = False
                found.append(np.where(gone, np.float32(-np.inf), values))
            else:
                found.append(to_bfloat16(values) if self.element == "bf16" else values.astype(np.float16))
        return found

    def reference(self, arrays: list[Array]) -> Reals:
        """The result in float64."""
        q, k, v, *mask = (self._reals(array) for array in arrays)
        scores = np.einsum("hid,hjd->hij", q, k) * self.scale
        for one in mask:
            scores = scores + one
        if self.causal:
            scores = np.where(np.tri(self.rows, self.keys, dtype=np.bool_), scores, -np.inf)
        parts = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return np.einsum("hij,hjd->hid", parts / parts.sum(axis=-1, keepdims=True), v)

    def difference(self, result: Array, arrays: list[Array]) -> float:
        """The largest difference from the reference, as a share of `tolerance`."""
        return float(np.max(np.abs(self._reals(result) - self.reference(arrays))) / self.tolerance(arrays))

    def tolerance(self, arrays: list[Array]) -> float:
        """What rounding may make of the result.

        Weights are rounded to the operands' type, and so is the result: each time by half of the type's step at most,
        relative to numbers that are no larger than the largest value. Sums in f32, and exponentials of scores whose
        rounding they multiply, stay below the same again.
        """
        step = 2.0**-8 if self.element == "bf16" else 2.0**-11
        return 3 * step * float(np.max(np.abs(self._reals(arrays[2]))))

    def _reals(self, array: Array) -> Reals:
        if array.dtype == np.uint16:
            return from_bfloat16(array.astype(np.uint16)).astype(np.float64)
        return array.astype(np.float64)


def softmax(program: FloatProgram, scores: Tensor, element: str, kept: str = "h, i") -> Tensor:
    """The softmax of the last dimension, called j, rounded to a type; `kept` are the names of the others."""
    rows, at = scores.shape[:-1], f"{kept}, j"
    body = "%y = arith.maximumf %acc, %a0 : f32"
    most = program.reduce(Tensor("most", rows, "f32"), [(scores, at)], kept, body, LEAST)
    body = "%d = arith.subf %a0, %a1 : f32\n    %y = math.exp %d : f32"
    parts = program.map(Tensor("parts", scores.shape, "f32"), [(scores, at), (most, kept)], body)
    total = program.reduce(Tensor("total", rows, "f32"), [(parts, at)], kept, "%y = arith.addf %acc, %a0 : f32")
    body = f"%q = arith.divf %a0, %a1 : f32\n    %y = arith.truncf %q : f32 to {element}"
    return program.map(Tensor("weights", scores.shape, element), [(parts, at), (total, kept)], body)
