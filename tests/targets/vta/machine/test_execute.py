"""What instructions compute, one at a time, on both paths; and three whole programs against numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from reference_programs import COUNTERS, NAMES, reference_run

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import assemble
from vtac.targets.vta.machine import COUNTER_NAMES, execute, execute_reference

DEFAULT = VTAConfig()
WIDE = VTAConfig(log_batch=2, log_block=3, log_inp_buff_size=16, log_wgt_buff_size=16, log_acc_buff_size=18)
Run = Callable[[bytes, NDArray[np.uint8], VTAConfig], dict[str, int | dict[str, int]]]
BOTH = pytest.mark.parametrize("run", [execute, execute_reference], ids=["fast", "reference"])
STORE = "store.out sram {sram} -> dram {dram}, 1 x {tiles} stride {tiles}"

# Where the programs below keep their data: bytes, and elements of each memory.
ACC_AT, OUT_AT = 0x1000, 0x3000


def run_acc(run: Run, tiles: NDArray[np.int32], body: str, config: VTAConfig = DEFAULT) -> NDArray[np.int8]:
    """Load accumulator tiles, run `body`, store as many tiles; what is stored, in the tiles' shape.

    The image begins with the micro-op (0, 0, 0), which entry 0 holds.
    """
    image = np.zeros(0x4000, np.uint8)
    raw = tiles.reshape(-1).view(np.uint8)
    image[ACC_AT : ACC_AT + len(raw)] = raw
    count = len(tiles)
    text = f"""
        load.uop sram 0 <- dram 0, 1 x 1 stride 1
        load.acc sram 0 <- dram {ACC_AT // config.acc_element_bytes}, 1 x {count} stride {count}
        {body}
        {STORE.format(sram=0, dram=OUT_AT // config.out_element_bytes, tiles=count)}
        finish"""
    run(assemble(text, config), image, config)
    return image[OUT_AT : OUT_AT + tiles.size].view(np.int8).reshape(tiles.shape)


def _tiles(*values: int) -> NDArray[np.int32]:
    """One tile per value, of 16 copies."""
    return np.repeat(np.array(values, np.int32), 16).reshape(-1, 1, 16)


@pytest.mark.parametrize(
    ("run", "name"),
    [*((execute, name) for name in NAMES), (execute_reference, "vadd"), (execute_reference, "gemm")],
)
def test_the_reference_programs_compute_what_numpy_does(run: Run, name: str) -> None:
    program = reference_run(name)
    image = program.image.copy()
    result = run(program.instructions, image, DEFAULT)
    assert np.array_equal(program.output(image), program.expected)
    left = result.pop("tokens_left")
    assert left == {"l2g": 0, "g2l": 0, "s2g": int(name == "gemm"), "g2s": 0}
    assert result == {**dict.fromkeys(COUNTER_NAMES, 0), **COUNTERS[name]}


def test_a_second_run_with_other_data_starts_afresh() -> None:
    for seed in (1, 2):
        program = reference_run("conv2d", seed)
        execute(program.instructions, program.image, DEFAULT)
        assert np.array_equal(program.output(program.image), program.expected)


@BOTH
@pytest.mark.parametrize(
    ("operation", "value", "expected"),
    [
        ("alu.min imm -3", 5, -3),
        ("alu.max imm 7", 5, 7),
        ("alu.add imm -6", 5, -1),
        ("alu.mul imm -9", 5, -45),
        ("alu.shr imm 2", -9, -3),
        ("alu.shr imm -3", 5, 40),
        ("alu.shr imm 33", 8, 4),
        ("alu.add imm 32767", 1, 0),
    ],
)
def test_alu_with_an_immediate(run: Run, operation: str, value: int, expected: int) -> None:
    body = f"{operation}, uops 0:1, for 1 (dst+0 src+0), for 1 (dst+0 src+0)"
    assert (run_acc(run, _tiles(value), body) == expected).all()


@BOTH
def test_alu_on_tiles_runs_in_order(run: Run) -> None:
    add = "alu.add uops 0:1, for 1 (dst+0 src+0), for 3 (dst+0 src+1)"
    assert run_acc(run, _tiles(3, 10, 20), add)[:, 0, 0].tolist() == [36, 10, 20]
    shift = "alu.shr uops 0:1, for 1 (dst+0 src+0), for 2 (dst+1 src+1)"
    assert run_acc(run, _tiles(2, 1), shift)[:, 0, 0].tolist() == [0, 0]


@BOTH
@pytest.mark.parametrize(("amount", "expected"), [(1, 6), (-2, 48), (33, 6), (-31, 0)])
def test_tensor_shifts_take_either_sign(run: Run, amount: int, expected: int) -> None:
    """Two tiles, of which the second is shifted by the first: acc[1] >> acc[0]."""
    image = np.zeros(0x4000, np.uint8)
    image[4:8] = np.frombuffer((1).to_bytes(4, "little"), np.uint8)
    image[ACC_AT : ACC_AT + 128] = _tiles(amount, 12).reshape(-1).view(np.uint8)
    text = f"""
        load.uop sram 0 <- dram 0, 1 x 2 stride 2
        load.acc sram 0 <- dram {ACC_AT // 64}, 1 x 2 stride 2
        alu.shr uops 1:2, for 1 (dst+0 src+0), for 1 (dst+0 src+0)
        {STORE.format(sram=1, dram=OUT_AT // 16, tiles=1)}
        finish"""
    run(assemble(text, DEFAULT), image, DEFAULT)
    assert (image[OUT_AT : OUT_AT + 16] == expected).all()


@BOTH
def test_sums_wrap_in_32_bits(run: Run) -> None:
    highest = np.iinfo(np.int32).max
    body = """
        alu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 1 (dst+0 src+0)
        alu.shr imm 24, uops 0:1, for 1 (dst+0 src+0), for 1 (dst+0 src+0)"""
    assert (run_acc(run, _tiles(highest), body) == -128).all()


@BOTH
def test_stores_keep_the_low_byte(run: Run) -> None:
    assert run_acc(run, _tiles(127, 128, -129, 256), "load.inp nop")[:, 0, 0].tolist() == [127, -128, 127, 0]


@BOTH
@pytest.mark.parametrize("config", [DEFAULT, WIDE], ids=["default", "wide"])
def test_gemm_multiplies_tiles(run: Run, config: VTAConfig) -> None:
    random = np.random.default_rng(3)
    batch, block = config.batch, config.block_in
    inp = random.integers(-4, 5, (6, batch, block), dtype=np.int8)
    wgt = random.integers(-4, 5, (4, block, block), dtype=np.int8)
    image = np.zeros(0x4000, np.uint8)
    inp_at, wgt_at = 0x1000, 0x2000
    image[inp_at : inp_at + inp.size] = inp.reshape(-1).view(np.uint8)
    image[wgt_at : wgt_at + wgt.size] = wgt.reshape(-1).view(np.uint8)
    text = f"""
        load.uop sram 0 <- dram 0, 1 x 1 stride 1
        load.inp sram 0 <- dram {inp_at // config.inp_element_bytes}, 1 x 6 stride 6
        load.wgt sram 0 <- dram {wgt_at // config.wgt_element_bytes}, 1 x 4 stride 4
        gemm uops 0:1, for 3 (dst+1 src+2 wgt+0), for 2 (dst+0 src+1 wgt+2)
        {STORE.format(sram=0, dram=OUT_AT // config.out_element_bytes, tiles=3)}
        finish"""
    result = run(assemble(text, config), image, config)
    wide_inp, wide_wgt = inp.astype(np.int32), wgt.astype(np.int32)
    sums = np.stack([wide_inp[2 * o] @ wide_wgt[0].T + wide_inp[2 * o + 1] @ wide_wgt[2].T for o in range(3)])
    stored = image[OUT_AT : OUT_AT + sums.size].view(np.int8).reshape(sums.shape)
    assert np.array_equal(stored, sums.astype(np.int8))
    assert result["gemm_counter"] == 6


@BOTH
def test_reset_clears_and_is_not_counted(run: Run) -> None:
    image = np.full(0x4000, 7, np.uint8)
    image[:4] = 0
    text = f"""
        load.uop sram 0 <- dram 0, 1 x 1 stride 1
        load.acc sram 0 <- dram 0x40, 1 x 3 stride 3
        gemm.reset uops 0:1, for 2 (dst+2 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0)
        {STORE.format(sram=0, dram=OUT_AT // 16, tiles=3)}
        finish"""
    result = run(assemble(text, DEFAULT), image, DEFAULT)
    assert image[OUT_AT : OUT_AT + 48].reshape(3, 16)[:, 0].tolist() == [0, 7, 0]
    assert result["gemm_counter"] == 0


@BOTH
def test_padded_loads_surround_their_rows_with_zeros(run: Run) -> None:
    image = np.zeros(0x4000, np.uint8)
    tiles = np.arange(1, 9, dtype=np.int32).repeat(16)
    image[ACC_AT : ACC_AT + tiles.nbytes] = tiles.view(np.uint8)
    fill = "load.acc sram 0 <- dram 0x50, 1 x 20 stride 20"
    load = f"load.acc sram 0 <- dram {ACC_AT // 64}, 2 x 2 stride 3, pad 1 2 1 0"
    text = f"{fill}\n{load}\n{STORE.format(sram=0, dram=OUT_AT // 16, tiles=15)}\nfinish"
    result = run(assemble(text, DEFAULT), image, DEFAULT)
    stored = image[OUT_AT : OUT_AT + 15 * 16].reshape(5, 3, 16)[:, :, 0]
    assert stored.tolist() == [[0, 0, 0], [0, 1, 2], [0, 4, 5], [0, 0, 0], [0, 0, 0]]
    assert result["acc_load_nbytes"] == (20 + 4) * 64


@BOTH
def test_8_bit_loads_widen_with_sign(run: Run) -> None:
    image = np.zeros(0x4000, np.uint8)
    image[0x1000:0x1020] = np.repeat(np.array([-3, 100], np.int8), 16).view(np.uint8)
    text = f"load.acc8 sram 0 <- dram 0x100, 1 x 2 stride 2\n{STORE.format(sram=0, dram=OUT_AT // 16, tiles=2)}\nfinish"
    result = run(assemble(text, DEFAULT), image, DEFAULT)
    assert image[OUT_AT : OUT_AT + 32].view(np.int8).reshape(2, 16)[:, 5].tolist() == [-3, 100]
    assert result["acc_load_nbytes"] == 2 * 64


@BOTH
def test_overlapping_store_rows_keep_the_last(run: Run) -> None:
    image = np.zeros(0x4000, np.uint8)
    tiles = np.arange(1, 7, dtype=np.int32).repeat(16)
    image[ACC_AT : ACC_AT + tiles.nbytes] = tiles.view(np.uint8)
    text = f"""
        load.acc sram 0 <- dram {ACC_AT // 64}, 1 x 6 stride 6
        store.out sram 0 -> dram {OUT_AT // 16}, 3 x 2 stride 1
        finish"""
    run(assemble(text, DEFAULT), image, DEFAULT)
    assert image[OUT_AT : OUT_AT + 64].reshape(4, 16)[:, 0].tolist() == [1, 3, 5, 6]


@BOTH
def test_a_load_with_stride_zero_repeats_its_row(run: Run) -> None:
    image = np.zeros(0x4000, np.uint8)
    image[ACC_AT : ACC_AT + 64] = np.full(16, 9, np.int32).view(np.uint8)
    load = f"load.acc sram 0 <- dram {ACC_AT // 64}, 3 x 1 stride 0"
    run(assemble(f"{load}\n{STORE.format(sram=0, dram=OUT_AT // 16, tiles=3)}\nfinish", DEFAULT), image, DEFAULT)
    assert (image[OUT_AT : OUT_AT + 48] == 9).all()


@BOTH
def test_empty_loops_and_nops_do_nothing_by_default(run: Run) -> None:
    text = """
        gemm uops 5:5, for 1 (dst+0 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0)
        alu.add imm 1, uops 0:1, for 0 (dst+0 src+0), for 1 (dst+0 src+0)
        store.uop nop push_prev
        load.uop nop pop_next
        finish"""
    result = run(assemble(text, DEFAULT), np.zeros(16, np.uint8), DEFAULT)
    assert result == {**dict.fromkeys(COUNTER_NAMES, 0), "tokens_left": {"l2g": 0, "g2l": 0, "s2g": 0, "g2s": 0}}


@BOTH
def test_units_wait_for_their_tokens(run: Run) -> None:
    """The store stands first in the stream, but waits for the addition."""
    image = np.zeros(0x4000, np.uint8)
    image[ACC_AT : ACC_AT + 64] = np.full(16, 5, np.int32).view(np.uint8)
    text = f"""
        {STORE.format(sram=0, dram=OUT_AT // 16, tiles=1)} pop_prev push_prev
        load.uop sram 0 <- dram 0, 1 x 1 stride 1
        load.acc sram 0 <- dram {ACC_AT // 64}, 1 x 1 stride 1
        alu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 1 (dst+0 src+0) push_next
        finish pop_next"""
    result = run(assemble(text, DEFAULT), image, DEFAULT)
    assert (image[OUT_AT : OUT_AT + 16] == 6).all()
    assert result["tokens_left"] == {"l2g": 0, "g2l": 0, "s2g": 0, "g2s": 0}
