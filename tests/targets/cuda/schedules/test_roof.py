"""The space of tilings and its ranking: what fits, what bounds it, and how a wrong number is refused."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtac.dialects.gpu_hardware import gpu_architecture, gpu_architectures
from vtac.dialects.gpu_roofs import GpuRoof, KernelCosts, gpu_roof
from vtac.errors import ConfigError, ScheduleError
from vtac.targets.cuda.schedules import roof
from vtac.targets.cuda.schedules.footprint import registers, used_bytes
from vtac.targets.cuda.schedules.roof import choose_tiling, estimate, ranking
from vtac.targets.cuda.schedules.tiling import ProductSize, ProductTiling, tilings

LARGE = ProductSize((8192, 8192, 8192), (16, 16, 16), 2, (8, 8))


def test_every_architecture_has_roofs() -> None:
    for name, record in gpu_architectures().items():
        assert gpu_roof(record).source, name
    with pytest.raises(ConfigError, match="roof of a chip: every number must be positive"):
        GpuRoof("a chip", 0, 1, 1.0, "nowhere")
    with pytest.raises(ConfigError, match="costs of kernels: every number must be positive"):
        KernelCosts(latency=0)
    assert gpu_roof(None).costs.source


@pytest.mark.parametrize(
    ("architecture", "block", "stages"), [("sm_80", (128, 128, 64), 2), ("sm_90", (256, 128, 64), 4)]
)
def test_large_products_get_large_tiles(architecture: str, block: tuple[int, int, int], stages: int) -> None:
    """Rows of 128 bytes, so that copies of the left operand meet no bank twice; as many steps ahead as fit."""
    tiling = choose_tiling(LARGE, gpu_architecture(architecture))
    assert (tiling.block, tiling.stages, tiling.group) == (block, stages, 8)


@pytest.mark.parametrize("sizes", [(1, 24, 40), (50, 70, 33), (64, 96, 128)])
def test_small_products_get_many_blocks(sizes: tuple[int, int, int]) -> None:
    tiling = choose_tiling(ProductSize(sizes, (16, 16, 16), 2, (1, 1)), None)
    assert max(tiling.block[:2]) <= 32
    assert tiling.group == 1


def test_elements_that_wait_in_registers_count_as_such() -> None:
    """64 single elements of an operand per thread, of 128 x 128 x 64, would spill."""
    tiling = ProductTiling((16, 16, 16), 4, 4, 2, 2, 4, 2)
    found = [
        registers(tiling, ProductSize((4096, 4096, 4096), (16, 16, 16), 2, lanes)) for lanes in ((8, 8), (1, 8), (1, 1))
    ]
    assert found == [168, 360, 552]


@pytest.mark.parametrize("lanes", [(1, 1), (1, 8), (8, 1), (4, 2)])
def test_odd_rows_get_the_tiles_of_even_ones(lanes: tuple[int, int]) -> None:
    """Products whose rows end within a vector are pipelined, in large tiles."""
    tiling = choose_tiling(ProductSize((4096, 4095, 4095), (16, 16, 16), 2, lanes), gpu_architecture("sm_90"))
    assert tiling.stages > 1
    assert prod(tiling.block[:2]) >= 128 * 128


@given(
    st.tuples(*[st.integers(1, 5000)] * 3),
    st.sampled_from([*gpu_architectures(), None]),
    st.sampled_from([((16, 16, 16), 2), ((16, 16, 8), 4), ((8, 32, 16), 1)]),
)
def test_whatever_is_chosen_fits(
    sizes: tuple[int, int, int], name: str | None, kind: tuple[tuple[int, int, int], int]
) -> None:
    fragment, width = kind
    size = ProductSize(sizes, fragment, width, (16 // width, 1))
    record = None if name is None else gpu_architecture(name)
    tiling = choose_tiling(size, record)
    for one in gpu_architectures().values() if record is None else (record,):
        assert one.resident_blocks(tiling.threads, tiling.registers, used_bytes(tiling, size, one))
    assert tiling.stages == 1 or -(-sizes[2] // tiling.block[2]) >= tiling.stages


def test_the_roofs_say_what_bounds_a_step() -> None:
    """128 x 128 on an H200 waits for its cache; a warp with one tile of sums for what it reads from shared memory."""
    hopper = gpu_architecture("sm_90")
    square = estimate(ProductTiling((16, 16, 16), 4, 4, 2, 2, 2, 4), LARGE, hopper)
    assert square.bound == "cache"
    assert 340 < square.cache * 2 < 700 * 2
    narrow = estimate(ProductTiling((16, 16, 16), 1, 1, 4, 2, 4, 4), LARGE, gpu_architecture("sm_80"))
    assert narrow.bound == "shared"
    best = ranking(LARGE, hopper)[0][0]
    assert best.cycles < square.cycles


def test_registers_are_counted() -> None:
    """Four by four sums of 16 x 16 in 168 registers; eight warps of them leave room for one block."""
    tiling = ProductTiling((16, 16, 16), 4, 4, 4, 2, 4, 3)
    assert tiling.registers == 168
    assert estimate(tiling, LARGE, gpu_architecture("sm_90")).resident == 1
    assert all(one.registers <= 255 for one in tilings(LARGE, None))


def test_a_space_without_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object) -> list[ProductTiling]:
        return []

    monkeypatch.setattr(roof, "tilings", nothing)
    with pytest.raises(ScheduleError, match="has 0 tilings that fit a block; the one at place 0"):
        choose_tiling(ProductSize((3, 3, 3), (16, 16, 16), 2, (1, 1)), gpu_architecture("sm_75"))
