"""A layer of a transformer's encoder in f16, its sums in f32: as linalg text, and in float64 as a reference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vtac.workloads.float_text import LEAST, FloatProgram, gelu
from vtac.workloads.tensor_text import Tensor

Array = NDArray[np.generic]
Reals = NDArray[np.float64]
EPSILON = 1e-5
_SUM = "%y = arith.addf %acc, %a0 : f32"


@dataclass(frozen=True)
class EncoderLayer:
    """Attention of `heads` heads over `tokens`, then two products with GELU between, each with residual and layer norm.

    `width` are the features of a token, `hidden` those between the two products.
    """

    tokens: int
    width: int
    heads: int
    hidden: int

    @property
    def depth(self) -> int:
        """Features of a head."""
        return self.width // self.heads

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The arguments: the tokens, then weights, biases, scales and shifts."""
        projection, bias = (self.width, self.heads, self.depth), (self.heads, self.depth)
        return {
            "x": (self.tokens, self.width),
            **{f"w_{name}": projection for name in "qkv"},
            **{f"b_{name}": bias for name in "qkv"},
            "w_out": (self.heads, self.depth, self.width),
            "b_out": (self.width,),
            "scale_1": (self.width,),
            "shift_1": (self.width,),
            "w_up": (self.width, self.hidden),
            "b_up": (self.hidden,),
            "w_down": (self.hidden, self.width),
            "b_down": (self.width,),
            "scale_2": (self.width,),
            "shift_2": (self.width,),
        }

    def text(self) -> str:
        """The layer as one function."""
        return _EncoderText(self).text()

    def inputs(self, seed: int = 0) -> list[Array]:
        """Normally distributed arguments; weights are scaled so that features keep their size."""
        generator = np.random.default_rng(seed)
        found: list[Array] = []
        for name, shape in self.shapes.items():
            values = generator.standard_normal(shape)
            if name.startswith("w_"):
                values /= math.sqrt(self.hidden if name == "w_down" else self.width)
            found.append((1 + 0.1 * values if name.startswith("scale") else values).astype(np.float16))
        return found

    def reference(self, arrays: list[Array]) -> Reals:
        """The result in float64."""
        a = {name: array.astype(np.float64) for name, array in zip(self.shapes, arrays, strict=True)}
        q, k, v = (np.einsum("ik,khd->ihd", a["x"], a[f"w_{name}"]) + a[f"b_{name}"] for name in "qkv")
        scores = np.einsum("ihd,jhd->hij", q, k) / math.sqrt(self.depth)
        parts = np.exp(scores - scores.max(axis=-1, keepdims=True))
        heads = np.einsum("hij,jhd->ihd", parts / parts.sum(axis=-1, keepdims=True), v)
        first = _norm(np.einsum("ihd,hde->ie", heads, a["w_out"]) + a["b_out"] + a["x"], a["scale_1"], a["shift_1"])
        up = first @ a["w_up"] + a["b_up"]
        bent = up * (1 + np.vectorize(math.erf)(up / math.sqrt(2))) / 2
        return _norm(bent @ a["w_down"] + a["b_down"] + first, a["scale_2"], a["shift_2"])


def _norm(values: Reals, scale: Reals, shift: Reals) -> Reals:
    centred = values - values.mean(axis=1, keepdims=True)
    return centred / np.sqrt(values.var(axis=1, keepdims=True) + EPSILON) * scale + shift


