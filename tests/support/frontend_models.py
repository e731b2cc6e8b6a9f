"""Writes the programs in tests/data/frontends: `python tests/support/frontend_models.py`.

Each is composed by hand, through a small printer, in the way in which torch-mlir
prints linalg on tensors that comes from PyTorch, ONNX and TOSA. Weights are those of numpy's
default generator with the seed of the model; `parameters` gives them to the tests.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from frontend_text import Bytes, Printer, Value, Words, window

SEEDS = {"pytorch_mlp": 1, "onnx_qlinear_residual": 2, "tosa_rescale": 3}


def parameters(model: str) -> list[Bytes | Words]:
    """Weights and biases, in order: those of each layer."""
    random = np.random.default_rng(SEEDS[model])
    shapes = {
        "pytorch_mlp": [(48, 64), (10, 48)],
        "onnx_qlinear_residual": [(16, 3, 3, 3), (16, 16, 3, 3), (10, 16)],
        "tosa_rescale": [(16, 3, 3, 8), (10, 256)],
    }[model]
    found: list[Bytes | Words] = []
    for shape in shapes:
        found.append(random.integers(-30, 31, shape, dtype=np.int8))
        found.append(random.integers(-900, 901, shape[0], dtype=np.int32))
    return found


def pytorch_mlp() -> str:
    """Two int8 layers of integer PyTorch: i64 sums wrap to i32; one shift rounds half up, the other truncates."""
    x = Value("%arg0", (4, 64), "i8")
    p = Printer(x)
    w1, b1, w2, b2 = (
        p.weights(numbers, f"torch_tensor_{'_'.join(map(str, numbers.shape))}_torch.{numbers.dtype}")
        for numbers in parameters("pytorch_mlp")
    )
    hidden = _pytorch_layer(p, x, w1, b1, 7, 0, half_up=True)
    return p.text(_pytorch_layer(p, hidden, w2, b2, 8, -128, half_up=False))


def _pytorch_layer(p: Printer, x: Value, weights: Value, bias: Value, shift: int, low: int, *, half_up: bool) -> Value:
    widen = ["%@0 = arith.extsi %in : i8 to i32", "linalg.yield %@0 : i32"]
    data = p.generic([x], x.shape, "i32", widen)
    wide = p.transpose(p.generic([weights], weights.shape, "i32", widen))
    shape = (x.shape[0], weights.shape[0])
    total = p.named_op("matmul", [data, wide], p.fill(shape, 0, "i64"))
    value = p.generic([total], shape, "i32", ["%@0 = arith.trunci %in : i64 to i32", "linalg.yield %@0 : i32"])
    value = p.generic([value, bias], shape, "i32", ["%@0 = arith.addi %in, %in_0 : i32", "linalg.yield %@0 : i32"])
    if half_up:
        half = p.scalar(1 << (shift - 1), "i32")
        value = p.generic([value], shape, "i32", [f"%@0 = arith.addi %in, {half} : i32", "linalg.yield %@0 : i32"])
    amount = p.scalar(shift, "i32")
    value = p.generic([value], shape, "i32", [f"%@0 = arith.shrsi %in, {amount} : i32", "linalg.yield %@0 : i32"])
    clamp = [
        f"%@0 = arith.maxsi %in, {p.scalar(low, 'i32')} : i32",
        f"%@1 = arith.minsi %@0, {p.scalar(127, 'i32')} : i32",
        "linalg.yield %@1 : i32",
    ]
    value = p.generic([value], shape, "i32", clamp)
    return p.generic([value], shape, "i8", ["%@0 = arith.trunci %in : i32 to i8", "linalg.yield %@0 : i8"])


def onnx_qlinear_residual() -> str:
    """QLinearConv, MaxPool, QLinearConv and a residual, relu, a global maximum, QLinearMatMul: half to even."""
    x = Value("%arg0", (1, 3, 16, 16), "i8")
    p = Printer(x)
    w1, b1, w2, b2, w3, b3 = (p.weights(numbers) for numbers in parameters("onnx_qlinear_residual"))
    first = _onnx_convolution(p, x, w1, b1, -6)
    shape = (1, 16, 8, 8)
    padded = p.pad(first, [0, 0, 1, 1], [0, 0, 1, 1], -128)
    pooled = p.named_op(f"pooling_nchw_max {window(2)}", [padded, p.empty((3, 3), "i8")], p.fill(shape, -128, "i8"))
    second = _onnx_convolution(p, pooled, w2, b2, -8)
    scale = p.scalar(0.0625, "f32")
    left, right = (
        p.generic(
            [value],
            shape,
            "f32",
            ["%@0 = arith.sitofp %in : i8 to f32", f"%@1 = arith.mulf %@0, {scale} : f32", "linalg.yield %@1 : f32"],
        )
        for value in (second, pooled)
    )
    total = p.generic([left, right], shape, "f32", ["%@0 = arith.addf %in, %in_0 : f32", "linalg.yield %@0 : f32"])
    relu = [
        f"%@0 = arith.cmpf ugt, %in, {p.scalar(0.0, 'f32')} : f32",
        f"%@1 = arith.select %@0, %in, {p.scalar(0.0, 'f32')} : f32",
        "linalg.yield %@1 : f32",
    ]
    narrow = p.generic([p.generic([total], shape, "f32", relu)], shape, "i8", _quantise(p, 0.125))
    window_all = p.empty((8, 8), "i8")
    largest = p.named_op(f"pooling_nchw_max {window(1)}", [narrow, window_all], p.fill((1, 16, 1, 1), -128, "i8"))
    rows = p.collapse(largest, [[0], [1, 2, 3]])
    zero = p.scalar(0, "i32")
    start = p.broadcast(b3, (1, 10), [0])
    scores = p.named_op("quantized_matmul", [rows, p.transpose(w3)], start, [zero, zero])
    return p.text(_requantise(p, scores, 2.0**-6))


def _onnx_convolution(p: Printer, x: Value, weights: Value, bias: Value, power: int) -> Value:
    padded = p.pad(x, [0, 0, 1, 1], [0, 0, 1, 1], 0)
    zero = p.scalar(0, "i32")
    shape = (x.shape[0], weights.shape[0], *x.shape[2:])
    start = p.broadcast(bias, shape, [0, 2, 3])
    total = p.named_op(f"conv_2d_nchw_fchw_q {window(1)}", [padded, weights], start, [zero, zero])
    return _requantise(p, total, 2.0**power)


def _requantise(p: Printer, total: Value, scale: float) -> Value:
    body = [
        "%@0 = arith.sitofp %in : i32 to f32",
        f"%@1 = arith.mulf %@0, {p.scalar(scale / 16, 'f32')} : f32",
        "linalg.yield %@1 : f32",
    ]
    real = p.generic([total], total.shape, "f32", body)
    return p.generic([real], total.shape, "i8", _quantise(p, 0.0625))


def _quantise(p: Printer, scale: float) -> list[str]:
    low, high, zero = (p.scalar(number, "f32") for number in (-128.0, 127.0, 0.0))
    return [
        f"%@0 = arith.divf %in, {p.scalar(scale, 'f32')} : f32",
        "%@1 = math.roundeven %@0 : f32",
        f"%@2 = arith.addf %@1, {zero} : f32",
        f"%@3 = arith.maximumf %@2, {low} : f32",
        f"%@4 = arith.minimumf %@3, {high} : f32",
        "%@5 = arith.fptosi %@4 : f32 to i8",
        "linalg.yield %@5 : i8",
    ]


def tosa_rescale() -> str:
    """An NHWC convolution and a fully connected layer of flattened images, with TOSA's rescale: half up in 64 bits."""
    x = Value("%arg0", (2, 4, 4, 8), "i8")
    p = Printer(x, channels_last=True)
    w1, b1, w2, b2 = (p.weights(numbers) for numbers in parameters("tosa_rescale"))
    padded = p.pad(x, [0, 1, 1, 0], [0, 1, 1, 0], 0)
    zero = p.scalar(0, "i32")
    start = p.generic([b1], (2, 4, 4, 16), "i32", ["linalg.yield %in : i32"])
    total = p.named_op(f"conv_2d_nhwc_fhwc_q {window(1)}", [padded, w1], start, [zero, zero])
    rows = p.collapse(_rescale(p, total, 37), [[0], [1, 2, 3]])
    start = p.generic([b2], (2, 10), "i32", ["linalg.yield %in : i32"])
    scores = p.named_op("quantized_matmul", [rows, p.transpose(w2)], start, [zero, zero])
    return p.text(_rescale(p, scores, 38))


