"""The stream builder's bookkeeping, call by call, against the independent replay."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replay import Replay

from vtac.dialects.hardware import VTAConfig
from vtac.errors import EncodingError
from vtac.targets.vta.isa import AluOpcode, Load, Memory, decode
from vtac.targets.vta.stream.stream_builder import COMPUTE, LOAD, STORE, StreamBuilder

CONFIG = VTAConfig()
UOPS = 0x8000
QUEUES = [(LOAD, COMPUTE), (COMPUTE, LOAD), (COMPUTE, STORE), (STORE, COMPUTE)]

Call = tuple[str, int, int]

calls = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("push", "pop")), st.integers(0, 3), st.just(0)),
        st.tuples(st.sampled_from(("load", "acc", "store")), st.integers(0, 9), st.just(0)),
        st.tuples(st.sampled_from(("gemm", "alu")), st.integers(0, 2), st.integers(0, 2)),
        st.tuples(st.just("sync"), st.just(0), st.just(0)),
    ),
    max_size=40,
)


MicroOps = list[tuple[int, int, int]]


def micro_ops_of(site: int, captured: int) -> MicroOps:
    return [(site * 100 + captured * 10 + at, at, 0) for at in range(site + 1)]


def kernel(site: int) -> Callable[[int], MicroOps]:
    """A site's micro-ops, from the value captured."""
    return lambda captured: micro_ops_of(site, captured)


def origins_of(stream: StreamBuilder) -> list[tuple[int, int]]:
    """Of each instruction, the call and the site."""
    return [origin for origin, count in stream.origins for _ in range(count)]


def three_micro_ops(captured: int) -> MicroOps:
    return [(captured * 3 + at, 0, 0) for at in range(3)]


def build(stream: StreamBuilder, kind: str, first: int, second: int) -> None:
    """Make one call on the stream builder."""
    if kind in ("push", "pop"):
        (stream.push if kind == "push" else stream.pop)(0, *QUEUES[first])
    elif kind == "load":
        stream.load(0, LOAD, (Memory.INP, first, 256, 2, 3, 4, 0, 1, 0, 1))
    elif kind == "acc":
        stream.load(0, COMPUTE, (Memory.ACC, first, 64, 1, 2, 2, 0, 0, 0, 0))
    elif kind == "store":
        stream.store(0, (Memory.OUT, first, 512, 1, 1, 1, 0, 0, 0, 0))
    elif kind == "gemm":
        loops = (4, 2, 1, 4, 2, 0, 0, 3)
        stream.gemm(first, (second,), kernel(first), False, loops)
    elif kind == "alu":
        stream.alu(first + 5, (second,), kernel(first), AluOpcode.SHR, -3, (1, 6, 0, 1, 0, 1))
    else:
        stream.finish(0)


def replay(oracle: Replay, kind: str, first: int, second: int) -> None:
    """Make the same call on the oracle."""
    if kind in ("push", "pop"):
        (oracle.push if kind == "push" else oracle.pop)(*QUEUES[first])
    elif kind == "load":
        oracle.load("inp", 256, (3, 2, 4), (0, 0, 1, 1), first)
    elif kind == "acc":
        oracle.load("acc", 64, (2, 1, 2), (0, 0, 0, 0), first)
    elif kind == "store":
        oracle.store(first, 512, (1, 1, 1))
    elif kind == "gemm":
        oracle.gemm((first, second), lambda: micro_ops_of(first, second), [(4, 1, 2, 0), (2, 4, 0, 3)])
    elif kind == "alu":
        made = micro_ops_of(first, second)
        oracle.alu((first + 5, second), lambda: [(*op[:2], 0) for op in made], [(6, 1, 1, 0)], "shr", -3)
    else:
        oracle.sync()


@settings(max_examples=100)
@given(calls)
def test_any_sequence_of_calls(sequence: list[Call]) -> None:
    stream, oracle = StreamBuilder(CONFIG, UOPS, 2048), Replay(CONFIG, UOPS)
    for call in sequence:
        build(stream, *call)
        replay(oracle, *call)
    assert stream.instructions() == oracle.instructions
    assert stream.encoded_micro_ops() == oracle.micro_ops
    assert sum(count for _, count in stream.origins) == len(stream) == len(oracle.words)


