"""Streams that no compiler made: the checker's verdict against the strict interpreter's."""

from __future__ import annotations

import random
from dataclasses import fields, replace

import numpy as np
import pytest
from checker_streams import CONFIG, memory_image, orders
from random_streams import random_program

from vtac.targets.vta.isa import (
    Alu,
    AluOpcode,
    Instruction,
    Load,
    Memory,
    MicroOp,
    Opcode,
    Store,
    instruction_layout,
    opcode_of,
)
from vtac.targets.vta.machine import ExecutionError
from vtac.targets.vta.proof import check

# Findings that no interleaving escapes.
CERTAIN = {
    "dependence", "pad", "sram-range", "dram-range", "index-range", "uop-range", "zero-trip", "memory", "alu-opcode",
    "alu-hazard", "immediate-source", "store-source", "unwritten", "deadlock", "fetch", "tokens",
}  # fmt: skip


def with_random_field(instruction: Instruction, rng: random.Random) -> Instruction:
    """One field replaced: by a neighbour, or by any value (iterations stay small, so that runs end soon)."""
    if isinstance(instruction, Load | Store) and rng.random() < 0.1:
        return replace(instruction, memory=rng.choice(list(Memory)))
    if isinstance(instruction, Alu) and rng.random() < 0.1:
        return replace(instruction, opcode=rng.choice(list(AluOpcode)))
    names = {field.name for field in fields(instruction)} - {"memory"}
    legal = [field for field in instruction_layout(CONFIG, opcode_of(instruction)).fields if field.name in names]
    if not legal:
        return instruction
    field = rng.choice(legal)
    value = int(getattr(instruction, field.name))
    limit = 12 if field.name.startswith("iter") else field.maximum
    new = rng.choice([value + 1, value - 1, rng.randint(field.minimum, limit), rng.randint(0, 20)])
    new = min(max(new, field.minimum), limit)
    return replace(instruction, **{field.name: bool(new) if field.name in ("reset", "use_imm") else new})


@pytest.mark.parametrize("block", range(10))
def test_checker_and_strict_interpreter_agree_on_changed_programs(block: int) -> None:
    """Clean means that every order runs without fault to one result; a certain finding, that strict runs fail."""
    clean = faulty = 0
    for seed in range(40 * block, 40 * block + 40):
        rng = random.Random(seed)
        program = random_program(seed, length=rng.randint(8, 20))
        index = rng.randrange(len(program.instructions))
        instructions = list(program.instructions)
        instructions[index] = with_random_field(instructions[index], rng)
        changed = replace(program, instructions=instructions)
        kinds = {finding.kind for finding in check(changed.data, dram=changed.image)}
        if not kinds:
            clean += 1
            assert len({changed.run(order) for order in orders(4)}) == 1
        elif kinds & CERTAIN:
            faulty += 1
            with pytest.raises(ExecutionError):
                changed.run()
    assert clean > 3
    assert faulty > 3


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_findings_never_crashes(seed: int) -> None:
    data = np.random.default_rng(seed).bytes(16 * 40)
    assert check(data) != []
    assert check(data[: 16 * 3 + seed % 16], dram=np.zeros(64, np.uint8)) != []


@pytest.mark.parametrize("seed", range(20))
def test_random_fields_are_findings_never_crashes(seed: int) -> None:
    """Every opcode and memory id valid, all other bits random."""
    rng = random.Random(seed)
    words = bytearray()
    for _ in range(60):
        word = rng.getrandbits(128) & ~0x387 | rng.choice(list(Opcode)) | rng.randrange(6) << 7
        if word & 7 == Opcode.ALU:
            word = word & ~(7 << 108) | rng.randrange(5) << 108
        words += word.to_bytes(16, "little")
    image = memory_image(seed, [MicroOp(n, n, n) for n in range(12)])
    assert check(bytes(words)) != []
    assert check(bytes(words), dram=image) != []
