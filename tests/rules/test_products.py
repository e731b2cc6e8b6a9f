"""Products, convolutions and poolings on the machine: zero points as biases, padding, borders, planes of bytes."""

from __future__ import annotations

import numpy as np
import pytest
from rule_programs import convolution, matmul, pooling
from rule_proofs import prove, prove_exhaustively

KERNEL = [27, -27, 3, 100, -28, 0]
BIAS = "s = addi a0 100 : i32\nt = shrsi s 5 : i32\ny = trunci t : i32 to i8"


@pytest.mark.parametrize("zeros", [(0, 0), (-128, 0), (127, 0), (5, 0), (-(1 << 31), 0)])
def test_a_zero_point_of_the_data_is_a_bias(zeros: tuple[int, int]) -> None:
    """sum((x - z) * w) = sum(x * w) - z * sum(w)."""
    prove(matmul(BIAS, zeros=zeros, weights=KERNEL), "compiled", lanes=(0, 1, 2))


@pytest.mark.parametrize("zero", [-128, 5, 127, 1000])
def test_a_zero_point_of_the_data_of_weights_that_are_an_argument(zero: int) -> None:
    """All bytes as data, times all bytes as weights."""
    bytes_ = np.arange(-128, 128, dtype=np.int8)
    text = matmul(BIAS, zeros=(zero, 0), shape=(256, 1, 256))
    prove_exhaustively(text, "packed", [bytes_.reshape(256, 1), bytes_.reshape(1, 256)], host=True)


@pytest.mark.parametrize("zeros", [(0, -5), (7, 3), (-128, 100), (5, -20)])
def test_a_zero_point_of_constant_weights_is_taken_off_them(zeros: tuple[int, int]) -> None:
    prove(matmul(BIAS, zeros=zeros, weights=KERNEL), "compiled", lanes=(0, 1, 2))


@pytest.mark.parametrize("zeros", [(0, 1), (3, -128)])
def test_a_zero_point_of_weights_that_an_i8_does_not_hold_with_them(zeros: tuple[int, int]) -> None:
    """A second product adds what is missing; sums are linear, so that each datum is looked at by itself."""
    for lane in range(3):
        prove(matmul(BIAS, zeros=zeros, weights=[127, -128, 3, 100, -28, 0]), "compiled", lanes=(lane,))


@pytest.mark.parametrize("zero", [0, 9])
@pytest.mark.parametrize("stride", [1, 2])
def test_padding_that_holds_the_zero_point(zero: int, stride: int) -> None:
    """Zeros stand in its place, and the bias leaves out the weights that they meet."""
    prove(convolution(zero, zero, 1, stride), "compiled", lanes=range(9))


@pytest.mark.parametrize(("edge", "zero"), [(0, 0), (0, 5)])
def test_padding_with_zeros(edge: int, zero: int) -> None:
    prove(convolution(zero, edge, 1), "compiled", lanes=range(9))


@pytest.mark.parametrize("edge", [-128])
@pytest.mark.parametrize("pad", [0, 1])
def test_maxima_of_windows(edge: int, pad: int) -> None:
    """Padding lower than any datum is zeros with a border added, or another number that is never the largest."""
    prove(pooling("max", edge, pad, -128), "compiled", lanes=range(9))


@pytest.mark.parametrize("pad", [0, 1])
def test_maxima_of_windows_where_no_datum_is_negative(pad: int) -> None:
    prove(pooling("max", -128, pad, -128, relu=True), "compiled", lanes=range(9))


@pytest.mark.parametrize("pad", [0, 1])
@pytest.mark.parametrize("start", [0, -77])
def test_sums_of_windows_are_products_with_ones(pad: int, start: int) -> None:
    prove(pooling("sum", 0, pad, start), "compiled", lanes=range(9))


@pytest.mark.parametrize("amount", [9, 25])
def test_accumulators_in_planes_of_bytes(amount: int) -> None:
    """A product on a product: as many planes as the bounds of the first need, added up by GEMM and shifts."""
    lines = f"b = addi a0 a2 : i32\ns = shrsi b {amount} : i32\nt = addi s a1 : i32\nu = shrsi t 7 : i32"
    others = [1, 2, 3, -4, -128, 127]
    prove(matmul(f"{lines}\ny = trunci u : i32 to i8", weights=KERNEL, others=others), "compiled")