class _EncoderText:
    """Writes the function of a layer."""

    def __init__(self, layer: EncoderLayer) -> None:
        self.layer = layer
        self.program = FloatProgram("encoder")
        self.a = {name: self.program.argument(name, shape) for name, shape in layer.shapes.items()}

    def text(self) -> str:
        layer, program, a = self.layer, self.program, self.a
        q, k, v = (self._projection(name) for name in "qkv")
        square = (layer.heads, layer.tokens, layer.tokens)
        scores = program.product(Tensor("scores", square, "f32"), (q, "i, h, d"), (k, "j, h, d"), "h, i, j")
        root = f"%n = arith.constant {1 / math.sqrt(layer.depth):.17e} : f32\n    %y = arith.mulf %a0, %n : f32"
        scaled = program.map(Tensor("scaled", square, "f32"), [(scores, "h, i, j")], root)
        attention = self._softmax(scaled)
        shape = (layer.tokens, layer.heads, layer.depth)
        mixed = program.product(Tensor("mixed", shape, "f32"), (attention, "h, i, j"), (v, "j, h, d"), "i, h, d")
        heads = program.convert("heads", mixed, "f16")
        whole = Tensor("joined", (layer.tokens, layer.width), "f32")
        joined = program.product(whole, (heads, "i, h, d"), (a["w_out"], "h, d, e"), "i, e")
        first = self._norm("first", self._residual(joined, a["b_out"], a["x"]), "1")
        up = program.product(
            Tensor("up", (layer.tokens, layer.hidden), "f32"), (first, "i, k"), (a["w_up"], "k, e"), "i, e"
        )
        wide = Tensor("bent", (layer.tokens, layer.hidden), "f16")
        body = (
            f"{_extend('%a1', '%b')}\n    %s = arith.addf %a0, %b : f32\n    {gelu('%s', '%g')}\n    "
            "%y = arith.truncf %g : f32 to f16"
        )
        bent = program.map(wide, [(up, "i, e"), (a["b_up"], "e")], body)
        down = program.product(
            Tensor("down", (layer.tokens, layer.width), "f32"), (bent, "i, k"), (a["w_down"], "k, e"), "i, e"
        )
        return program.text(self._norm("second", self._residual(down, a["b_down"], first), "2"))

    def _projection(self, name: str) -> Tensor:
        program, shape = self.program, (self.layer.tokens, self.layer.heads, self.layer.depth)
        product = program.product(
            Tensor(f"{name}_wide", shape, "f32"), (self.a["x"], "i, k"), (self.a[f"w_{name}"], "k, h, d"), "i, h, d"
        )
        body = f"{_extend('%a1', '%b')}\n    %s = arith.addf %a0, %b : f32\n    %y = arith.truncf %s : f32 to f16"
        return program.map(Tensor(name, shape, "f16"), [(product, "i, h, d"), (self.a[f"b_{name}"], "h, d")], body)

    def _softmax(self, scores: Tensor) -> Tensor:
        program, rows = self.program, scores.shape[:-1]
        most = program.reduce(
            Tensor("most", rows, "f32"), [(scores, "h, i, j")], "h, i", "%y = arith.maximumf %acc, %a0 : f32", LEAST
        )
        body = "%d = arith.subf %a0, %a1 : f32\n    %y = math.exp %d : f32"
        parts = program.map(Tensor("parts", scores.shape, "f32"), [(scores, "h, i, j"), (most, "h, i")], body)
        total = program.reduce(Tensor("total", rows, "f32"), [(parts, "h, i, j")], "h, i", _SUM)
        body = "%q = arith.divf %a0, %a1 : f32\n    %y = arith.truncf %q : f32 to f16"
        return program.map(Tensor("attention", scores.shape, "f16"), [(parts, "h, i, j"), (total, "h, i")], body)

    def _residual(self, product: Tensor, bias: Tensor, other: Tensor) -> Tensor:
        body = "\n    ".join(
            [
                _extend("%a1", "%b"),
                _extend("%a2", "%r"),
                "%s = arith.addf %a0, %b : f32",
                "%y = arith.addf %s, %r : f32",
            ]
        )
        reads = [(product, "i, e"), (bias, "e"), (other, "i, e")]
        return self.program.map(Tensor(f"{product.name}_sum", product.shape, "f32"), reads, body)

    def _norm(self, name: str, x: Tensor, number: str) -> Tensor:
        program, rows = self.program, x.shape[:1]
        total = program.reduce(Tensor(f"{name}_total", rows, "f32"), [(x, "i, e")], "i", _SUM)
        count = f"%n = arith.constant {float(x.shape[1])!r} : f32\n    "
        mean = program.map(Tensor(f"{name}_mean", rows, "f32"), [(total, "i")], f"{count}%y = arith.divf %a0, %n : f32")
        body = "%d = arith.subf %a0, %a1 : f32\n    %s = arith.mulf %d, %d : f32\n    %y = arith.addf %acc, %s : f32"
        squares = program.reduce(Tensor(f"{name}_squares", rows, "f32"), [(x, "i, e"), (mean, "i")], "i", body)
        lines = [
            f"%n = arith.constant {float(x.shape[1])!r} : f32",
            f"%least = arith.constant {EPSILON:.1e} : f32",
            "%v = arith.divf %a2, %n : f32",
            "%e = arith.addf %v, %least : f32",
            "%r = math.rsqrt %e : f32",
            "%d = arith.subf %a0, %a1 : f32",
            "%z = arith.mulf %d, %r : f32",
            _extend("%a3", "%f"),
            _extend("%a4", "%g"),
            "%p = arith.mulf %z, %f : f32",
            "%q = arith.addf %p, %g : f32",
            "%y = arith.truncf %q : f32 to f16",
        ]
        reads = [
            (x, "i, e"),
            (mean, "i"),
            (squares, "i"),
            (self.a[f"scale_{number}"], "e"),
            (self.a[f"shift_{number}"], "e"),
        ]
        return program.map(Tensor(name, x.shape, "f16"), reads, "\n    ".join(lines))


def _extend(value: str, result: str) -> str:
    return f"{result} = arith.extf {value} : f16 to f32"
