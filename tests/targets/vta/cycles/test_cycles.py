"""Figures of the RTL, reached exactly: the reference programs, micro-programs, and mixed streams."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from cycle_programs import (
    BOTH_POPS,
    POP_NEXT,
    POP_PREV,
    PUSH_NEXT,
    PUSH_PREV,
    compute_nop,
    conv2d,
    load_nop,
    matmul,
    store_nop,
    uops,
    vadd,
)
from cycle_streams import random_stream

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ConfigError
from vtac.targets.vta.cycles import Timing, simulate_cycles
from vtac.targets.vta.isa import Alu, AluOpcode, Finish, Gemm, Instruction, Load, Memory, Store, encode

CONFIG = VTAConfig()
WIDE_TILES = VTAConfig(log_batch=2, log_block=3, log_inp_buff_size=16, log_wgt_buff_size=16, log_acc_buff_size=18)


def cycles(*instructions: Instruction) -> int:
    return simulate_cycles(encode(instructions, CONFIG), CONFIG).cycles


@pytest.mark.parametrize(
    ("program", "digest", "expected"),
    [
        (conv2d(), "f8de5baf38f7eb526e32950138040b912b6528f250cc21ac60f49fbcd7bfe4fb", 483_467),
        (matmul(), "e4db23a3f6d6270631158ba6926f0d73e44b3d9fecf1e0f23e89904ca45f1b26", 137_738),
        (vadd(), "e71f090747ecdbc733b7350a9ba9a3d4c677673753076139bd31864faaf0fe04", 1_486),
    ],
    ids=["conv2d", "matmul", "vadd"],
)
def test_reference_programs(program: list[Instruction], digest: str, expected: int) -> None:
    stream = encode(program, CONFIG)
    assert sha256(stream).hexdigest() == digest
    assert simulate_cycles(stream, CONFIG).cycles == expected


@pytest.mark.parametrize(
    ("memory", "tiles", "expected"),
    [
        (Memory.INP, 1, 56),
        (Memory.INP, 16, 86),
        (Memory.INP, 128, 310),
        (Memory.WGT, 1, 86),
        (Memory.WGT, 16, 566),
    ],
)
def test_load_then_finish(memory: Memory, tiles: int, expected: int) -> None:
    load = Load(memory, 0, 0, 1, tiles, tiles, dependences=PUSH_NEXT)
    assert cycles(load, compute_nop(POP_PREV), Finish()) == expected


def test_padded_load() -> None:
    load = Load(Memory.INP, 0, 0, 8, 14, 14, 1, 1, 1, 1, dependences=PUSH_NEXT)
    assert cycles(load, compute_nop(POP_PREV), Finish()) == 306


def test_micro_op_load_counts_touched_words() -> None:
    assert cycles(uops(0, 0, 126), Finish()) == 112
    assert cycles(uops(0, 1, 126), Finish()) == 113


@pytest.mark.parametrize(("tiles", "expected"), [(1, 60), (256, 315)])
def test_gemm(tiles: int, expected: int) -> None:
    assert cycles(uops(0, 0), Gemm(False, 0, 1, tiles, 1, 0, 0, 0, 0, 0, 0), Finish()) == expected


@pytest.mark.parametrize(("use_imm", "expected"), [(True, 159), (False, 259)])
def test_alu(use_imm: bool, expected: int) -> None:
    assert cycles(uops(0, 0), Alu(AluOpcode.ADD, use_imm, 1, 0, 1, 1, 100, 0, 1, 0, 1), Finish()) == expected


@pytest.mark.parametrize(("count", "expected"), [(8, 70), (1000, 5650)])
def test_fetch_bound(count: int, expected: int) -> None:
    assert cycles(*[compute_nop()] * count, Finish()) == expected


@pytest.mark.parametrize(
    ("rows", "columns", "stride", "cost"), [(1, 1, 1, 7), (1, 64, 64, 217), (8, 14, 14, 397), (0, 1, 1, 393_217)]
)
def test_store_cost(rows: int, columns: int, stride: int, cost: int) -> None:
    store = Store(Memory.OUT, 0, 0, rows, columns, stride)
    report = simulate_cycles(
        encode([replace(store, dependences=PUSH_PREV), compute_nop(POP_NEXT), Finish()], CONFIG), CONFIG
    )
    span = report.units["store"].spans[0]
    assert span.end - span.begin == cost


@pytest.mark.parametrize(
    ("extents", "trips"), [((0, 1, 0, 1), 16384), ((3, 3, 1, 1), 16384), ((5, 3, 1, 1), 16382), ((0, 2, 3, 4), 24)]
)
def test_zero_extents_run_through_the_counters(extents: tuple[int, int, int, int], trips: int) -> None:
    report = simulate_cycles(encode([Gemm(False, *extents, 0, 0, 0, 0, 0, 0), Finish()], CONFIG), CONFIG)
    assert report.units["compute"].spans[0].end - report.units["compute"].spans[0].begin == trips + 7


# Measured on the RTL, like the figures above.
MIXED = (2431, 329, 895, 1896, 743, 884, 2589, 1841, 1650, 1111, 94, 2252, 3535, 1054, 1686, 565, 1153, 265, 784, 1995)
LONG = (18775, 3650, 6599, 11261, 5079, 6664, 13638, 8086, 11857, 6599)


@pytest.mark.parametrize(
    ("seed", "count", "expected"),
    [
        *((seed, 40, figure) for seed, figure in enumerate(MIXED)),
        *((seed, 300, figure) for seed, figure in enumerate(LONG)),
    ],
)
def test_mixed_streams(seed: int, count: int, expected: int) -> None:
    assert cycles(*random_stream(seed, count)) == expected


def test_full_queue_blocks_fetch() -> None:
    """The INP load stands behind more stores than their queue holds, so it waits for stores to end."""
    store = Store(Memory.OUT, 0, 0, 1, 16, 16)
    load = Load(Memory.INP, 0, 0, 1, 1, 1, dependences=PUSH_NEXT)
    stream = encode([*[store] * 600, load, compute_nop(POP_PREV), Finish()], CONFIG)
    report = simulate_cycles(stream, CONFIG)
    freed = report.units["store"].spans[600 - 1 - 512].end
    assert report.units["load"].spans[0].begin > freed
    assert report.units["load"].waiting["fetch"] > freed


def test_tokens_order_units() -> None:
    stream = [
        store_nop(PUSH_PREV),
        load_nop(PUSH_NEXT),
        compute_nop(BOTH_POPS),
        load_nop(POP_NEXT),
        compute_nop(PUSH_PREV),
    ]
    report = simulate_cycles(encode([*stream, Finish()], CONFIG), CONFIG)
    for flow in report.flows:
        assert flow.posted <= flow.taken
    assert [flow.queue for flow in report.flows] == ["s2g", "l2g", "g2l"]


def test_longer_bursts_and_other_tiles() -> None:
    load = Load(Memory.INP, 0, 0, 1, 128, 128, dependences=PUSH_NEXT)
    stream = encode([load, compute_nop(POP_PREV), Finish()], CONFIG)
    assert simulate_cycles(stream, CONFIG, Timing.pynq()).cycles == 310
    long_stream = encode([*[compute_nop()] * 1000, Finish()], CONFIG)
    assert simulate_cycles(long_stream, CONFIG, Timing.pynq()).cycles < simulate_cycles(long_stream, CONFIG).cycles
    wide = encode([replace(load, x_size=64, x_stride=64), compute_nop(POP_PREV), Finish()], WIDE_TILES)
    assert simulate_cycles(wide, WIDE_TILES).cycles == 310


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("bus_bytes", 0, "Timing.bus_bytes is 0; at least 1 is required"),
        ("burst_beats", 12, "Timing.burst_beats is 12; a power of two is required"),
        ("burst_beats", 1, "a burst of 1 beats of 8 bytes holds no instruction of 16 bytes"),
        ("memory_latency", -1, "Timing.memory_latency is -1; at least 0 is required"),
        ("queue_depth", 0, "Timing.queue_depth is 0; at least 1 is required"),
    ],
)
def test_timing_refuses(field: str, value: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(Timing.de10(), **{field: value})
