"""Tokens that follow the data: any sequence of calls becomes a stream without race, deadlock or leftover token."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import Dependences, Instruction, Load, Memory, Store, decode
from vtac.targets.vta.isa.instructions import AluOpcode
from vtac.targets.vta.stream.stream_builder import COMPUTE, LOAD, StreamBuilder

CONFIG = VTAConfig(log_inp_buff_size=8, log_wgt_buff_size=12, log_acc_buff_size=10)
"""16 input tiles, 16 weight tiles, 16 accumulator tiles."""
UOPS = 1 << 20
"""Byte address of the micro-ops."""
UNORDERED = {"unwritten", "store-source", "repeated-dst"}
"""Kinds of findings that have nothing to do with order."""
Call = Callable[[StreamBuilder], None]


PAGE = 4096 // 16
"""The first input (and output) tile of the second DRAM page."""


def _three(dst: int, src: int, wgt: int) -> list[tuple[int, int, int]]:
    return [(dst, src, wgt)]


def _in_place(at: int) -> list[tuple[int, int, int]]:
    return [(at, at, 0)]


def load(memory: Memory, sram: int, dram: int, tiles: int = 1) -> Call:
    stage = COMPUTE if memory == Memory.ACC else LOAD
    return lambda stream: stream.load(0, stage, (memory, sram, dram, 1, tiles, tiles, 0, 0, 0, 0))


def gemm(dst: int, src: int, wgt: int, site: int = 1, *, zero: bool = False, count: int = 1) -> Call:
    loops = (count, 1, 1, 0, 0 if zero else 1, 0, 0, 0)
    return lambda stream: stream.gemm(site, (dst, src, wgt), _three, zero, loops)


def shift(dst: int, count: int = 1) -> Call:
    loops = (1, count, 0, 1, 0, 1)
    return lambda stream: stream.alu(2, (dst,), _in_place, AluOpcode.SHR, 4, loops)


def store(sram: int, dram: int, tiles: int = 1) -> Call:
    return lambda stream: stream.store(0, (Memory.OUT, sram, dram, 1, tiles, tiles, 0, 0, 0, 0))


def reset(dst: int) -> Call:
    return gemm(dst, 0, 0, 3, zero=True)


def built(*calls: Call, config: VTAConfig = CONFIG) -> StreamBuilder:
    """A stream that calls make, ordered by data."""
    stream = StreamBuilder(config, UOPS, 2048)
    for call in calls:
        call(stream)
    stream.finish_dataflow(9)
    return stream


def problems(*calls: Call, config: VTAConfig = CONFIG) -> list[str]:
    """Findings about order and tokens; what random calls read unwritten is no matter here."""
    stream = built(*calls, config=config)
    micro_ops = np.frombuffer(stream.encoded_micro_ops(), dtype=np.uint8)
    dram = np.zeros(UOPS + micro_ops.size, dtype=np.uint8)
    dram[UOPS:] = micro_ops
    kinds = {finding.kind for finding in vtac.check(stream.instructions(), config, dram=dram)}
    return sorted(kinds - UNORDERED)


def instructions(*calls: Call) -> list[Instruction]:
    return decode(built(*calls).instructions(), CONFIG)


START = (load(Memory.INP, 0, 0, 16), load(Memory.WGT, 0, 0, 16), gemm(0, 0, 0, zero=True, count=16), shift(0, 16))
PLACE = st.integers(0, 15)
CALLS = st.one_of(
    st.builds(load, st.sampled_from((Memory.INP, Memory.WGT, Memory.ACC)), PLACE, st.integers(0, 40)),
    st.builds(gemm, PLACE, PLACE, PLACE),
    st.builds(reset, PLACE),
    st.builds(shift, PLACE),
    st.builds(store, PLACE, st.integers(4096, 4200)),
)


@settings(max_examples=60)
@given(st.lists(CALLS, max_size=25))
def test_any_calls_are_ordered(calls: list[Call]) -> None:
    assert problems(*START, *calls) == []


def test_a_load_waits_for_the_last_reader_only() -> None:
    found = instructions(
        *START[:3], gemm(0, 0, 0), gemm(1, 1, 1), gemm(2, 2, 2), load(Memory.INP, 1, 50), gemm(3, 1, 0)
    )
    second = [one for one in found if isinstance(one, Load) and one.memory == Memory.INP][1]
    assert second.dependences == Dependences(pop_next=True, push_next=True)


def test_what_is_on_chip_is_not_loaded_again() -> None:
    found = instructions(*START, gemm(0, 0, 0), load(Memory.INP, 0, 0, 16), load(Memory.WGT, 4, 4, 2), gemm(1, 3, 5))
    assert sum(isinstance(one, Load) and one.memory in (Memory.INP, Memory.WGT) for one in found) == 2


def test_a_load_that_need_not_wait_passes() -> None:
    found = instructions(
        *START[:3], gemm(0, 0, 0), gemm(1, 1, 1), load(Memory.INP, 1, 50), load(Memory.INP, 8, 60), gemm(2, 8, 1)
    )
    order = [one.sram_base for one in found if isinstance(one, Load) and one.memory == Memory.INP]
    assert order == [0, 8, 1]


def test_a_load_passes_stores_of_other_pages() -> None:
    calls = (*START[:3], gemm(0, 0, 0), gemm(1, 1, 1), load(Memory.INP, 1, 50), store(0, PAGE))
    found = instructions(*calls, load(Memory.INP, 8, 60), load(Memory.INP, 9, PAGE), gemm(2, 8, 1), gemm(3, 9, 1))
    order = [one.sram_base for one in found if isinstance(one, Load) and one.memory == Memory.INP]
    assert order == [0, 8, 1, 9]


def test_a_load_does_not_pass_a_store_of_what_it_reads() -> None:
    calls = (*START[:3], gemm(0, 0, 0), gemm(1, 1, 1), load(Memory.INP, 1, PAGE + 9), shift(0), store(0, PAGE))
    found = instructions(*calls, load(Memory.INP, 8, PAGE), gemm(2, 8, 1))
    stored = next(number for number, one in enumerate(found) if isinstance(one, Store))
    assert not any(isinstance(one, Load) and one.sram_base == 8 for one in found[:stored])
    assert problems(*calls, load(Memory.INP, 8, PAGE), gemm(2, 8, 1)) == []


def test_what_a_store_leaves_alone_stays_on_chip() -> None:
    calls = (load(Memory.INP, 4, PAGE, 2), load(Memory.INP, 6, PAGE + 2, 2), *START[1:], shift(0), store(0, PAGE, 2))
    found = instructions(*calls, load(Memory.INP, 4, PAGE, 2), load(Memory.INP, 6, PAGE + 2, 2), gemm(0, 4, 0))
    assert [one.sram_base for one in found if isinstance(one, Load) and one.memory == Memory.INP] == [4, 6, 4]


def test_stores_are_read_back_in_order() -> None:
    """Load and store share no queue: the order goes through the compute unit."""
    calls = (*START, store(0, 16, 16), load(Memory.INP, 0, 20, 4), gemm(0, 0, 0), shift(0), store(0, 64))
    assert problems(*calls) == []
    found = instructions(*calls)
    last = [one for one in found if isinstance(one, Load) and one.memory == Memory.INP][-1]
    assert last.dependences.pop_next
    first = next(one for one in found if isinstance(one, Store))
    assert first.dependences.push_prev


def test_queues_do_not_overflow() -> None:
    config = VTAConfig()
    loads = [load(Memory.INP, at, 3 * at) for at in range(600)]
    reads = [gemm(at % 16, at, 0, 1) for at in range(600)]
    start = (load(Memory.WGT, 0, 0), gemm(0, 0, 0, 3, zero=True, count=16))
    assert problems(*start, *loads, *reads, config=config) == []
