"""The reference runtime's own streams of three programs pass through every form unchanged."""

from __future__ import annotations

from collections import Counter

import pytest
from reference_programs import NAMES, micro_ops_of, stream_of

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import (
    Opcode,
    assemble,
    assemble_micro_ops,
    decode,
    decode_micro_ops,
    disassemble,
    disassemble_micro_ops,
    encode,
    encode_micro_ops,
    is_nop,
    opcode_of,
)

CONFIG = VTAConfig()


@pytest.mark.parametrize("name", NAMES)
def test_instructions_round_trip(name: str) -> None:
    data = stream_of(name)
    assert encode(decode(data, CONFIG), CONFIG) == data
    assert assemble(disassemble(data, CONFIG), CONFIG) == data


@pytest.mark.parametrize("name", NAMES)
def test_micro_ops_round_trip(name: str) -> None:
    data = micro_ops_of(name)
    assert encode_micro_ops(decode_micro_ops(data, CONFIG), CONFIG) == data
    assert assemble_micro_ops(disassemble_micro_ops(data, CONFIG), CONFIG) == data


def test_the_convolutions_instructions() -> None:
    instructions = decode(stream_of("conv2d"), CONFIG)
    counts = Counter(opcode_of(one) for one in instructions if not is_nop(one))
    assert counts == {Opcode.LOAD: 138, Opcode.STORE: 3136, Opcode.GEMM: 68, Opcode.ALU: 12, Opcode.FINISH: 1}
    assert sum(map(is_nop, instructions)) == 11
