"""Streams whose tokens and proofs are known are neither planned nor checked again; others are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vtac
from vtac.files.user_cache import VARIABLE
from vtac.targets.vta.isa import (
    Alu,
    AluOpcode,
    Finish,
    Instruction,
    Load,
    Memory,
    Opcode,
    decode,
    encode,
)
from vtac.targets.vta.linking import known_streams
from vtac.targets.vta.linking.known_streams import KnownStreams
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.proof import Finding, check
from vtac.targets.vta.stream.dataflow import Placed, plan_tokens
from vtac.targets.vta.stream.footprints import Issued
from vtac.workloads.vadd import VectorAdd


def _network(first: int) -> str:
    """A product with weights of which the first is given."""
    numbers = [first, *(number % 100 - 50 for number in range(7, 7 * 256, 7))]
    rows = ", ".join(str(numbers[at : at + 16]) for at in range(0, 256, 16))
    return f"""
func.func @net(%x: tensor<4x16xi8>) -> tensor<4x16xi32> {{
  %w = arith.constant dense<[{rows}]> : tensor<16x16xi8>
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : tensor<4x16xi32>
  %start = linalg.fill ins(%zero : i32) outs(%empty : tensor<4x16xi32>) -> tensor<4x16xi32>
  %sums = linalg.matmul ins(%x, %w : tensor<4x16xi8>, tensor<16x16xi8>) outs(%start : tensor<4x16xi32>)
    -> tensor<4x16xi32>
  func.return %sums : tensor<4x16xi32>
}}
"""


ROW = (Memory.INP, 0, 0, 1, 4, 4, 0, 0, 0, 0)
ISSUED = [Issued(Opcode.LOAD, ROW, 1, None)]
NO_MICRO_OPS = np.zeros((0, 3), np.int64)


@pytest.fixture
def known(tmp_path: Path) -> KnownStreams:
    return KnownStreams(tmp_path)


@pytest.fixture
def program() -> Program:
    layer = VectorAdd()
    return vtac.compile(f"{layer.text()}\n{layer.schedule()}").stream


def _must_not(what: str) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise AssertionError(what)

    return fail


def _finds_nothing(*_: object, **__: object) -> list[Finding]:
    return []


def _records(folder: Path) -> list[Path]:
    return sorted((folder / "streams").iterdir())


def test_the_stream_of_other_weights_is_neither_planned_nor_checked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    first = vtac.compile(_network(1))
    assert len(_records(tmp_path)) == 2
    for name in ("plan_tokens", "check"):
        monkeypatch.setattr(known_streams, name, _must_not(name))
    other = vtac.compile(_network(2))
    assert other.stream.constants != first.stream.constants
    assert (other.stream.instructions, other.stream.micro_ops) == (first.stream.instructions, first.stream.micro_ops)


def test_what_is_read_is_what_was_planned(known: KnownStreams, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = known.plan(ISSUED, NO_MICRO_OPS, vtac.VTAConfig())
    assert planned == plan_tokens(ISSUED, NO_MICRO_OPS, vtac.VTAConfig())
    monkeypatch.setattr(known_streams, "plan_tokens", _must_not("planned again"))
    assert known.plan(ISSUED, NO_MICRO_OPS, vtac.VTAConfig()) == planned


def test_other_instructions_and_other_hardware_are_planned(
    known: KnownStreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.plan(ISSUED, NO_MICRO_OPS, vtac.VTAConfig())
    asked: list[object] = []

    def planned(*given: object) -> list[Placed]:
        asked.append(given)
        return []

    monkeypatch.setattr(known_streams, "plan_tokens", planned)
    known.plan([ISSUED[0]._replace(row=(*ROW[:2], 8, *ROW[3:]))], NO_MICRO_OPS, vtac.VTAConfig())
    known.plan(ISSUED * 2, NO_MICRO_OPS, vtac.VTAConfig())
    known.plan(ISSUED, np.array([[0, 0, 0]]), vtac.VTAConfig())
    known.plan(ISSUED, NO_MICRO_OPS, vtac.VTAConfig(queue_depth=256))
    assert len(asked) == 4


@pytest.mark.parametrize("damage", ["", "not a record\n", None])
def test_a_damaged_record_is_planned_again(known: KnownStreams, tmp_path: Path, damage: str | None) -> None:
    planned = known.plan(ISSUED, NO_MICRO_OPS, vtac.VTAConfig())
    (record,) = _records(tmp_path)
    record.write_text(record.read_text()[:-3] if damage is None else damage)
    assert known.plan(ISSUED, NO_MICRO_OPS, vtac.VTAConfig()) == planned


def test_a_proof_is_found_again(known: KnownStreams, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    assert known.findings(program, acc_8bit=False) == []
    monkeypatch.setattr(known_streams, "check", _must_not("checked again"))
    assert known.findings(program, acc_8bit=False) == []


def test_what_is_not_proven_is_looked_at_each_time(known: KnownStreams, program: Program, tmp_path: Path) -> None:
    words = decode(program.instructions, program.config)
    broken = replace(program, instructions=encode([*words[:-2], Finish()], program.config))
    expected = check(broken)
    assert expected
    for _ in range(2):
        assert known.findings(broken, acc_8bit=False) == expected
    assert not (tmp_path / "streams").exists()


def test_a_proof_is_of_one_stream_with_its_micro_ops_and_buffers(
    known: KnownStreams, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.findings(program, acc_8bit=False)
    asked: list[object] = []

    def checked(given: Program, *, acc_8bit: bool) -> list[Finding]:
        asked.append((given, acc_8bit))
        return []

    monkeypatch.setattr(known_streams, "check", checked)
    moved = tuple(replace(buffer, role="scratch") for buffer in program.buffers[:-1])
    known.findings(replace(program, micro_ops=program.micro_ops[::-1]), acc_8bit=False)
    known.findings(replace(program, buffers=(*moved, program.buffers[-1])), acc_8bit=False)
    known.findings(program, acc_8bit=True)
    assert len(asked) == 3


@pytest.mark.parametrize(
    "instruction",
    [
        Load(Memory.UOP, 0, 0, 1, 1, 1),
        Alu(AluOpcode.SHR, False, 0, 0, 1, 1, 1, 0, 0, 0, 0),
    ],
    ids=["micro-ops from elsewhere", "shifts by numbers in memory"],
)
def test_what_depends_on_the_numbers_in_memory_is_looked_at_each_time(
    known: KnownStreams, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instruction: Instruction
) -> None:
    words = decode(program.instructions, program.config)
    changed = replace(program, instructions=encode([instruction, *words], program.config))
    monkeypatch.setattr(known_streams, "check", _finds_nothing)
    known.findings(changed, acc_8bit=False)
    assert not (tmp_path / "streams").exists()
