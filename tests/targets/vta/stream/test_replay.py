"""The compiler's streams against a replay of the reference's runtime calls, byte for byte."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from replay import Replay
from replay_conv2d import replay_conv2d
from replay_programs import OutOfScopeError, replay_matmul, replay_vadd
from workload_cases import BATCH_4, conv2d_cases, matmul_cases, vadd_cases

import vtac
from vtac.errors import CompileError
from vtac.workloads.conv2d import Conv2D, Conv2DTiling
from vtac.workloads.matmul import Matmul, MatmulTiling
from vtac.workloads.vadd import VectorAdd


def compare(expected: Callable[[], Replay], text: str, schedule: Callable[[], vtac.Schedule]) -> None:
    """Both streams equal, or both find that the tile does not fit."""
    try:
        replay = expected()
    except OutOfScopeError:
        assume(False)
        return
    except OverflowError as overflow:
        memory = str(overflow).partition(":")[0]
        with pytest.raises(CompileError, match=f"overflows {memory}|write a tile again"):
            vtac.compile(text, schedule=schedule())
        return
    program = vtac.compile(text, schedule=schedule())
    assert program.stream.instructions == replay.instructions
    assert program.stream.micro_ops == replay.micro_ops


@settings(max_examples=25)
@given(conv2d_cases())
def test_convolutions(case: tuple[Conv2D, Conv2DTiling]) -> None:
    layer, tiling = case
    assume(tiling.vthreads == 1 or tiling.vthreads <= layer.kernel_shape[0])
    compare(lambda: replay_conv2d(layer, tiling), layer.text(), lambda: layer.schedule(tiling))


@settings(max_examples=30)
@given(matmul_cases())
def test_products(case: tuple[Matmul, MatmulTiling]) -> None:
    layer, tiling = case
    compare(lambda: replay_matmul(layer, tiling), layer.text(), lambda: layer.schedule(tiling))


@settings(max_examples=20)
@given(vadd_cases())
def test_additions(case: tuple[VectorAdd, int | None]) -> None:
    layer, block = case
    compare(lambda: replay_vadd(layer, block), layer.text(), lambda: layer.schedule(block))


CONVOLUTIONS = {
    "stride 2, one column block of two": (Conv2D(1, 14, 14, 32, 64, 3, 1, 2), Conv2DTiling(7, 7, 16, 32, vthreads=2)),
    "threads over rows": (Conv2D(1, 16, 8, 32, 32, 3, 1, 1), Conv2DTiling(4, 8, 16, 32, vthreads=2, vthread_axis="h")),
    "four threads": (Conv2D(1, 8, 8, 32, 128, 3, 1, 1), Conv2DTiling(4, 8, 16, 16, vthreads=4)),
    "1x1, whole channels": (Conv2D(1, 7, 7, 64, 64, 1, 0, 1), Conv2DTiling(7, 7, 64, 32, vthreads=2)),
    "columns in blocks without padding": (Conv2D(1, 10, 10, 32, 32, 3, 0, 1), Conv2DTiling(4, 4, 32, 16, vthreads=1)),
    "batches of 4": (Conv2D(8, 6, 6, 16, 32, 3, 1, 1, 8, BATCH_4), Conv2DTiling(3, 6, 8, 16, 8, 2, "oc")),
    "one tile in all": (Conv2D(1, 4, 4, 16, 16, 3, 1, 1), Conv2DTiling(4, 4, 16, 16, vthreads=1)),
    "several channel blocks in a padded tile": (
        Conv2D(1, 6, 6, 64, 16, 3, 1, 1),
        Conv2DTiling(3, 6, 32, 16, vthreads=1),
    ),
    "too large": (Conv2D(config=BATCH_4, batch=4), Conv2DTiling()),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_chosen_convolutions(name: str) -> None:
    layer, tiling = CONVOLUTIONS[name]
    compare(lambda: replay_conv2d(layer, tiling), layer.text(), lambda: layer.schedule(tiling))


PRODUCTS = {
    "batches of 4 rows in one block": (Matmul(16, 64, 64), MatmulTiling(4, 32, 32)),
    "two threads": (Matmul(1, 64, 128), MatmulTiling(1, 32, 32, 2)),
    "no reduction loop, three threads": (Matmul(2, 32, 96), MatmulTiling(2, 32, 16, 3)),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_chosen_products(name: str) -> None:
    layer, tiling = PRODUCTS[name]
    compare(lambda: replay_matmul(layer, tiling), layer.text(), lambda: layer.schedule(tiling))