def test_kernels_start_again_when_micro_ops_do_not_fit() -> None:
    stream = StreamBuilder(CONFIG, UOPS, 8)
    for captured in (0, 1, 0, 2, 0):
        stream.gemm(0, (captured,), three_micro_ops, False, (1, 1, 0, 0, 0, 0, 0, 0))
    loads = [item for item in decode(stream.instructions(), CONFIG) if isinstance(item, Load)]
    assert [(load.sram_base, load.dram_base - UOPS // 4) for load in loads] == [(0, 0), (3, 3), (0, 6), (3, 9)]
    assert len(stream.micro_ops) == 12


def test_kernels_of_two_sites_are_two_kernels() -> None:
    stream = StreamBuilder(CONFIG, UOPS, 2048)
    for site in (0, 1, 0):
        stream.gemm(site, (), lambda: [(0, 0, 0)], False, (1, 1, 0, 0, 0, 0, 0, 0))
    assert stream.micro_ops.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_values_over_their_field_are_refused() -> None:
    stream = StreamBuilder(CONFIG, UOPS, 2048)
    stream.load(0, LOAD, (Memory.INP, 0, 0, 1, 1 << 16, 1, 0, 0, 0, 0))
    with pytest.raises(EncodingError, match="x_size") as caught:
        stream.instructions()
    assert "65536" in str(caught.value)


def _loops(stream: StreamBuilder, shape: tuple[int, int], *, together: bool) -> None:
    """A load and a store for each point of a nest, with tokens around them."""
    outer, inner = np.arange(shape[0])[:, None], np.arange(shape[1])
    loads = (Memory.INP, outer * 4 + inner, 256 + outer, 1, 1 + inner, 1, 0, 0, 0, 0)
    stores = (Memory.OUT, inner, 512 + outer * 8 - inner, 1, 1, 1, 0, 0, 0, 0)
    stream.enter(7)
    stream.pop(0, COMPUTE, LOAD)
    stream.pop(1, COMPUTE, STORE)
    if together:
        stream.loads(2, LOAD, shape, loads)
        stream.stores(3, shape, stores)
    else:
        for o, i in np.ndindex(shape):
            stream.load(2, LOAD, (Memory.INP, o * 4 + i, 256 + o, 1, 1 + i, 1, 0, 0, 0, 0))
        for o, i in np.ndindex(shape):
            stream.store(3, (Memory.OUT, i, 512 + o * 8 - i, 1, 1, 1, 0, 0, 0, 0))
    stream.push(4, STORE, COMPUTE)


@pytest.mark.parametrize("finish", [StreamBuilder.finish, StreamBuilder.finish_dataflow])
@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (2, 3)])
def test_the_transfers_of_a_nest_are_those_one_by_one(
    shape: tuple[int, int], finish: Callable[[StreamBuilder, int], None]
) -> None:
    together, apart = StreamBuilder(CONFIG, UOPS, 2048), StreamBuilder(CONFIG, UOPS, 2048)
    _loops(together, shape, together=True)
    _loops(apart, shape, together=False)
    for stream in (together, apart):
        finish(stream, 5)
    assert together.instructions() == apart.instructions()
    assert origins_of(together) == origins_of(apart)


def test_a_value_over_its_field_in_a_nest_is_refused_with_its_place() -> None:
    stream = StreamBuilder(CONFIG, UOPS, 2048)
    stream.load(0, LOAD, (Memory.INP, 0, 0, 1, 1, 1, 0, 0, 0, 0))
    stream.stores(1, (4,), (Memory.OUT, np.arange(4) * (1 << 15), 0, 1, 1, 1, 0, 0, 0, 0))
    with pytest.raises(EncodingError) as caught:
        stream.instructions()
    assert str(caught.value) == (
        "cannot encode instruction 3 (STORE): field sram_base is 65536; it has 16 bits, an integer from 0 to 65535 "
        "is required"
    )
