"""A peeled loop down to the VTA: both nests run, each with buffers as small as it needs."""

from __future__ import annotations

import numpy as np

import vtac
from vtac.workloads import reference
from vtac.workloads.vadd import VectorAdd


def test_a_peeled_block_loop_runs_and_is_proven_safe() -> None:
    layer = VectorAdd(16 * 64)
    schedule = vtac.Schedule(layer.text())
    total, stored = schedule.get_block("C_buf"), schedule.get_block("C")
    copies = [schedule.cache_read(total, index, "vta.acc") for index in (0, 1)]
    schedule.set_scope(total, 0, "vta.acc")
    outer, _ = schedule.split(schedule.get_loops(stored)[1], factor=4)
    for block in (total, *copies):
        schedule.compute_at(block, outer)
    schedule.split(outer, factor=3, tail="peel")
    for tail in ("", "_tail"):
        schedule.dma_copy(schedule.get_loop(schedule.get_block(f"C{tail}"), "i1_inner"))
        schedule.alu(schedule.get_loop(schedule.get_block(f"C_buf{tail}"), "i0"))
        for copy in copies:
            schedule.dma_copy(schedule.get_loop(schedule.get_block(f"{copy.name}{tail}"), "i0"))
    program = vtac.compile(layer.text(), schedule=schedule)
    a, b = np.random.default_rng(0).integers(-(2**31), 2**31, (2, *layer.shape)).astype(np.int32)
    assert np.array_equal(program(a, b), reference.vadd(a, b))
    assert vtac.check(program) == []
    assert program.stats["alu_counter"] == 64
