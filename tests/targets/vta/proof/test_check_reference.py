"""The reference compiler's own streams: what is clean stays clean, and each token of them matters or is idle."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from checker_streams import CONFIG, Program, orders, token_pairs, without_pair

from vtac.targets.vta.isa import decode
from vtac.targets.vta.machine import execute
from vtac.targets.vta.proof import Finding, check

STREAMS = Path(__file__).parents[3] / "data" / "reference_streams"

# Byte address of the micro-ops and size of the memory.
LAYOUTS = {"vadd": (16384, 32768), "gemm": (1060864, 1 << 21), "conv2d": (700416, 1 << 20)}


@cache
def reference(name: str) -> Program:
    """A stream on random data."""
    address, size = LAYOUTS[name]
    image = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    words = np.frombuffer((STREAMS / name / "uop.bin").read_bytes(), np.uint8)
    image[address : address + len(words)] = words
    return Program(decode((STREAMS / name / "insn.bin").read_bytes(), CONFIG), image)


def findings(program: Program) -> list[Finding]:
    return check(program.data, CONFIG, dram=program.image)


def result(program: Program, order: random.Random | None = None) -> bytes:
    if order is not None:
        return program.run(order, strict=False)
    image = program.image.copy()
    execute(program.data, image, CONFIG)
    return image.tobytes()


@pytest.mark.parametrize("name", ["vadd", "conv2d"])
def test_clean_streams(name: str) -> None:
    assert findings(reference(name)) == []


def test_gemm_leaves_one_token() -> None:
    (finding,) = findings(reference("gemm"))
    assert (finding.kind, finding.first, finding.second, finding.buffer) == ("tokens", 137, None, "s2g")
    assert finding.message == (
        "queue s2g keeps 1 token after FINISH; a finished program must leave every queue empty: of 6, the one that "
        "store #137 `store.uop nop push_prev` pushes is taken by no pop_next of the compute unit"
    )


@pytest.mark.parametrize("name", ["vadd", "gemm"])
def test_every_deleted_token_is_reported_or_harmless(name: str) -> None:
    program = reference(name)
    known = {finding.kind for finding in findings(program)}
    expected = result(program)
    reported = harmless = 0
    for pair in token_pairs(program.instructions):
        changed = without_pair(program, pair)
        if {finding.kind for finding in findings(changed)} != known:
            reported += 1
            continue
        harmless += 1
        assert {result(changed, order) for order in orders(4)} == {expected}
    assert (reported, harmless) == {"vadd": (2, 1), "gemm": (36, 10)}[name]


def test_deleted_tokens_of_a_convolution() -> None:
    """Every sixth token; one that is not reported is shown harmless."""
    program = reference("conv2d")
    pairs = token_pairs(program.instructions)
    assert len(pairs) == 144
    quiet = [pair for pair in pairs[::6] if not findings(without_pair(program, pair))]
    assert len(quiet) == 3
    assert result(without_pair(program, quiet[0]), orders(1)[0]) == result(program)


def test_a_race_of_the_convolution_names_both_sides() -> None:
    """Input tiles are loaded for the next step while a GEMM still reads them."""
    program = reference("conv2d")
    pair = next(pair for pair in token_pairs(program.instructions) if pair[:2] == (11, "push_prev"))
    finding = findings(without_pair(program, pair))[0]
    assert (finding.kind, finding.first, finding.second, finding.buffer) == ("race", 11, 14, "inp")
    assert finding.range == (0, 144)
    assert finding.message.endswith("a token from compute to load after #11 and before #14 is missing")
