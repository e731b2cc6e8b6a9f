"""Records to bytes: where the bits lie, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import (
    Alu,
    AluOpcode,
    Dependences,
    EncodingError,
    Finish,
    Gemm,
    Instruction,
    Load,
    Memory,
    MicroOp,
    Opcode,
    Store,
    Unit,
    encode,
    encode_micro_ops,
    instruction_layout,
    is_nop,
    micro_op_layout,
    unit_of,
)

DEFAULT = VTAConfig()
WIDE = VTAConfig(log_batch=2, log_block=3, log_inp_buff_size=16, log_wgt_buff_size=16, log_acc_buff_size=18)
LOAD = Load(Memory.INP, 0, 0, 1, 1, 1)
GEMM = Gemm(False, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0)
ALU = Alu(AluOpcode.ADD, True, 0, 0, 1, 1, 1, 0, 0, 0, 0)


def _bits(opcode: Opcode) -> dict[str, tuple[int, int]]:
    """Highest and lowest bit of each field of the default configuration."""
    return {
        field.name: (field.low + field.width - 1, field.low) for field in instruction_layout(DEFAULT, opcode).fields
    }


def test_memory_fields_lie_where_the_instruction_set_has_them() -> None:
    bits = _bits(Opcode.LOAD)
    assert bits["memory"] == (9, 7)
    assert bits["dram_base"] == (57, 26)
    assert bits["y_size"] == (79, 64)
    assert bits["x_pad_1"] == (127, 124)


def test_gemm_fields_lie_where_the_instruction_set_has_them() -> None:
    bits = _bits(Opcode.GEMM)
    assert bits["uop_bgn"] == (20, 8)
    assert bits["uop_end"] == (34, 21)
    assert bits["iter_in"] == (62, 49)
    assert bits["src_factor_out"] == (96, 86)
    assert bits["wgt_factor_in"] == (127, 118)


def test_alu_fields_lie_where_the_instruction_set_has_them() -> None:
    bits = _bits(Opcode.ALU)
    assert bits["uop_bgn"] == (20, 8)
    assert bits["alu_opcode"] == (110, 108)
    assert bits["use_imm"] == (111, 111)
    assert bits["imm"] == (127, 112)


def test_widths_follow_the_configuration() -> None:
    layout = instruction_layout(WIDE, Opcode.GEMM)
    assert layout["dst_factor_out"].width == WIDE.index_bits("acc")
    assert layout["wgt_factor_in"].width == WIDE.index_bits("wgt")
    assert [field.width for field in micro_op_layout(DEFAULT).fields] == [11, 11, 10]


@pytest.mark.parametrize("opcode", Opcode)
@pytest.mark.parametrize("config", [DEFAULT, WIDE], ids=["default", "wide"])
def test_no_field_crosses_a_half_and_none_overlap(opcode: Opcode, config: VTAConfig) -> None:
    fields = instruction_layout(config, opcode).fields
    assert all(field.low // 64 == (field.low + field.width - 1) // 64 for field in fields)
    assert sum(field.width for field in fields) == instruction_layout(config, opcode).mask.bit_count()


def test_token_bits_and_opcode() -> None:
    word = encode([Finish(Dependences(pop_prev=True, push_next=True))], DEFAULT)
    assert word == bytes([0b1001011]) + bytes(15)


def test_a_negative_immediate_is_twos_complement() -> None:
    assert encode([replace(ALU, imm=-2)], DEFAULT)[14:] == b"\xfe\xff"


def test_numpy_integers_encode_like_python_integers() -> None:
    shifted = Load(Memory.INP, 0, np.int64(7), 1, np.int64(3), 1)  # pyright: ignore[reportArgumentType]
    assert encode([shifted], DEFAULT) == encode([Load(Memory.INP, 0, 7, 1, 3, 1)], DEFAULT)


@pytest.mark.parametrize(
    ("instruction", "message"),
    [
        (
            replace(LOAD, sram_base=1 << 16),
            "instruction 1 (LOAD): field sram_base is 65536 (0x10000); it has 16 bits, an integer from 0 to 65535",
        ),
        (replace(LOAD, dram_base=-1), "field dram_base is -1; it has 32 bits, an integer from 0 to 4294967295"),
        (replace(LOAD, x_pad_0=16), "field x_pad_0 is 16; it has 4 bits, an integer from 0 to 15 is required"),
        (replace(GEMM, dst_factor_out=2048), "(GEMM): field dst_factor_out is 2048; it has 11 bits"),
        (replace(GEMM, wgt_factor_in=1024), "field wgt_factor_in is 1024; it has 10 bits"),
        (replace(GEMM, iter_in=1 << 14), "field iter_in is 16384 (0x4000); it has 14 bits"),
        (
            replace(ALU, imm=32768),
            "(ALU): field imm is 32768 (0x8000); it has 16 bits",
        ),
        (replace(ALU, uop_end=1.5), "field uop_end is 1.5; it has 14 bits"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(instruction: Instruction, message: str) -> None:
    with pytest.raises(EncodingError) as caught:
        encode([Finish(), instruction], DEFAULT)
    assert message in caught.value.message
    assert caught.value.index == 1


def test_the_limit_is_the_configurations() -> None:
    encode([replace(GEMM, wgt_factor_in=1023)], DEFAULT)
    narrow = VTAConfig(log_wgt_buff_size=12)
    with pytest.raises(EncodingError, match="wgt_factor_in is 1023; it has 4 bits, an integer from 0 to 15"):
        encode([replace(GEMM, wgt_factor_in=1023)], narrow)


def test_a_micro_op_index_that_does_not_fit_is_refused() -> None:
    assert encode_micro_ops([MicroOp(1, 2, 3)], DEFAULT) == (1 | 2 << 11 | 3 << 22).to_bytes(4, "little")
    with pytest.raises(EncodingError, match="micro-op 1: wgt is 1024; it has 10 bits, an integer from 0 to 1023"):
        encode_micro_ops([MicroOp(0, 0, 0), MicroOp(0, 0, 1024)], DEFAULT)


@pytest.mark.parametrize(
    ("instruction", "unit"),
    [
        (LOAD, Unit.LOAD),
        (replace(LOAD, memory=Memory.WGT), Unit.LOAD),
        (replace(LOAD, memory=Memory.UOP), Unit.COMPUTE),
        (replace(LOAD, memory=Memory.ACC_8BIT), Unit.COMPUTE),
        (GEMM, Unit.COMPUTE),
        (Finish(), Unit.COMPUTE),
        (Store(Memory.OUT, 0, 0, 1, 1, 1), Unit.STORE),
    ],
)
def test_units(instruction: Instruction, unit: Unit) -> None:
    assert unit_of(instruction) is unit


def test_a_memory_instruction_without_columns_is_a_nop() -> None:
    assert is_nop(replace(LOAD, x_size=0))
    assert not is_nop(replace(LOAD, y_size=0))
    assert not is_nop(Finish())
