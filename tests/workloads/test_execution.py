"""Any shape, tiling, thread count and configuration computes what numpy does, safely, with the counters it implies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from run_checks import check_conv2d, check_counters, check_matmul, compile_legal, run_checked, scheduled
from tiling_counters import conv2d_counters, matmul_counters, vadd_counters
from workload_cases import BATCH_2, BATCH_4, BLOCK_32, conv2d_cases, matmul_cases, vadd_cases

import vtac
from vtac.workloads import reference
from vtac.workloads.conv2d import Conv2D, Conv2DTiling
from vtac.workloads.matmul import Matmul, MatmulTiling
from vtac.workloads.vadd import VectorAdd


def run_conv2d(layer: Conv2D, tiling: Conv2DTiling) -> None:
    program = compile_legal(layer.text(), scheduled(layer, tiling))
    check_conv2d(layer, program)
    check_counters(program, conv2d_counters(layer, tiling))


def run_matmul(layer: Matmul, tiling: MatmulTiling) -> None:
    program = compile_legal(layer.text(), scheduled(layer, tiling))
    check_matmul(layer, program)
    check_counters(program, matmul_counters(layer, tiling))


@settings(max_examples=25)
@given(conv2d_cases())
def test_convolutions(case: tuple[Conv2D, Conv2DTiling]) -> None:
    run_conv2d(*case)


@settings(max_examples=20)
@given(conv2d_cases(dividing=False))
def test_convolutions_with_guards(case: tuple[Conv2D, Conv2DTiling]) -> None:
    run_conv2d(*case)


@settings(max_examples=20)
@given(matmul_cases())
def test_products(case: tuple[Matmul, MatmulTiling]) -> None:
    run_matmul(*case)


@settings(max_examples=15)
@given(matmul_cases(dividing=False))
def test_products_with_guards(case: tuple[Matmul, MatmulTiling]) -> None:
    run_matmul(*case)


@settings(max_examples=15)
@given(vadd_cases())
def test_additions(case: tuple[VectorAdd, int | None]) -> None:
    layer, block = case
    program = vtac.compile(layer.text(), schedule=layer.schedule(block))
    random = np.random.default_rng(3)
    first, second = (random.integers(-(2**31), 2**31, layer.shape, dtype=np.int32) for _ in range(2))
    assert np.array_equal(run_checked(program, first, second), reference.vadd(first, second))
    check_counters(program.stream, vadd_counters(layer))


CONVOLUTIONS = {
    "rows wholly in the padding": (Conv2D(1, 5, 5, 16, 16, 3, 3), Conv2DTiling(1, 9, 16, 16, vthreads=1)),
    "columns wholly in the padding": (Conv2D(1, 5, 5, 16, 16, 1, 3), Conv2DTiling(11, 1, 16, 16, vthreads=1)),
    "padded 1x1": (Conv2D(1, 4, 4, 16, 48, 1, 2), Conv2DTiling(8, 8, 16, 48, vthreads=1)),
    "padded 1x1, row by row": (Conv2D(1, 4, 4, 16, 48, 1, 2), Conv2DTiling(1, 8, 16, 48, vthreads=1)),
    "corner tiles in the padding": (Conv2D(1, 4, 4, 32, 16, 1, 3), Conv2DTiling(2, 5, 32, 16, vthreads=1)),
    "pads over 15": (Conv2D(1, 3, 3, 16, 16, 3, 17), Conv2DTiling(7, 35, 16, 16, vthreads=1)),
    "two threads in the padding": (Conv2D(1, 6, 6, 16, 32, 3, 3), Conv2DTiling(1, 10, 16, 16, vthreads=2)),
    "threads over rows in the padding": (Conv2D(1, 6, 6, 16, 16, 3, 3), Conv2DTiling(1, 10, 16, 16, None, 2, "h")),
    "stride over the kernel": (Conv2D(1, 9, 9, 32, 16, 1, 0, 3), Conv2DTiling(3, 3, 16, 16, vthreads=1)),
    "guarded rows and columns": (Conv2D(1, 7, 7, 32, 48, 3, 1), Conv2DTiling(3, 4, 32, 32, None, 1, "oc", "guard")),
    "guarded rows of a large layer": (Conv2D(1, 28, 28, 32, 64), Conv2DTiling(9, 28, 16, 64, None, 1, "oc", "guard")),
    "guarded channels": (Conv2D(1, 6, 6, 48, 80, 3, 1), Conv2DTiling(6, 6, 32, 32, None, 1, "oc", "guard")),
    "guarded rows in the padding": (Conv2D(1, 4, 6, 16, 16, 1, 2), Conv2DTiling(3, 10, 16, 16, None, 1, "oc", "guard")),
    "four threads over rows": (Conv2D(1, 8, 8, 16, 32, 3, 1), Conv2DTiling(2, 8, 16, 16, None, 4, "h")),
    "batches of 4": (Conv2D(8, 6, 6, 16, 32, 3, 1, config=BATCH_4), Conv2DTiling(3, 6, 8, 16, 4, 2)),
    "two batches of 2 at a time": (Conv2D(4, 6, 6, 16, 32, 3, 1, config=BATCH_2), Conv2DTiling(3, 6, 16, 16, 4, 2)),
    "blocks of 32": (Conv2D(1, 7, 7, 64, 64, 3, 1, 2, config=BLOCK_32), Conv2DTiling(4, 4, 32, 32, None, 2)),
    "7x7 stride 2": (Conv2D(1, 14, 14, 16, 32, 7, 3, 2), Conv2DTiling(7, 7, 16, 32, vthreads=1)),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_chosen_convolutions(name: str) -> None:
    run_conv2d(*CONVOLUTIONS[name])


PRODUCTS = {
    "wide batch": (Matmul(16, 64, 96), MatmulTiling(8, 32, 48)),
    "guards everywhere": (Matmul(5, 80, 112), MatmulTiling(3, 48, 64, 1, "guard")),
    "two threads, batches of 4": (Matmul(8, 32, 64, config=BATCH_4), MatmulTiling(4, 16, 16, 2)),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_chosen_products(name: str) -> None:
    run_matmul(*PRODUCTS[name])
