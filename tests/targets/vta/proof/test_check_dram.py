"""DRAM blocks and DRAM races, against sets of bytes and every interleaving."""

from __future__ import annotations

import random

from checker_states import explore
from checker_streams import CONFIG, NOPS, QUEUE_BITS, with_bit
from hypothesis import given, settings
from hypothesis import strategies as st

from vtac.targets.vta.isa import Finish, Instruction, Load, Memory, Store, Unit, encode, unit_of
from vtac.targets.vta.proof import check
from vtac.targets.vta.proof.dram import Block, DramMap, block_of, overlap
from vtac.targets.vta.stream.layout import Buffer

blocks = st.builds(Block, st.integers(0, 60), st.integers(1, 6), st.integers(1, 9), st.integers(0, 15))


def bytes_of(block: Block) -> set[int]:
    return {block.start + row * block.stride + byte for row in range(block.rows) for byte in range(block.row_bytes)}


@settings(max_examples=400)
@given(blocks, blocks)
def test_overlap_is_that_of_the_bytes(one: Block, other: Block) -> None:
    common = bytes_of(one) & bytes_of(other)
    span = overlap(one, other)
    assert (span is not None) == bool(common)
    assert span is None or set(range(*span)) <= common


def test_a_block_counts_elements_of_its_memory() -> None:
    assert block_of(Load(Memory.WGT, 0, 3, 2, 4, 8), CONFIG) == Block(3 * 256, 2, 4 * 256, 8 * 256)
    assert block_of(Load(Memory.ACC_8BIT, 0, 3, 1, 4, 8), CONFIG) == Block(3 * 16, 1, 4 * 16, 8 * 16)
    assert block_of(Store(Memory.OUT, 0, 3, 5, 4, 4), CONFIG) == Block(3 * 16, 1, 20 * 16, 4 * 16)
    assert block_of(Load(Memory.INP, 0, 3, 5, 0, 4), CONFIG) is None


@settings(max_examples=200)
@given(blocks, st.lists(st.tuples(st.integers(0, 60), st.integers(1, 60)), min_size=1, max_size=4))
def test_a_row_lies_in_one_buffer_also_where_buffers_share_addresses(
    block: Block, places: list[tuple[int, int]]
) -> None:
    memory = DramMap(None, [Buffer(f"b{n}", "scratch", "int8", (size,), at) for n, (at, size) in enumerate(places)])
    rows = [(start, start + block.row_bytes) for start in block.row_starts().tolist()]
    inside = all(any(at <= start and end <= at + size for at, size in places) for start, end in rows)
    assert (memory.outside(block) is None) == inside


def random_transfers(seed: int) -> list[Instruction]:
    """Loads and stores of a few DRAM tiles, with tokens in stream order."""
    rng = random.Random(seed)
    instructions: list[Instruction] = []
    for _ in range(rng.randint(3, 10)):
        block = (rng.randrange(12), rng.randint(1, 2), rng.randint(1, 2), rng.randint(1, 4))
        draws: list[Instruction] = [
            Load(Memory.INP, 0, *block),
            Store(Memory.OUT, 0, *block),
            Load(Memory.UOP, 0, block[0] * 4, 1, 4, 4),
            NOPS[rng.choice(list(Unit))],
        ]
        instructions.append(rng.choice(draws))
    for _ in range(rng.randint(0, 5)):
        (producer, consumer), (push, pop) = rng.choice(list(QUEUE_BITS.items()))
        sources = [i for i, x in enumerate(instructions) if unit_of(x) is producer and not getattr(x.dependences, push)]
        if sources:
            early = rng.choice(sources)
            targets = [i for i, x in enumerate(instructions) if unit_of(x) is consumer and i > early]
            late = next((i for i in targets if not getattr(instructions[i].dependences, pop)), None)
            if late is not None:
                instructions[early] = with_bit(instructions[early], push, True)
                instructions[late] = with_bit(instructions[late], pop, True)
    return [*instructions, Finish()]


def racing_transfers(instructions: list[Instruction]) -> set[tuple[int, int]]:
    """The pairs of a load and a store that can start together and touch a common byte."""
    touched = [_bytes(instruction) for instruction in instructions]
    pairs, _, _ = explore(instructions)
    stores = {i for i, instruction in enumerate(instructions) if isinstance(instruction, Store)}
    return {(a, b) for a, b in pairs if (a in stores) != (b in stores) and touched[a] & touched[b]}


def _bytes(instruction: Instruction) -> set[int]:
    block = block_of(instruction, CONFIG) if isinstance(instruction, Load | Store) else None
    return set() if block is None else bytes_of(block)


def test_dram_races_are_those_of_some_interleaving() -> None:
    races = 0
    for seed in range(300):
        instructions = random_transfers(seed)
        found = {(f.first, f.second) for f in check(encode(instructions, CONFIG)) if f.kind == "dram-race"}
        actual = racing_transfers(instructions)
        assert found <= actual
        assert bool(found) == bool(actual)
        races += bool(actual)
    assert 50 < races < 250
