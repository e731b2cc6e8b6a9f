"""Both paths agree on random streams: results, counters and faults; random bytes never get further than an error."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interpreter_streams import CONFIGS, DEFAULT, TINY, random_image, random_stream
from numpy.typing import NDArray
from reference_programs import reference_run

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import Alu, DecodeError, Gemm, decode
from vtac.targets.vta.machine import ExecutionError, execute, execute_reference

Run = Callable[..., dict[str, int | dict[str, int]]]
SEEDS = st.integers(0, 2**32)
_MAX_TRIPS = 1 << 12


def outcome(run: Run, data: bytes, image: NDArray[np.uint8], config: VTAConfig, strict: bool) -> tuple[object, bytes]:
    """What a run gives: its report and the memory it leaves, or its fault."""
    memory = image.copy()
    try:
        return run(data, memory, config, strict=strict), memory.tobytes()
    except ExecutionError as error:
        return (error.kind, error.index), b""


@settings(max_examples=120)
@given(
    config=st.sampled_from(CONFIGS),
    seed=SEEDS,
    length=st.sampled_from([4, 12, 30]),
    strict=st.booleans(),
)
def test_the_fast_path_agrees_with_the_reference(config: VTAConfig, seed: int, length: int, strict: bool) -> None:
    random = Random(seed)
    data = random_stream(random, config, length, hardware=strict)
    image = random_image(random, config)
    assert outcome(execute, data, image, config, strict) == outcome(execute_reference, data, image, config, strict)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])
def test_longer_streams_agree(seed: int, strict: bool) -> None:
    random = Random(seed)
    config = random.choice(CONFIGS)
    data = random_stream(random, config, 60, hardware=strict)
    image = random_image(random, config)
    assert outcome(execute, data, image, config, strict) == outcome(execute_reference, data, image, config, strict)


def test_many_streams_of_the_sample_run_to_their_end() -> None:
    """The two tests above would prove little if most streams were refused."""
    finished = 0
    for seed in range(60):
        random = Random(seed)
        data = random_stream(random, TINY, 20, hardware=seed % 2 == 1)
        result, _ = outcome(execute, data, random_image(random, TINY), TINY, seed % 2 == 1)
        finished += isinstance(result, dict)
    assert finished >= 30


def _is_long(data: bytes) -> bool:
    """Whether a stream has loops that take the reference interpreter minutes."""
    try:
        instructions = decode(data, DEFAULT)
    except DecodeError:
        return False
    kernels = [one for one in instructions if isinstance(one, Gemm | Alu)]
    return any(one.iter_out * one.iter_in * (one.uop_end - one.uop_bgn) > _MAX_TRIPS for one in kernels)


@settings(max_examples=200)
@given(data=st.binary(max_size=100), seed=SEEDS, strict=st.booleans())
def test_random_bytes_give_an_error_and_nothing_worse(data: bytes, seed: int, strict: bool) -> None:
    image = random_image(Random(seed), DEFAULT)
    runs = [outcome(run, data, image, DEFAULT, strict) for run in (execute, execute_reference)]
    assert runs[0] == runs[1]


@settings(max_examples=200)
@given(seed=SEEDS, count=st.integers(1, 6), strict=st.booleans())
def test_random_fields_give_a_result_or_an_error(seed: int, count: int, strict: bool) -> None:
    """Known opcodes, sparse random bits everywhere else, FINISH last."""
    random = Random(seed)
    words = bytearray(b"".join(_sparse_word(random) for _ in range(count)) + bytes([3]) + bytes(15))
    if _is_long(bytes(words)):
        return
    image = random_image(random, DEFAULT)
    runs = [outcome(run, bytes(words), image, DEFAULT, strict) for run in (execute, execute_reference)]
    assert runs[0] == runs[1]


def _sparse_word(random: Random) -> bytes:
    masks = random.choices([0, 0, 0, 1, 3, 255], k=16)
    word = bytearray(byte & mask for byte, mask in zip(random.randbytes(16), masks, strict=True))
    word[0] = word[0] & 0x80 | random.choice([0, 0, 1, 2, 4])
    return bytes(word)


@settings(max_examples=60)
@given(config=st.sampled_from(CONFIGS), seed=SEEDS)
def test_damaged_streams_agree(config: VTAConfig, seed: int) -> None:
    """A legal stream with a few bits turned over."""
    random = Random(seed)
    data = bytearray(random_stream(random, config, 8))
    for _ in range(3):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    if _is_long(bytes(data)):
        return
    image = random_image(random, config)
    runs = [outcome(run, bytes(data), image, config, False) for run in (execute, execute_reference)]
    assert runs[0] == runs[1]


@pytest.mark.parametrize("seed", range(8))
def test_units_in_random_order_give_one_result_when_tokens_order_them(seed: int) -> None:
    program = reference_run("vadd")
    execute_reference(program.instructions, program.image, DEFAULT, order=Random(seed))
    assert np.array_equal(program.output(program.image), program.expected)


def test_units_in_random_order_show_a_race() -> None:
    """Without its tokens the store may run before what it stores is there."""
    bits = bytearray(reference_run("vadd").instructions)
    for at in range(0, len(bits), 16):
        bits[at] &= 0x87
    results: set[bytes] = set()
    for seed in range(8):
        image = reference_run("vadd").image
        execute_reference(bytes(bits), image, DEFAULT, order=Random(seed))
        results.add(image.tobytes())
    assert len(results) > 1
