"""Bytes to records: every instruction comes back, broken bytes are refused."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interpreter_streams import CONFIGS, DEFAULT, random_stream

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import (
    AluOpcode,
    DecodeError,
    Gemm,
    MicroOp,
    Opcode,
    decode,
    decode_micro_op_array,
    decode_micro_ops,
    decode_table,
    encode,
    encode_micro_ops,
    instruction_layout,
)

FINISH = bytes([3]) + bytes(15)


@settings(max_examples=60)
@given(config=st.sampled_from(CONFIGS), random=st.randoms(use_true_random=False))
def test_streams_round_trip(config: VTAConfig, random: Random) -> None:
    data = random_stream(random, config, 12)
    assert encode(decode(data, config), config) == data


@settings(max_examples=60)
@given(config=st.sampled_from(CONFIGS), opcode=st.sampled_from(Opcode), data=st.data())
def test_every_field_value_round_trips(config: VTAConfig, opcode: Opcode, data: st.DataObject) -> None:
    word = int(opcode)
    for field in instruction_layout(config, opcode).fields[1:]:
        limit = {"memory": 5, "alu_opcode": max(AluOpcode)}.get(field.name, (1 << field.width) - 1)
        word |= data.draw(st.integers(0, limit), label=field.name) << field.low
    encoded = word.to_bytes(16, "little")
    assert encode(decode(encoded, config), config) == encoded


def test_unused_bits_are_ignored() -> None:
    word = bytearray(FINISH)
    word[15] = 0xFF
    assert decode(bytes(word), DEFAULT) == decode(FINISH, DEFAULT)


def test_the_table_has_a_row_for_every_instruction() -> None:
    data = encode([Gemm(True, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)], DEFAULT) + FINISH
    table = decode_table(data, DEFAULT)
    assert table.opcodes.tolist() == [Opcode.GEMM, Opcode.FINISH]
    assert table.columns[Opcode.GEMM]["wgt_factor_in"].tolist() == [10]
    assert table.rows[Opcode.FINISH].tolist() == [1]


def test_micro_ops_round_trip() -> None:
    ops = [MicroOp(2047, 0, 1023), MicroOp(0, 2047, 1)]
    encoded = encode_micro_ops(ops, DEFAULT)
    assert decode_micro_ops(encoded, DEFAULT) == ops
    assert decode_micro_op_array(encoded, DEFAULT).tolist() == [list(op) for op in ops]


@pytest.mark.parametrize(
    ("data", "kind", "index", "message"),
    [
        (FINISH + bytes(5), "length", 1, "the stream has 21 bytes, 5 more than 1 instructions"),
        (FINISH + bytes([5]) + bytes(15), "opcode", 1, "instruction 1: unknown opcode 5; known: LOAD 0, STORE 1"),
        (bytes([0x80, 3]) + bytes(14), "memory", 0, "instruction 0: unknown memory id 7; known: UOP 0, WGT 1"),
        (bytes([4]) + bytes(12) + bytes([0x50, 0, 0]), "alu-opcode", 0, "unknown ALU opcode 5; known: MIN 0"),
    ],
)
def test_broken_streams_are_refused(data: bytes, kind: str, index: int, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(data, DEFAULT)
    assert (caught.value.kind, caught.value.index) == (kind, index)
    assert message in caught.value.message


def test_the_earliest_fault_is_named() -> None:
    bad_memory, bad_opcode = bytes([0x80, 3]) + bytes(14), bytes([7]) + bytes(15)
    with pytest.raises(DecodeError, match="instruction 1: unknown memory id"):
        decode(FINISH + bad_memory + bad_opcode, DEFAULT)
    with pytest.raises(DecodeError, match="instruction 1: unknown opcode"):
        decode(FINISH + bad_opcode + bad_memory, DEFAULT)


def test_broken_micro_ops_are_refused() -> None:
    with pytest.raises(DecodeError, match="the micro-ops have 6 bytes; their length must be a multiple of 4"):
        decode_micro_ops(bytes(6), DEFAULT)
