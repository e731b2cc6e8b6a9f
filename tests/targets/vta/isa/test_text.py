"""Assembly text: how it reads, that it assembles back bit for bit, and what the assembler refuses."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from interpreter_streams import CONFIGS, DEFAULT

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import (
    AssemblyError,
    DecodeError,
    MicroOp,
    assemble,
    assemble_micro_ops,
    disassemble,
    disassemble_micro_ops,
    encode_micro_ops,
)

PROGRAM = """\
# a comment, then each kind of line
load.uop   sram 0 <- dram 0x40, 1 x 3 stride 3
load.inp   sram 14 <- dram 0x100, 8 x 14 stride 14, pad 1 0 1 1    push_next
load.acc8  sram 0 <- dram 0x7, 1 x 1 stride 1
gemm.reset uops 0:1, for 16 (dst+1 src+0 wgt+0), for 1 (dst+0 src+0 wgt+0)
gemm       uops 1:2, for 8 (dst+98 src+0 wgt+9), for 7 (dst+14 src+16 wgt+0)  pop_prev push_next
alu.shr    imm -3, uops 0:1, for 1 (dst+0 src+0), for 64 (dst+1 src+1)
alu.add    uops 0:1, for 1 (dst+0 src+0), for 64 (dst+1 src+1), no imm 5
store.out  sram 0 -> dram 0x9e00, 1 x 1 stride 1   pop_prev push_prev
load.uop   nop   pop_next

3: finish
"""


def _normal(text: str) -> list[str]:
    """Lines without comments, labels and surplus space."""
    lines = [line.partition("#")[0].rpartition(": ")[2].split() for line in text.splitlines()]
    return [" ".join(words) for words in lines if words]


def test_text_assembles_and_disassembles_to_itself() -> None:
    data = assemble(PROGRAM, DEFAULT)
    assert len(data) == 10 * 16
    assert _normal(disassemble(data, DEFAULT)) == _normal(PROGRAM)


def test_a_disassembly_has_one_labelled_line_per_instruction() -> None:
    lines = disassemble(assemble("load.inp nop push_next\nfinish pop_prev", DEFAULT), DEFAULT).splitlines()
    assert [line.split() for line in lines] == [["0:", "load.inp", "nop", "push_next"], ["1:", "finish", "pop_prev"]]


@settings(max_examples=150)
@given(config=st.sampled_from(CONFIGS), random=st.randoms(use_true_random=False))
def test_any_decodable_bytes_assemble_back_bit_for_bit(config: VTAConfig, random: Random) -> None:
    word = bytearray(random.randbytes(16))
    word[0] = (word[0] & 0xF8) | random.randrange(5)
    try:
        text = disassemble(bytes(word), config)
    except DecodeError:
        assume(False)
        return
    assert assemble(text, config) == bytes(word)


def test_bits_without_meaning_are_kept() -> None:
    data = bytes([3]) + bytes(14) + bytes([0x80])
    assert disassemble(data, DEFAULT).split() == ["0:", "finish", "unused", "0x80" + "0" * 30]
    assert assemble(disassemble(data, DEFAULT), DEFAULT) == data


def test_micro_ops_have_a_text_form() -> None:
    data = encode_micro_ops([MicroOp(1, 2, 3), MicroOp(2047, 0, 1023)], DEFAULT)
    text = disassemble_micro_ops(data, DEFAULT)
    assert _normal(text) == ["uop dst 1, src 2, wgt 3", "uop dst 2047, src 0, wgt 1023"]
    assert assemble_micro_ops(text, DEFAULT) == data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("finish\nmove a, b", "line 2: unknown mnemonic 'move'; known: load.uop, load.wgt"),
        ("load.foo nop", "line 1: unknown mnemonic 'load.foo'"),
        ("load.inp sram 0 -> dram 0, 1 x 1 stride 1", "expected the form 'sram 0 <- dram 0x0, 1 x 1 stride 1"),
        ("load.inp", "cannot read the operands: found nothing; expected the form"),
        ("gemm uops 0:1", "found 'uops 0:1'; expected the form 'uops 0:1, for 1 (dst+0 src+0 wgt+0)"),
        ("finish now", "line 1: finish has no operands; found 'now'"),
        ("finish pop_prev pop_prev", "line 1: pop_prev stands twice; each token bit may stand once"),
        ("finish unused 0x1", "unused 0x1 has bits of fields"),
        (
            "# heading\nstore.out sram 65536 -> dram 0x0, 1 x 1 stride 1",
            "line 2: cannot encode instruction 0 (STORE): field sram_base is 65536",
        ),
    ],
)
def test_text_that_means_nothing_is_refused(text: str, message: str) -> None:
    with pytest.raises(AssemblyError) as caught:
        assemble(text, DEFAULT)
    assert message in caught.value.message


def test_micro_op_text_that_means_nothing_is_refused() -> None:
    with pytest.raises(AssemblyError, match="line 2: cannot encode micro-op 1: dst is 4096"):
        assemble_micro_ops("uop dst 0, src 0, wgt 0\nuop dst 4096, src 0, wgt 0", DEFAULT)
    with pytest.raises(AssemblyError, match="line 1: unknown mnemonic 'finish'; expected uop"):
        assemble_micro_ops("finish", DEFAULT)


def test_micro_ops_with_bits_beyond_their_fields_have_no_text() -> None:
    with pytest.raises(DecodeError, match="micro-op 0 is 0x80000000; only the bits"):
        disassemble_micro_ops(bytes([0, 0, 0, 0x80]), CONFIGS[2])


def test_leading_zeros_mean_nothing() -> None:
    assert assemble("load.uop sram 00 <- dram 0x0040, 01 x 007 stride 7", DEFAULT) == assemble(
        "load.uop sram 0 <- dram 0x40, 1 x 7 stride 7", DEFAULT
    )


@pytest.mark.parametrize("number", ["9" * 5000, "\u0663", "0x" + "f" * 33])
def test_numbers_of_other_scripts_or_without_end_are_refused(number: str) -> None:
    with pytest.raises(AssemblyError, match="line 1: cannot read the operands"):
        assemble(f"load.uop sram {number} <- dram 0x40, 1 x 7 stride 7", DEFAULT)
