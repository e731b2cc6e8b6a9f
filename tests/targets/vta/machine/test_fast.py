"""The fast path on large and odd kernels, and what its plans depend on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random

import numpy as np
import pytest
from kernel_streams import ACC_AT, INP_AT, assert_paths_agree, program
from reference_programs import reference_run

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import (
    Alu,
    AluOpcode,
    Gemm,
    Load,
    Memory,
    MicroOp,
    assemble,
)
from vtac.targets.vta.machine import ExecutionError, execute, execute_reference

DEFAULT = VTAConfig()
WIDE = VTAConfig(log_batch=2, log_block=3, log_inp_buff_size=16, log_wgt_buff_size=16, log_acc_buff_size=18)


@pytest.mark.parametrize("config", [DEFAULT, WIDE], ids=["default", "wide"])
@pytest.mark.parametrize(
    ("ops", "kernel"),
    [
        ([(0, 0, 0)], Gemm(False, 0, 1, 1, 400, 0, 0, 0, 1, 0, 1)),
        ([(0, 0, 0)], Gemm(False, 0, 1, 20, 100, 0, 0, 0, 1, 1, 0)),
        ([(0, 0, 0)], Gemm(False, 0, 1, 8, 64, 64, 1, 0, 1, 9, 0)),
        ([(x, x + k, k) for k in range(9) for x in range(14)], Gemm(False, 0, 126, 8, 7, 98, 14, 0, 16, 9, 0)),
        ([(x, x + k, k) for k in range(3) for x in range(40)], Gemm(False, 0, 120, 1, 10, 0, 40, 0, 40, 0, 0)),
        ([(0, 0, 0)], Gemm(False, 0, 1, 16, 7, 1, 16, 1, 2, 1, 3)),
        ([(0, 0, 0)], Gemm(False, 0, 1, 9, 300, 0, 0, 0, 0, 0, 0)),
        ([(0, 0, 0)], Gemm(False, 0, 1, 10, 10, 1, 1, 2, 3, 0, 0)),
        ([(3, 1, 2), (0, 5, 1), (3, 3, 3), (7, 0, 0)], Gemm(False, 0, 4, 3, 5, 1, 0, 2, 1, 0, 1)),
        ([(3, 1, 2), (0, 5, 1), (3, 3, 3), (7, 0, 0)], Gemm(False, 0, 4, 9, 16, 10, 0, 2, 1, 0, 1)),
        ([(5, 0, 0), (4, 0, 0), (3, 0, 0)], Gemm(False, 0, 3, 4, 1, 6, 0, 1, 0, 0, 0)),
        ([(3, 0, 0), (0, 0, 0), (7, 0, 0)], Gemm(True, 0, 3, 2, 3, 4, 1, 0, 0, 0, 0)),
    ],
    ids=[
        "long reduction",
        "one weight per row",
        "large product",
        "convolution",
        "rows beyond one thread",
        "independent products",
        "the same operation again",
        "overlapping rows",
        "list, few operations",
        "list, many operations",
        "falling indices",
        "scattered reset",
    ],
)
def test_gemm_shapes(config: VTAConfig, ops: list[tuple[int, int, int]], kernel: Gemm) -> None:
    data, image = program(config, [MicroOp(*op) for op in ops], kernel, stored=256)
    assert_paths_agree(data, image, config)


def test_sums_beyond_float32_are_exact() -> None:
    """2,000 terms of 128 * 128 pass 2**24, where float32 stops counting by ones."""
    data, image = program(DEFAULT, [MicroOp(0, 0, 0)], Gemm(False, 0, 1, 1, 900, 0, 0, 0, 1, 0, 1), stored=1)
    image[INP_AT:ACC_AT] = 0x80
    image[INP_AT] = 0x81
    assert_paths_agree(data, image, DEFAULT)


@pytest.mark.parametrize("opcode", AluOpcode)
@pytest.mark.parametrize(
    ("ops", "loops"),
    [
        ([(0, 64, 0)], (1, 50, 0, 1, 0, 1)),
        ([(0, 1, 0)], (1, 50, 0, 1, 0, 1)),
        ([(1, 0, 0)], (1, 50, 0, 1, 0, 1)),
        ([(0, 64, 0)], (6, 9, 1, 0, 9, 1)),
        ([(0, 0, 0)], (5, 3, 0, 0, 0, 0)),
        ([(2, 9, 0), (0, 1, 0), (7, 7, 0), (2, 4, 0)], (4, 3, 1, 2, 3, 1)),
        ([(8, 40, 0), (6, 42, 0), (4, 44, 0)], (3, 2, 16, 1, 1, 5)),
    ],
    ids=["disjoint", "ahead", "chain", "reduction", "again", "list", "falling"],
)
def test_alu_shapes(opcode: AluOpcode, ops: list[tuple[int, int, int]], loops: tuple[int, ...]) -> None:
    out, inner, dst_out, dst_in, src_out, src_in = loops
    kernels = [
        Alu(opcode, use_imm, 3, 0, len(ops), out, inner, dst_out, dst_in, src_out, src_in) for use_imm in (False, True)
    ]
    data, image = program(DEFAULT, [MicroOp(*op) for op in ops], *kernels, stored=256)
    assert_paths_agree(data, image, DEFAULT)


def test_a_run_of_single_tile_loads_is_one_gather() -> None:
    random = Random(3)
    loads = [
        Load(random.choice([Memory.INP, Memory.ACC]), random.randrange(40), 4096 + random.randrange(64), 1, 2, 2)
        for _ in range(40)
    ]
    kernel = Gemm(False, 0, 1, 1, 24, 0, 1, 0, 1, 0, 1)
    data, image = program(DEFAULT, [MicroOp(0, 0, 0)], *loads, kernel, stored=64)
    assert_paths_agree(data, image, DEFAULT)


def test_a_plan_is_made_anew_for_other_micro_ops() -> None:
    kernel = Gemm(False, 0, 1, 4, 1, 1, 0, 1, 0, 1, 0)
    for op in (MicroOp(0, 0, 0), MicroOp(3, 1, 2), MicroOp(0, 0, 0)):
        data, image = program(DEFAULT, [op], kernel, stored=16)
        assert_paths_agree(data, image, DEFAULT)


def test_micro_ops_that_the_stream_stores_itself() -> None:
    """The store writes 0x01 bytes over the second micro-op, which is loaded after it."""
    text = """
        load.uop sram 0 <- dram 0, 1 x 1 stride 1
        load.acc sram 0 <- dram 0x40, 1 x 600 stride 600
        alu.min imm 0, uops 0:1, for 1 (dst+0 src+0), for 1 (dst+0 src+0)
        alu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 1 (dst+0 src+0) push_next
        store.out sram 0 -> dram 1, 1 x 1 stride 1 pop_prev push_prev
        load.uop sram 1 <- dram 4, 1 x 1 stride 1 pop_next
        alu.add imm 9, uops 1:2, for 1 (dst+0 src+0), for 1 (dst+0 src+0) push_next
        store.out sram 0 -> dram 0x1000, 1 x 600 stride 600 pop_prev
        finish"""
    image = np.full(0x20000, 5, np.uint8)
    image[:64] = 0
    assert_paths_agree(assemble(text, DEFAULT), image, DEFAULT)


def test_sram_starts_at_zero_in_every_run() -> None:
    fill = "load.acc sram 0 <- dram 0x40, 1 x 4 stride 4"
    store = "store.out sram {} -> dram 0x200, 1 x 1 stride 1"
    image = np.full(0x4000, 9, np.uint8)
    reads_unwritten = assemble(
        f"{store.format(7)}\n{fill}\nload.acc sram 7 <- dram 0x40, 1 x 1 stride 1\nfinish", DEFAULT
    )
    for _ in range(2):
        image[0x2000:0x2010] = 9
        execute(reads_unwritten, image, DEFAULT)
        assert (image[0x2000:0x2010] == 0).all()


@pytest.mark.parametrize("run", [execute, execute_reference])
def test_progress_counts_up_to_all_instructions(run: Callable[..., object]) -> None:
    calls: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        calls.append((done, total))

    program = reference_run("vadd")
    run(program.instructions, program.image, DEFAULT, progress=progress)
    assert calls[-1] == (8, 8)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_a_fault_leaves_the_image_alone() -> None:
    text = """
        load.uop sram 0 <- dram 0, 1 x 1 stride 1
        store.out sram 0 -> dram 0, 1 x 1 stride 1
        alu.add imm 1, uops 0:1, for 16383 (dst+1 src+0), for 1 (dst+0 src+0)
        finish"""
    image = np.arange(64, dtype=np.uint8)
    image[:4] = 0
    before = image.copy()
    with pytest.raises(ExecutionError, match="dst reaches index 16382; ACC holds 2048"):
        execute(
            assemble(
                text.replace("dram 0, 1 x 1 stride 1\n        alu", "dram 1, 1 x 1 stride 1\n        alu"), DEFAULT
            ),
            image,
            DEFAULT,
        )
    assert np.array_equal(image, before)


def test_a_stream_can_run_in_several_threads_at_once() -> None:
    programs = [reference_run("conv2d", seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(execute, one.instructions, one.image, DEFAULT) for one in programs * 2]
        for run in runs:
            run.result()
    assert all(np.array_equal(one.output(one.image), one.expected) for one in programs)


def test_a_stream_can_run_inside_its_own_progress() -> None:
    program = reference_run("vadd")
    inner = program.image.copy()

    def progress(_: int, __: int) -> None:
        execute(program.instructions, inner, DEFAULT)

    execute(program.instructions, program.image, DEFAULT, progress=progress)
    assert np.array_equal(program.output(program.image), program.expected)
    assert np.array_equal(program.output(inner), program.expected)
