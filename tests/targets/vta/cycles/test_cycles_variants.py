"""Cycles of other configurations against their RTL: encodings, blocks of two sizes, short queues, long bursts."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, cast

import pytest

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.errors import CycleError
from vtac.targets.vta.cycles import Timing
from vtac.targets.vta.isa import disassemble
from vtac.targets.vta.isa.assemble import assemble

DATA = Path(__file__).resolve().parents[3] / "data" / "rtl_variants.json"


class Measured(NamedTuple):
    """A random program, what it ran on, and the cycles that the RTL took."""

    instructions: bytes
    config: VTAConfig
    timing: Timing
    cycles: int


def _read(record: dict[str, object]) -> Measured:
    timing = cast("dict[str, int]", record["timing"])
    fields = cast("dict[str, object]", record["fields"]) | {
        "LOG_BLOCK_IN": cast(int, record["block_in"]).bit_length() - 1,
        "LOG_BLOCK_OUT": cast(int, record["block_out"]).bit_length() - 1,
        "ENCODING": "chisel" if record["chisel"] else "derived",
        "QUEUE_DEPTH": timing["queue_depth"],
    }
    return Measured(
        zlib.decompress(base64.b64decode(cast(str, record["insn"]))),
        VTAConfig.from_fields(fields),
        Timing(memory_latency=timing["memory_latency"], burst_beats=timing["burst_beats"]),
        cast(int, record["cycles"]),
    )


PROGRAMS = [_read(record) for record in json.loads(DATA.read_text(encoding="utf-8"))["programs"]]


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_cycles_are_those_of_the_rtl(number: int) -> None:
    program = PROGRAMS[number]
    assert vtac.simulate_cycles(program.instructions, program.config, program.timing).cycles == program.cycles


def test_the_programs_differ_in_what_is_tested() -> None:
    configs = {program.config for program in PROGRAMS}
    assert {(config.block_in, config.block_out) for config in configs} == {(16, 16), (32, 32), (16, 64), (64, 16)}
    assert {config.queue_depth for config in configs} == {32, 64, 512}
    assert {config.encoding for config in configs} == {"chisel", "derived"}


def test_their_words_are_those_of_their_encoding() -> None:
    """Read with other widths, the same bytes are another program."""
    for program in PROGRAMS:
        text = disassemble(program.instructions, program.config)
        assert assemble(text, program.config) == program.instructions


def test_queues_and_bursts_of_the_configuration_limit_those_of_the_board() -> None:
    program = PROGRAMS[-1]
    one_burst = replace(program.config, outstanding_bursts=1)
    assert vtac.simulate_cycles(program.instructions, one_burst, program.timing).cycles > program.cycles
    with pytest.raises(CycleError, match="fetch waits for room in the queue of compute"):
        vtac.simulate_cycles(program.instructions, replace(program.config, queue_depth=2), program.timing)
