"""Race findings, against all interleavings of random programs whose tokens are taken away one by one."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from checker_states import explore
from checker_streams import (
    CONFIG,
    UOP,
    Bit,
    Program,
    orders,
    token_pairs,
    touched,
    with_bit,
    without_pair,
)
from random_streams import random_program

from vtac.targets.vta.isa import decode_micro_ops
from vtac.targets.vta.proof import Finding, check

THRIFT = (0.2, 0.8, 1.0)


def sample(seed: int) -> Program:
    return random_program(seed, length=random.Random(seed).randint(8, 28), thrift=THRIFT[seed % 3])


def findings(program: Program) -> list[Finding]:
    return check(program.data, program.config, dram=program.image)


def racing_pairs(program: Program) -> set[tuple[int, int]]:
    """The pairs of instructions that can start together and touch a common tile that one of them writes."""
    micro_ops = decode_micro_ops(program.image[UOP : UOP + 48].tobytes(), CONFIG)
    tiles = [touched(instruction, micro_ops) for instruction in program.instructions]
    pairs, _, _ = explore(program.instructions)
    return {
        (one, other)
        for one, other in pairs
        if tiles[one][1] & (tiles[other][0] | tiles[other][1]) or tiles[one][0] & tiles[other][1]
    }


@pytest.mark.parametrize("seed", range(30))
def test_random_legal_programs_are_clean_and_deterministic(seed: int) -> None:
    program = sample(seed)
    assert findings(program) == []
    assert racing_pairs(program) == set()
    assert len({program.run(order) for order in orders(6)}) == 1


@pytest.mark.parametrize("seed", range(30))
def test_a_deleted_token_is_reported_exactly_when_a_race_appears(seed: int) -> None:
    """What is not reported is shown harmless: every interleaving gives the same memory."""
    program = sample(seed)
    expected = program.run()
    for pair in token_pairs(program.instructions):
        changed = without_pair(program, pair)
        found = findings(changed)
        races = {(finding.first, finding.second) for finding in found if finding.kind == "race"}
        actual = racing_pairs(changed)
        assert races <= actual
        assert bool(races) == bool(actual)
        if not found:
            assert {changed.run(order) for order in orders(8)} == {expected}


@pytest.mark.parametrize("seed", range(10))
def test_a_lone_push_or_pop_is_always_reported(seed: int) -> None:
    program = sample(seed)
    for pusher, push, popper, pop in token_pairs(program.instructions):
        assert "deadlock" in _kinds_without(program, pusher, push)
        assert "tokens" in _kinds_without(program, popper, pop)


def _kinds_without(program: Program, index: int, bit: Bit) -> list[str]:
    instructions = list(program.instructions)
    instructions[index] = with_bit(instructions[index], bit, False)
    return [finding.kind for finding in findings(replace(program, instructions=instructions))]


def test_reported_races_do_change_results() -> None:
    """Not each one in a few random runs, but many: the findings are not idle."""
    changed_results = reported = 0
    for seed in range(12):
        program = sample(seed)
        expected = program.run()
        for pair in token_pairs(program.instructions):
            changed = without_pair(program, pair)
            if any(finding.kind == "race" for finding in findings(changed)):
                reported += 1
                changed_results += {changed.run(order, strict=False) for order in orders(8)} != {expected}
    assert reported > 20
    assert changed_results > reported // 8
