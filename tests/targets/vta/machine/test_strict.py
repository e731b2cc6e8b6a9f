"""What strict mode refuses on top: unwritten reads, leftover tokens, and every trap of the hardware."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from reference_programs import reference_run

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import assemble
from vtac.targets.vta.machine import ExecutionError, execute, execute_reference

DEFAULT = VTAConfig()
Run = Callable[..., dict[str, int | dict[str, int]]]
BOTH = pytest.mark.parametrize("run", [execute, execute_reference], ids=["fast", "reference"])

# Micro-ops: entries 0 to 3 are (k, k, 0), 4 and 5 are (0, 1, 0) and (1, 0, 0), 6 and 7 are (2, 3, 0) and (0, 0, 0).
MICRO_OPS = [(0, 0), (1, 1), (2, 2), (3, 3), (0, 1), (1, 0), (2, 3), (0, 0)]
UOPS = "load.uop sram 0 <- dram 0, 1 x 8 stride 8"
INP = "load.inp sram 0 <- dram 16, 1 x 4 stride 4"
WGT = "load.wgt sram 0 <- dram 1, 1 x 1 stride 1"
ACC = "load.acc sram 0 <- dram 4, 1 x 4 stride 4"
ALU_ONCE = "for 1 (dst+0 src+0), for 1 (dst+0 src+0)"
GEMM_ONCE = "for 1 (dst+0 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0)"
STORE = "store.out sram 0 -> dram 0x80, 1 x 1 stride 1"


def run_strict(run: Run, *lines: str, fill: int = 1) -> dict[str, int | dict[str, int]]:
    """Run lines and a FINISH strictly on an image whose int32 words are all `fill`, after the micro-ops."""
    image = np.full(0x400, fill, np.int32).view(np.uint8)
    words = np.array([dst | src << 11 for dst, src in MICRO_OPS], np.uint32)
    image[: words.nbytes] = words.view(np.uint8)
    return run(assemble("\n".join([*lines, "finish"]), DEFAULT), image, DEFAULT, strict=True)


def assert_refused(run: Run, lines: list[str], kind: str, index: int, message: str) -> None:
    with pytest.raises(ExecutionError) as caught:
        run_strict(run, *lines)
    assert (caught.value.kind, caught.value.index) == (kind, index), caught.value.message
    assert message in caught.value.message


@pytest.mark.parametrize(("run", "name"), [(execute, "vadd"), (execute, "conv2d"), (execute_reference, "vadd")])
def test_clean_programs_run_strictly(run: Run, name: str) -> None:
    program = reference_run(name)
    run(program.instructions, program.image, DEFAULT, strict=True)
    assert np.array_equal(program.output(program.image), program.expected)


@BOTH
def test_a_token_left_over_is_refused_before_anything_runs(run: Run) -> None:
    program = reference_run("gemm")
    before = program.image.copy()
    with pytest.raises(
        ExecutionError, match=r"queue s2g keeps 1 token after FINISH; .* this is the last push"
    ) as caught:
        run(program.instructions, program.image, DEFAULT, strict=True)
    assert (caught.value.kind, caught.value.index) == ("tokens", 137)
    assert np.array_equal(program.image, before)


@BOTH
@pytest.mark.parametrize(
    ("lines", "index", "message"),
    [
        ([f"alu.add imm 1, uops 0:1, {ALU_ONCE}"], 0, "reads UOP element 0, which nothing before it has written"),
        ([UOPS, f"alu.add imm 1, uops 7:9, {ALU_ONCE}"], 1, "reads UOP element 8"),
        ([UOPS, f"alu.add imm 1, uops 0:1, {ALU_ONCE}"], 1, "reads ACC element 0, which nothing before it has written"),
        (
            [UOPS, ACC, f"alu.add uops 0:1, {ALU_ONCE}", "store.out sram 3 -> dram 0x80, 1 x 2 stride 2"],
            3,
            "ACC element 4",
        ),
        ([UOPS, WGT, ACC, f"gemm uops 0:1, {GEMM_ONCE}"], 3, "reads INP element 0"),
        ([UOPS, INP, ACC, f"gemm uops 0:1, {GEMM_ONCE}"], 3, "reads WGT element 0"),
        ([UOPS, INP, WGT, f"gemm uops 0:1, {GEMM_ONCE}"], 3, "reads ACC element 0"),
        ([STORE], 0, "reads ACC element 0"),
    ],
)
def test_reads_of_unwritten_memory(run: Run, lines: list[str], index: int, message: str) -> None:
    assert_refused(run, lines, "unwritten", index, message)


@BOTH
@pytest.mark.parametrize("operation", ["load.inp nop", f"gemm.reset uops 0:1, {GEMM_ONCE}"])
def test_a_tile_that_no_unit_computed_cannot_be_stored(run: Run, operation: str) -> None:
    message = "stores ACC tile 0, which no GEMM or ALU wrote after a load or reset"
    assert_refused(run, [UOPS, ACC, operation, STORE], "store-source", 3, message)
    computed = f"alu.add imm 0, uops 0:1, {ALU_ONCE}"
    run_strict(run, UOPS, ACC, operation, computed, STORE)
    assert_refused(run, [UOPS, ACC, computed, ACC, STORE], "store-source", 4, "stores ACC tile 0")


@BOTH
def test_a_product_can_be_stored(run: Run) -> None:
    run_strict(run, UOPS, INP, WGT, ACC, f"gemm uops 0:1, {GEMM_ONCE}", STORE)


@BOTH
@pytest.mark.parametrize(
    "operation",
    [
        f"gemm uops 5:5, {GEMM_ONCE}",
        f"gemm uops 5:3, {GEMM_ONCE}",
        "gemm.reset uops 0:1, for 0 (dst+0 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0)",
        "alu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 0 (dst+0 src+0)",
    ],
)
def test_empty_loops(run: Run, operation: str) -> None:
    message = "a loop or the micro-op range is empty; the hardware would run 16384 trips"
    assert_refused(run, [UOPS, operation], "zero-trip", 1, message)


@BOTH
def test_a_load_without_rows(run: Run) -> None:
    line = "load.inp sram 0 <- dram 0, 0 x 2 stride 2, pad 1 0 0 0"
    assert_refused(run, [line], "zero-rows", 0, "y_size is 0 and x_size is not; the hardware never finishes")


@BOTH
def test_what_the_hardware_does_not_decode(run: Run) -> None:
    multiply = f"alu.mul imm 2, uops 0:1, {ALU_ONCE}"
    assert_refused(run, [UOPS, ACC, multiply], "alu-opcode", 2, "the hardware has no MUL")
    narrow = "load.acc8 sram 0 <- dram 0, 1 x 1 stride 1"
    assert_refused(run, [narrow], "memory", 0, "the hardware does not decode ACC_8BIT; load i32 into ACC")


@BOTH
def test_micro_ops_behind_the_hardwares_memory(run: Run) -> None:
    far = "load.uop sram 2047 <- dram 0, 1 x 2 stride 2"
    assert_refused(run, [far], "uop-range", 0, "micro-ops end at 2049; the hardware's UOP memory holds 2048")
    message = "micro-ops end at 2049; the hardware's UOP memory holds 2048"
    assert_refused(run, [f"alu.add imm 0, uops 2048:2049, {ALU_ONCE}"], "uop-range", 0, message)


@BOTH
def test_an_immediate_needs_equal_indices(run: Run) -> None:
    message = "it has an immediate and src differs from dst; the hardware reads src"
    line = f"alu.add imm 1, uops 4:5, {ALU_ONCE}"
    assert_refused(run, [UOPS, ACC, line], "immediate-source", 2, message)
    line = "alu.add imm 1, uops 0:1, for 2 (dst+0 src+1), for 1 (dst+0 src+0)"
    assert_refused(run, [UOPS, ACC, line], "immediate-source", 2, "it has an immediate")


@BOTH
@pytest.mark.parametrize(
    "operation",
    [
        "alu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 2 (dst+0 src+0)",
        "alu.max uops 4:5, for 1 (dst+0 src+0), for 2 (dst+0 src+1)",
        f"alu.max uops 4:6, {ALU_ONCE}",
    ],
    ids=["same dst, immediate", "same dst, tensor", "src is the previous dst"],
)
def test_operations_that_meet_in_the_alus_pipeline(run: Run, operation: str) -> None:
    message = "a tile operation reads ACC tile 0, which the one right before it writes"
    assert_refused(run, [UOPS, ACC, operation], "alu-hazard", 2, message)


@BOTH
def test_distance_two_is_fine(run: Run) -> None:
    twice = "alu.add imm 1, uops 0:2, for 2 (dst+0 src+0), for 1 (dst+0 src+0)"
    run_strict(run, UOPS, ACC, twice, STORE)


@BOTH
@pytest.mark.parametrize("amount", [32, -32, 100])
def test_immediate_shifts_of_32_and_more(run: Run, amount: int) -> None:
    line = f"alu.shr imm {amount}, uops 0:1, {ALU_ONCE}"
    assert_refused(run, [UOPS, ACC, line], "shift", 2, f"shift by {amount}; the hardware shifts by the low 5 bits")


@BOTH
def test_tensor_shifts_depend_on_their_data(run: Run) -> None:
    lines = [UOPS, ACC, f"alu.shr uops 6:7, {ALU_ONCE}"]
    run_strict(run, *lines, fill=31)
    for fill in (32, -1):
        with pytest.raises(ExecutionError) as caught:
            run_strict(run, *lines, fill=fill)
        assert (caught.value.kind, caught.value.index) == ("shift", 2)
        assert f"shifts by {fill}; the hardware takes amounts from 0 to 31 here" in caught.value.message


@BOTH
def test_an_earlier_shift_is_named_before_a_later_fault(run: Run) -> None:
    shift, bad = f"alu.shr uops 6:7, {ALU_ONCE}", "store.out sram 9 -> dram 0x80, 1 x 1 stride 1"
    with pytest.raises(ExecutionError) as caught:
        run_strict(run, UOPS, ACC, shift, bad, fill=40)
    assert caught.value.kind == "shift"
    with pytest.raises(ExecutionError) as caught:
        run_strict(run, UOPS, ACC, shift, bad, fill=3)
    assert caught.value.kind == "unwritten"


@BOTH
def test_more_tokens_than_a_queue_counts(run: Run) -> None:
    ahead = ["load.inp nop push_next"] * 256
    behind = ["load.uop nop pop_prev"] * 256
    message = "queue l2g can hold 256 tokens at once; the hardware counts to 255 and loses the rest"
    assert_refused(run, ahead + behind, "token-limit", 255, message)
    run_strict(run, *ahead[:255], *behind[:255])


@BOTH
def test_tokens_are_counted_over_every_order(run: Run) -> None:
    """In the stream's order one token at a time is in flight, yet nothing keeps the load unit back."""
    assert_refused(run, ["load.inp nop push_next", "load.uop nop pop_prev"] * 256, "token-limit", 510, "256 tokens")
    paced = ["load.inp nop pop_next push_next", "load.uop nop pop_prev push_prev"] * 256
    run_strict(run, "load.uop nop push_prev", *paced, "load.inp nop pop_next")


@BOTH
def test_fetch_stalls_on_a_full_queue(run: Run) -> None:
    """512 stores wait for a token that stands behind one more store, which finds no room."""
    waiting = ["store.uop nop pop_prev", *["store.uop nop"] * 511]
    run_strict(run, *waiting, "load.uop nop push_next")
    message = "fetch in order stops at instruction 512: the queue of its unit is full, at 512 instructions, after 0"
    lines = [*waiting, "store.uop nop", "load.uop nop push_next"]
    with pytest.raises(ExecutionError) as caught:
        run_strict(run, *lines)
    assert caught.value.kind == "fetch"
    assert message in caught.value.message
    run(assemble("\n".join([*lines, "finish"]), DEFAULT), np.zeros(16, np.uint8), DEFAULT)
