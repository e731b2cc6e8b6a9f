"""Shared memory of default and fast schedules: no access of theirs takes a turn more than it must."""

from __future__ import annotations

import pytest
from contraction_programs import matmul
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from vtac.analysis.kernels.bank_conflicts import bank_accesses
from vtac.analysis.nests.nest import blocks_under
from vtac.compiler import lower
from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.schedule import LoopRef, Schedule
from vtac.targets.cuda.schedules import product_directives
from vtac.targets.cuda.schedules.product_blocks import find_product_blocks
from vtac.targets.cuda.schedules.product_directives import ProductScheduler
from vtac.targets.cuda.schedules.shape import product_shape
from vtac.targets.cuda.schedules.tiling import ProductTiling
from vtac.workloads.wmma_conv2d import WmmaConv2D
from vtac.workloads.wmma_fast import FastTiling, fast_schedule
from vtac.workloads.wmma_matmul import WmmaMatmul

DEPTHS = (1, 2, 4)


def turns(module: ModuleOp) -> dict[bool, int]:
    """The slowest write and the slowest read of shared memory, in turns."""
    kernel = next(op for op in module.ops if isinstance(op, FuncOp))
    found: dict[bool, int] = {}
    for access in bank_accesses(kernel, fragments=True):
        found[access.writes] = max(found.get(access.writes, 0), access.turns)
    return found


def as_they_are(_script: Schedule, rows: LoopRef, _row_bytes: int) -> list[LoopRef]:
    """Rows in their order."""
    return [rows]


def without_pitch(*_: object) -> None:
    """No directive at all."""


def tiled(text: str, tiling: ProductTiling) -> Schedule:
    """The default schedule of a product with a tiling."""
    script = Schedule(text)
    product = next(block for block in blocks_under(script.function) if block.has_reduction)
    found = find_product_blocks(script.function, product)
    ProductScheduler(script, found, product_shape(Schedule(text), found), tiling).schedule()
    return script


@pytest.mark.parametrize("chunk", DEPTHS)
@pytest.mark.parametrize("sizes", [(128, 128, 128), (100, 36, 68), (70, 33, 35)])
def test_default_products(sizes: tuple[int, int, int], chunk: int) -> None:
    """Rows of 32, 64 and 128 bytes; copies of 16, 8 and 2 bytes."""
    tiling = ProductTiling((16, 16, 16), 2, 2, 2, 1, chunk, 2)
    text = matmul(*sizes).text()
    assert turns(lower(text, "cuda", schedule=tiled(text, tiling))) == {True: 1, False: 1}


@pytest.mark.parametrize("chunk", DEPTHS)
def test_fast_convolutions(chunk: int) -> None:
    tiling = FastTiling(8, 8, 2, 2, chunk, 2)
    layer = WmmaConv2D(128, 3, 3, 64, 128)
    assert turns(lower(layer.text(), "cuda", schedule=fast_schedule(layer, tiling))) == {True: 1, False: 1}


def test_fast_products() -> None:
    layer, record = WmmaMatmul(256, 256, 96), gpu_architecture("sm_80")
    module = lower(layer.text(), "cuda", record, schedule=layer.schedule(layer.fast_tiling(record)))
    assert turns(module) == {True: 1, False: 1}


def test_an_order_without_regard_to_banks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows of 64 bytes, 80 bytes apart, share four banks."""
    monkeypatch.setattr(product_directives, "order_rows", as_they_are)
    text = matmul(128, 128, 128).text()
    assert turns(lower(text, "cuda", schedule=tiled(text, ProductTiling((16, 16, 16), 2, 2, 2, 1, 2, 2))))[True] == 2


def test_rows_without_a_pitch_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of 128 bytes are read, and those of a staged product written, in the same banks."""
    monkeypatch.setattr(Schedule, "storage_align", without_pitch)
    text = matmul(128, 128, 128).text()
    found = turns(lower(text, "cuda", schedule=tiled(text, ProductTiling((16, 16, 16), 2, 2, 2, 1, 4, 2))))
    assert found == {True: 4, False: 8}
