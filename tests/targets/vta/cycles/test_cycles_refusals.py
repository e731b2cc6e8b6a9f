"""Streams that have no cycle count end in one clear error, and end."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
from cycle_programs import (
    BOTH_POPS,
    POP_NEXT,
    POP_PREV,
    PUSH_NEXT,
    PUSH_PREV,
    compute_nop,
    conv2d,
    load_nop,
    store_nop,
    vadd,
)

from vtac.dialects.hardware import VTAConfig
from vtac.errors import ExecutionError
from vtac.targets.vta.cycles import CycleError, simulate_cycles
from vtac.targets.vta.isa import Finish, Instruction, Load, Memory, encode

CONFIG = VTAConfig()


def refuse(instructions: list[Instruction], kind: str, index: int | None, *fragments: str) -> None:
    with pytest.raises(CycleError) as caught:
        simulate_cycles(encode(instructions, CONFIG), CONFIG)
    assert (caught.value.kind, caught.value.index) == (kind, index)
    for fragment in fragments:
        assert fragment in caught.value.message


def test_finish_must_be_there_and_last() -> None:
    refuse([compute_nop()], "finish", 0, "instruction 0 ends the stream, and is no FINISH")
    refuse([Finish(), compute_nop(), Finish()], "finish", 1, "instruction 1 follows the FINISH at 0")
    refuse([], "finish", None, "the stream is empty")


def test_deadlock_says_who_waits_for_what() -> None:
    refuse(
        [load_nop(POP_NEXT), compute_nop(BOTH_POPS), store_nop(PUSH_PREV), Finish()],
        "deadlock",
        0,
        "FINISH is never reached",
        "load at instruction 0 waits for a token in queue g2l",
        "compute at instruction 1 waits for a token in queue l2g",
    )
    refuse(
        [compute_nop(BOTH_POPS), store_nop(POP_PREV), Finish()],
        "deadlock",
        0,
        "compute at instruction 0 waits for a token in queue l2g and s2g",
        "store at instruction 1 waits for a token in queue g2s",
    )


def test_full_queue_deadlock_names_fetch() -> None:
    """Fetch stands before the 513th store, and the token for the first comes behind it."""
    stores: list[Instruction] = [store_nop(POP_PREV), *[store_nop()] * 512]
    refuse(
        [*stores, compute_nop(PUSH_NEXT), Finish()], "deadlock", 0, "fetch waits for room in the queue of store", "512"
    )
    assert simulate_cycles(encode([*stores[:-1], compute_nop(PUSH_NEXT), Finish()], CONFIG), CONFIG).cycles > 0


def test_load_of_no_rows_never_ends() -> None:
    load = Load(Memory.WGT, 0, 0, 0, 4, 4, dependences=PUSH_NEXT)
    refuse([load, compute_nop(POP_PREV), Finish()], "hang", 0, "y_size 0 and x_size not 0", "never ends")


def test_unneeded_endless_load_does_not_stop_finish() -> None:
    load = Load(Memory.WGT, 0, 0, 0, 4, 4)
    report = simulate_cycles(encode([load, Finish()], CONFIG), CONFIG)
    assert report.cycles == 28
    assert report.units["load"].busy > 0


def test_tokens_beyond_the_counter() -> None:
    pushes: list[Instruction] = [load_nop(PUSH_NEXT)] * 256
    refuse([*pushes, Finish()], "tokens", 255, "posts to queue l2g", "holds 255 tokens")
    assert simulate_cycles(encode([*pushes[1:], Finish()], CONFIG), CONFIG).cycles > 0
    balanced = [instruction for push in pushes for instruction in (push, compute_nop(POP_PREV))]
    assert simulate_cycles(encode([*balanced, Finish()], CONFIG), CONFIG).cycles > 0


def test_loads_that_no_memory_takes() -> None:
    refuse([Load(Memory.OUT, 0, 0, 1, 1, 1), Finish()], "memory", 0, "LOAD OUT is executed by no unit")
    refuse(
        [Load(Memory.INP, 0, 0, 100, 100, 100), Finish()],
        "sram-range",
        0,
        "LOAD INP of 10000 elements",
        "the memory holds 2048",
    )


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        (b"\0" * 17, "length", "cannot decode the stream: the stream has 17 bytes"),
        (b"\7" + b"\0" * 15, "opcode", "unknown opcode 7"),
        ((7 << 7).to_bytes(16, "little"), "memory", "unknown memory id 7"),
    ],
)
def test_bytes_that_are_no_stream(data: bytes, kind: str, message: str) -> None:
    with pytest.raises(ExecutionError, match=re.escape(message)) as caught:
        simulate_cycles(data, CONFIG)
    assert caught.value.kind == kind


def test_random_bytes_end() -> None:
    rng = random.Random(7)
    finish = encode([Finish()], CONFIG)
    for _ in range(300):
        words = [rng.randrange(5) | rng.getrandbits(125) << 3 for _ in range(rng.randint(0, 30))]
        data = b"".join(word.to_bytes(16, "little") for word in words) + finish
        try:
            assert simulate_cycles(data, CONFIG).cycles > 0
        except CycleError as error:
            assert error.message


def test_truncated_and_cut_programs() -> None:
    stream = encode(conv2d(), CONFIG)
    for keep in (16, 1600, 16 * 300, len(stream) - 16, len(stream) - 1):
        with pytest.raises(CycleError):
            simulate_cycles(stream[:keep], CONFIG)


@pytest.mark.parametrize(
    ("place", "waiting"),
    [(3, "store at instruction 4 waits for a token in queue g2s"), (4, "compute at instruction 6"), (5, "queue l2g")],
)
def test_lost_push_is_a_deadlock(place: int, waiting: str) -> None:
    program = vadd()
    program[place] = replace(
        program[place], dependences=replace(program[place].dependences, push_prev=False, push_next=False)
    )
    refuse(program, "deadlock", 4 if place == 3 else 6, waiting)


def test_missing_store_token() -> None:
    refuse([compute_nop(POP_NEXT), store_nop(), load_nop(), Finish()], "deadlock", 0, "queue s2g", "push")
    refuse([store_nop(PUSH_PREV), compute_nop(POP_NEXT), compute_nop(POP_NEXT), Finish()], "deadlock", 2, "queue s2g")