def _rescale(p: Printer, total: Value, shift: int) -> Value:
    """By 2^30 / 2^shift."""
    body = [
        "%@0 = arith.extsi %in : i32 to i64",
        f"%@1 = arith.muli %@0, {p.scalar(1 << 30, 'i64')} : i64",
        f"%@2 = arith.addi %@1, {p.scalar(1 << (shift - 1), 'i64')} : i64",
        f"%@3 = arith.shrsi %@2, {p.scalar(shift, 'i64')} : i64",
        "%@4 = arith.trunci %@3 : i64 to i32",
        f"%@5 = arith.maxsi %@4, {p.scalar(-128, 'i32')} : i32",
        f"%@6 = arith.minsi %@5, {p.scalar(127, 'i32')} : i32",
        "%@7 = arith.trunci %@6 : i32 to i8",
        "linalg.yield %@7 : i8",
    ]
    return p.generic([total], total.shape, "i8", body)


MODELS = {"pytorch_mlp": pytorch_mlp, "onnx_qlinear_residual": onnx_qlinear_residual, "tosa_rescale": tosa_rescale}


DIRECTORY = Path(__file__).parents[1] / "data" / "frontends"


if __name__ == "__main__":
    for model, write in MODELS.items():
        (DIRECTORY / f"{model}.mlir").write_text(write(), encoding="utf-8")
