"""Footprints and index findings of kernels, against their tile operations listed one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np
from checker_streams import CONFIG, tile_operations
from hypothesis import given, settings
from hypothesis import strategies as st

from vtac.targets.vta.isa import Alu, AluOpcode, Gemm, MicroOp
from vtac.targets.vta.proof.kernels import Footprint, footprint
from vtac.targets.vta.proof.tiles import Tiles

steps = st.integers(0, 5) | st.sampled_from([300, 511])
trips = st.integers(1, 5)
indices = st.integers(0, 7) | st.sampled_from([600, 1000])
micro_op_lists = st.lists(st.builds(MicroOp, indices, indices, indices), min_size=1, max_size=5)
gemms = st.builds(Gemm, st.booleans(), st.just(0), st.just(0), trips, trips, *[steps] * 6)
opcodes = st.sampled_from([AluOpcode.ADD, AluOpcode.MAX])
alus = st.builds(Alu, opcodes, st.booleans(), st.just(3), st.just(0), st.just(0), trips, trips, *[steps] * 4)


def tiles_of(entries: Iterable[tuple[str, Tiles]], memory: str) -> set[int]:
    every = np.arange(CONFIG.capacity("acc"), dtype=np.int64)
    touched: set[int] = set()
    for name, tiles in entries:
        touched |= set(every[tiles].tolist()) if name == memory else set()
    return touched


def found(kernel: Gemm | Alu, ops: list[MicroOp]) -> tuple[Footprint, list[tuple[int, int, int]]]:
    whole = replace(kernel, uop_end=len(ops))
    return footprint(whole, np.array(ops, np.int64), CONFIG), tile_operations(whole, ops)


@settings(max_examples=150)
@given(gemms, micro_op_lists)
def test_a_gemm_touches_the_tiles_of_its_operations(gemm: Gemm, ops: list[MicroOp]) -> None:
    result, operations = found(gemm, ops)
    dst, src, wgt = ({operation[n] for operation in operations} for n in range(3))
    too_far = max(dst) >= 2048 or (not gemm.reset and (max(src) >= 2048 or max(wgt) >= 1024))
    assert bool(result.faults) == too_far
    if too_far:
        assert {fault.kind for fault in result.faults} == {"index-range"}
        assert result.reads == result.writes == ()
        return
    assert tiles_of(result.writes, "acc") == dst
    assert tiles_of(result.reads, "acc") == (set() if gemm.reset else dst)
    assert tiles_of(result.reads, "inp") == (set() if gemm.reset else src)
    assert tiles_of(result.reads, "wgt") == (set() if gemm.reset else wgt)


@settings(max_examples=300)
@given(alus, micro_op_lists)
def test_alu_traps_are_those_of_its_operations(alu: Alu, ops: list[MicroOp]) -> None:
    result, operations = found(alu, ops)
    dst, src = ({operation[n] for operation in operations} for n in range(2))
    faults = {fault.kind: fault for fault in result.faults}
    if max(dst | src) >= 2048:
        assert set(faults) == {"index-range"}
        return
    assert tiles_of(result.writes, "acc") == dst
    assert tiles_of(result.reads, "acc") == dst | src
    different = alu.use_imm and any(d != s for d, s, _ in operations)
    assert ("immediate-source" in faults) == different
    reads = 1 if alu.use_imm else 2
    hazards = {before[0] for before, after in pairwise(operations) if before[0] in after[:reads]}
    assert ("alu-hazard" in faults) == bool(hazards)
    if hazards:
        assert faults["alu-hazard"].span[0] in hazards


def test_the_largest_loops_cost_nothing() -> None:
    """16383 x 16383 trips over 2048 micro-ops that stay in place: sets of tiles, not lists of operations."""
    ops = np.zeros((2048, 3), np.int64)
    result = footprint(Gemm(False, 0, 2048, 16383, 16383, 0, 0, 0, 0, 0, 0), ops, CONFIG)
    assert result.reads == (("inp", slice(0, 1)), ("wgt", slice(0, 1)), ("acc", slice(0, 1)))
    shift = Alu(AluOpcode.ADD, False, 0, 0, 2048, 16383, 2047, 0, 1, 0, 0)
    assert [fault.kind for fault in footprint(shift, ops, CONFIG).faults] == ["alu-hazard"]
