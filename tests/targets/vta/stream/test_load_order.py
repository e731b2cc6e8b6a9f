"""The order of loads: what must wait lets others pass, unless it would wait longer for them."""

from __future__ import annotations

import numpy as np
import pytest

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa.instructions import Memory, Opcode
from vtac.targets.vta.stream.footprints import Footprints, Issued, KernelSlice
from vtac.targets.vta.stream.load_order import order_loads

KERNEL = KernelSlice(0, 1)


def load(memory: Memory, base: int, tiles: int, dram: int = 0) -> Issued:
    return Issued(Opcode.LOAD, (memory, base, dram, 1, tiles, tiles, 0, 0, 0, 0), 1, None)


def product(times: int) -> Issued:
    """Input tile 0 times weight tile 0, into accumulators in a row."""
    return Issued(Opcode.GEMM, (0, 0, 1, 1, times, 0, 1, 0, 0, 0, 0), 2, KERNEL)


def store(dram: int) -> Issued:
    return Issued(Opcode.STORE, (Memory.OUT, 0, dram, 1, 1, 1), 3, None)


def order(issued: list[Issued]) -> list[int]:
    return order_loads(Footprints(issued, np.array([[0, 0, 0]]), VTAConfig()), issued)


FIRST = [load(Memory.INP, 0, 1), load(Memory.WGT, 0, 1), product(1000)]


def test_what_overwrites_an_input_lets_the_next_weights_pass() -> None:
    issued = [*FIRST, load(Memory.INP, 0, 1, 9), product(1), load(Memory.WGT, 8, 2), product(1)]
    assert order(issued) == [0, 1, 2, 5, 3, 4, 6]


def test_but_not_those_that_take_longer_than_it_waits() -> None:
    issued = [*FIRST, load(Memory.INP, 0, 1, 9), product(1), load(Memory.WGT, 8, 64), product(1)]
    assert order(issued) == [0, 1, 2, 3, 4, 5, 6]


def test_loads_for_the_same_products_pass_whatever_they_take() -> None:
    issued = [*FIRST, load(Memory.INP, 0, 1, 9), load(Memory.WGT, 8, 64), product(1)]
    assert order(issued) == [0, 1, 2, 4, 3, 5]


@pytest.mark.parametrize(("dram", "passes"), [(1 << 20, True), (0, False)])
def test_no_load_passes_the_store_of_what_it_reads(dram: int, *, passes: bool) -> None:
    issued = [*FIRST, load(Memory.INP, 0, 1, 1 << 16), product(1), store(dram), load(Memory.WGT, 8, 2, 0), product(1)]
    assert (order(issued) == [0, 1, 2, 6, 3, 4, 5, 7]) is passes


def test_no_load_passes_one_that_writes_the_same_tile() -> None:
    issued = [*FIRST, load(Memory.INP, 0, 1), product(1), load(Memory.INP, 0, 2), product(1)]
    assert order(issued) == list(range(7))


def test_a_load_that_was_passed_is_over_when_it_is() -> None:
    """The products wait for the weights that came last, so that the next inputs need not wait for them."""
    weights = [load(Memory.WGT, 0, 64, dram) for dram in (1 << 10, 1 << 12)]
    other = Issued(Opcode.GEMM, product(1000).row, 2, KernelSlice(1, 1))
    issued = [*FIRST, weights[0], load(Memory.INP, 8, 1), other, weights[1], load(Memory.INP, 0, 1, 9), product(1)]
    footprints = Footprints(issued, np.array([[0, 0, 0], [0, 8, 0]]), VTAConfig())
    assert order_loads(footprints, issued) == [0, 1, 2, 4, 3, 5, 7, 6, 8]


def test_what_is_on_chip_already_takes_no_time() -> None:
    known = load(Memory.WGT, 64, 512)
    issued = [known, *FIRST, load(Memory.INP, 0, 1, 7), product(1), known, load(Memory.WGT, 8, 1), product(1)]
    assert order(issued) == [0, 1, 2, 3, 7, 4, 5, 6, 8]


def test_what_is_on_chip_already_does_not_wait_either() -> None:
    """The second load of input tile 8 is none, although a long product reads the first: nothing passes it."""
    known, other = load(Memory.INP, 8, 1), Issued(Opcode.GEMM, product(1000).row, 2, KernelSlice(1, 1))
    issued = [load(Memory.WGT, 0, 1), known, other, known, load(Memory.WGT, 8, 1), product(1), load(Memory.WGT, 16, 1)]
    footprints = Footprints([*issued, product(1)], np.array([[0, 0, 0], [0, 8, 0]]), VTAConfig())
    assert order_loads(footprints, [*issued, product(1)]) == list(range(8))


def test_no_load_passes_the_reader_of_what_it_overwrites() -> None:
    """The weights wait for a long store; the last input may pass them, but not the product between."""
    stored = Issued(Opcode.STORE, (Memory.OUT, 0, 0, 1, 1000, 1000), 3, None)
    begun = [load(Memory.INP, 0, 1, 1 << 20), load(Memory.WGT, 0, 1, 1 << 16), product(1), stored]
    issued = [*begun, load(Memory.WGT, 8, 1, 0), product(1), load(Memory.INP, 0, 1, 1 << 21), product(1)]
    assert order(issued) == list(range(8))
