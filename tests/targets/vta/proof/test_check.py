"""`check`: tokens, instruction queues, memory and programs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from checker_samples import CLEAN, MICRO_OPS, PRODUCT, checked, the_finding
from checker_streams import CONFIG, END, UOP, memory_image

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ConfigError, VtacError
from vtac.targets.vta.isa import assemble
from vtac.targets.vta.proof import check


def test_clean_programs_have_no_findings() -> None:
    assert checked(CLEAN) == []
    assert checked(PRODUCT) == []


def test_a_late_tile_of_micro_ops_counts_as_written_only_by_loads_before_it() -> None:
    early = CLEAN.replace("load.uop sram 0 <- dram 0x1400, 1 x 3 stride 3\n", "", 1)
    finding = the_finding(early.replace("load.uop nop", "load.uop sram 0 <- dram 0x1400, 1 x 3 stride 3"), "unwritten")
    assert finding.buffer == "uop"


@pytest.mark.parametrize("count", [255, 256])
def test_a_queue_holds_255_tokens(count: int) -> None:
    """The load unit may run ahead of compute by as many tokens as it pushes."""
    stream = "load.inp nop push_next\n" * count + "load.uop nop pop_prev\n" * count + "finish\n"
    found = checked(stream)
    if count == 255:
        assert found == []
        return
    (finding,) = found
    assert (finding.kind, finding.first, finding.second, finding.buffer) == ("token-limit", 255, 256, "l2g")
    assert "can hold 256 tokens at once; the hardware counts to 255 and loses the rest: load #255" in finding.message
    assert "so the load unit must wait earlier" in finding.message


def test_tokens_in_flight_are_counted_over_every_interleaving() -> None:
    """In stream order one token is in flight at a time, but nothing keeps load from running ahead."""
    finding = the_finding("load.inp nop push_next\nload.uop nop pop_prev\n" * 300 + "finish\n", "token-limit")
    assert "can hold 300 tokens" in finding.message
    paced = "load.inp nop push_next\nload.uop nop pop_prev push_prev\nload.inp nop pop_next\n" * 300 + "finish\n"
    assert checked(paced) == []


def test_instruction_queues_of_512_stall_a_stream_that_needs_longer_ones() -> None:
    """513 loads wait for a token that compute, behind them in the stream, would push."""
    waiting = "load.inp nop pop_next\n" + "load.inp nop\n" * 512
    assert checked("load.inp nop pop_next\n" + "load.inp nop\n" * 511 + "load.uop nop push_prev\nfinish\n") == []
    finding = the_finding(waiting + "load.uop nop push_prev\nfinish\n", "fetch")
    assert (finding.first, finding.second) == (0, 512)
    assert "fetch in order stops at load #512 `load.inp nop`: the queue of its unit is full" in finding.message
    assert "waits on queue g2l for token 1, which compute #513 `load.uop nop push_prev` would push" in finding.message


def test_a_thousand_stores_in_a_row_are_no_stall() -> None:
    assert checked("load.uop nop push_next\nstore.uop nop pop_prev\n" + "store.uop nop\n" * 1000 + "finish\n") == []


@pytest.mark.parametrize(
    ("data", "kind", "index", "message"),
    [
        (b"\x03" + bytes(16), "length", 1, "must be a multiple of 16"),
        (b"\x07" + bytes(15), "opcode", 0, "unknown opcode 7"),
        (bytes(16) + b"\x80\x03" + bytes(14), "memory", 1, "unknown memory id 7"),
    ],
)
def test_bytes_that_are_no_instructions(data: bytes, kind: str, index: int, message: str) -> None:
    (finding,) = check(data)
    assert (finding.kind, finding.first) == (kind, index)
    assert message in finding.message


def test_an_empty_stream_never_ends() -> None:
    (finding,) = check(b"")
    assert finding.kind == "finish"


def test_raw_bytes_without_memory_are_not_proven() -> None:
    """One finding for all kernels; what does not hang on micro-ops is still checked."""
    (finding,) = check(assemble(PRODUCT, CONFIG))
    assert (finding.kind, finding.first, finding.second, finding.range) == ("micro-ops-unknown", 0, 3, (0, 1))
    assert "no memory image was given; pass the memory image, or a program" in finding.message
    kinds = [finding.kind for finding in check(assemble(PRODUCT.replace("pop_prev pop_next", "pop_prev"), CONFIG))]
    assert kinds == ["micro-ops-unknown", "tokens", "finish"]


def test_raw_bytes_without_kernels_need_no_memory() -> None:
    assert (
        check(
            assemble("load.inp sram 0 <- dram 0x100, 1 x 4 stride 4 push_next\nload.uop nop pop_prev\nfinish\n", CONFIG)
        )
        == []
    )


def test_findings_of_one_kind_are_limited_and_counted() -> None:
    found = checked("alu.mul uops 0:1, for 1 (dst+0 src+0), for 1 (dst+0 src+0)\n" * 100 + "finish\n")
    multiplications = [finding for finding in found if finding.kind == "alu-opcode"]
    assert len(multiplications) == 64
    assert multiplications[-1].message.endswith("(36 more findings of this kind are not listed)")


SHIFT = CLEAN.replace(
    "alu.add imm 1, uops 0:1, for 1 (dst+0 src+0), for 4 (dst+1 src+1)",
    "alu.shr uops 1:2, for 1 (dst+0 src+0), for 1 (dst+0 src+0)",
).replace("sram 0 -> dram 0x400, 1 x 4 stride 4", "sram 1 -> dram 0x400, 1 x 1 stride 1")


@pytest.mark.parametrize(("amount", "proven"), [(0, True), (31, True), (32, False), (-1, False)])
def test_tensor_shifts_are_proven_from_the_numbers_in_memory(amount: int, proven: bool) -> None:
    image = memory_image(0, MICRO_OPS)
    image[0x3000:0x3040].view("<i4")[:] = amount
    found = check(assemble(SHIFT, CONFIG), CONFIG, dram=image)
    assert [finding.kind for finding in found] == ([] if proven else ["shift"])
    if not proven:
        assert "acc tile 0, of which nothing is proven; the hardware takes amounts from 0 to" in found[0].message


def test_tensor_shifts_by_computed_numbers_are_not_proven() -> None:
    computed = SHIFT.replace("alu.shr", "alu.max imm 3, uops 0:1, for 1 (dst+0 src+0), for 1 (dst+0 src+0)\nalu.shr")
    finding = the_finding(computed, "shift")
    assert (finding.first, finding.buffer, finding.range) == (3, "acc", (0, 1))


def test_tensor_shifts_by_reset_tiles_are_proven() -> None:
    reset = SHIFT.replace(
        "alu.shr", "gemm.reset uops 0:1, for 1 (dst+0 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0)\nalu.shr"
    )
    assert checked(reset) == []


@dataclass(frozen=True)
class Buffer:
    name: str
    role: str
    address: int
    nbytes: int


@dataclass(frozen=True)
class CompiledProgram:
    """As much of a program as the checker asks for."""

    instructions: bytes
    buffers: tuple[Buffer, ...] = (
        Buffer("a", "input", 0x3000, 0x100),
        Buffer("out", "output", 0x4000, 0x100),
        Buffer("micro-ops", "uop", UOP, 12),
    )
    config: VTAConfig = CONFIG

    def memory_image(self) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        return memory_image(0, MICRO_OPS)


def test_a_program_brings_its_memory_and_its_buffers() -> None:
    program = CompiledProgram(assemble(CLEAN, CONFIG))
    assert check(program) == []
    assert check(program, CONFIG) == []


@pytest.mark.parametrize(
    ("store", "message"),
    [
        (
            "dram 0x40d, 1 x 4 stride 4",
            "bytes 16592 to 16655 lie in no one buffer (a 12288 to 12543, out 16384 to 16639, ",
        ),
        ("dram 0x40f, 4 x 1 stride 4", "bytes 16688 to 16703 lie in no one buffer"),
        ("dram 0x500, 1 x 0 stride 4", ""),
        ("dram 0x800, 1 x 4 stride 4", "the memory image has 24576 bytes"),
    ],
)
def test_stores_stay_inside_one_buffer(store: str, message: str) -> None:
    program = CompiledProgram(assemble(CLEAN.replace("dram 0x400, 1 x 4 stride 4", store), CONFIG))
    found = check(program)
    assert [finding.kind for finding in found] == (["dram-range"] if message else [])
    assert not message or message in found[0].message


def test_stores_leave_constants_alone() -> None:
    buffers = (
        Buffer("a", "input", 0x3000, 0x100),
        Buffer("table", "constant", 0x4000, 0x100),
        Buffer("u", "uop", UOP, 12),
    )
    (finding,) = check(CompiledProgram(assemble(CLEAN, CONFIG), buffers))
    assert finding.kind == "dram-range"
    assert "a store must not change table, whose role is constant" in finding.message


def test_shift_amounts_from_an_input_are_not_proven() -> None:
    shifted = CompiledProgram(assemble(SHIFT, CONFIG))
    assert [finding.kind for finding in check(shifted)] == ["shift"]


def test_refusals() -> None:
    program = CompiledProgram(assemble(CLEAN, CONFIG))
    with pytest.raises(ConfigError, match="cannot check a program for another configuration than its own"):
        check(program, replace(CONFIG, log_inp_buff_size=14))
    with pytest.raises(VtacError, match="cannot check a program against another memory image"):
        check(program, dram=np.zeros(END, np.uint8))
    with pytest.raises(VtacError, match=r"memory image of shape \(4,\) and type int64: a vector of uint8"):
        check(b"", dram=np.zeros(4, np.int64))  # pyright: ignore[reportArgumentType]


def test_another_configuration_has_its_own_sizes() -> None:
    """BATCH 4, BLOCK 8: an accumulator tile has 128 bytes, a weight tile 64, of which 1024 fit."""
    config = VTAConfig(log_batch=2, log_block=3, log_inp_buff_size=16, log_wgt_buff_size=16, log_acc_buff_size=18)
    text = CLEAN.replace("dram 0xc0", "dram 0x60").replace("dram 0x400", "dram 0x200")
    image = memory_image(0, MICRO_OPS)
    assert check(assemble(text, config), config, dram=image) == []
    late = text.replace("dram 0x200", "dram 0x2fd")
    assert [finding.range for finding in check(assemble(late, config), config, dram=image)] == [(0x5FA0, 0x6020)]
    far = text.replace(
        "finish", "load.wgt sram 1020 <- dram 0, 1 x 5 stride 5 push_next\nload.uop nop pop_prev\nfinish"
    )
    assert [finding.range for finding in check(assemble(far, config), config, dram=image)] == [(1020, 1025)]
