"""Loads of what is on chip already are left out: what a stream stores is what its calls store one after another."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.isa import Memory
from vtac.targets.vta.isa.instructions import AluOpcode
from vtac.targets.vta.machine import execute
from vtac.targets.vta.stream.stream_builder import LOAD, StreamBuilder

CONFIG = VTAConfig(log_inp_buff_size=8, log_wgt_buff_size=12, log_acc_buff_size=10)
"""16 input tiles, 16 weight tiles, 16 accumulator tiles."""
UOPS = 1 << 16
Call: TypeAlias = "tuple[str, int, int, int]"
"""`inp`, `wgt` and `out`: the first tile on chip, the first in DRAM, and how many; `gemm`: dst, src and wgt."""
TILES = {"inp": (Memory.INP, 16), "wgt": (Memory.WGT, 256)}


def _three(dst: int, src: int, wgt: int) -> list[tuple[int, int, int]]:
    return [(dst, src, wgt)]


def _in_place(at: int) -> list[tuple[int, int, int]]:
    return [(at, at, 0)]


def _one_by_one(calls: list[Call], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The memory image after the calls, in their order."""
    found = image.copy()
    inp, wgt = np.zeros((16, 16), np.int8), np.zeros((16, 16, 16), np.int8)
    acc = np.zeros((16, 16), np.int32)
    for kind, first, second, third in calls:
        if kind == "gemm":
            acc[first] = (wgt[third].astype(np.int32) @ inp[second]) >> 4
        elif kind == "out":
            found[16 * second : 16 * (second + third)] = acc[first : first + third].astype(np.uint8).reshape(-1)
        else:
            held, size = (inp, 16) if kind == "inp" else (wgt, 256)
            data = found[size * second : size * (second + third)].view(np.int8)
            held[first : first + third] = data.reshape(third, *held.shape[1:])
    return found


def _as_stream(calls: list[Call], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The memory image after the stream that the calls make."""
    stream = StreamBuilder(CONFIG, UOPS, 2048)
    for kind, first, second, third in calls:
        if kind == "gemm":
            tiles = (first, second, third)
            stream.gemm(1, (first, 0, 0), _three, True, (1, 1, 0, 0, 0, 0, 0, 0))
            stream.gemm(2, tiles, _three, False, (1, 1, 0, 0, 0, 0, 0, 0))
            stream.alu(3, (first,), _in_place, AluOpcode.SHR, 4, (1, 1, 0, 0, 0, 0))
        elif kind == "out":
            stream.store(0, (Memory.OUT, first, second, 1, third, third, 0, 0, 0, 0))
        else:
            stream.load(0, LOAD, (TILES[kind][0], first, second, 1, third, third, 0, 0, 0, 0))
    stream.finish_dataflow(9)
    micro_ops = np.frombuffer(stream.encoded_micro_ops(), np.uint8)
    whole = np.concatenate([image, micro_ops])
    execute(stream.instructions(), whole, CONFIG)
    return whole[: len(image)]


def _drawn(kind: str) -> st.SearchStrategy[Call]:
    """A load or store of up to 8 tiles, of and to the same part of DRAM."""
    last = 1 if kind == "wgt" else 16
    return st.tuples(st.just(kind), st.sampled_from((0, 2)), st.integers(0, last), st.integers(1, 6))


CALLS = st.lists(
    st.one_of(
        _drawn("inp"),
        _drawn("wgt"),
        _drawn("out"),
        st.tuples(st.just("gemm"), *[st.integers(0, 7)] * 3),
    ),
    min_size=12,
    max_size=40,
)


@settings(max_examples=150)
@given(CALLS)
def test_streams_store_what_their_calls_store(calls: list[Call]) -> None:
    image = np.random.default_rng(len(calls)).integers(0, 256, UOPS, dtype=np.uint8)
    np.testing.assert_array_equal(_as_stream(calls, image), _one_by_one(calls, image))


def test_tiles_behind_a_shorter_load_are_forgotten_when_they_are_stored_to() -> None:
    calls: list[Call] = [
        ("wgt", 0, 0, 1),
        ("inp", 0, 20, 8),
        ("inp", 0, 40, 2),  # tiles 2 to 7 hold what they held
        ("gemm", 5, 0, 0),
        ("out", 5, 24, 1),
        ("inp", 4, 24, 1),
        ("gemm", 6, 4, 0),
        ("out", 6, 50, 1),
    ]
    image = np.random.default_rng(0).integers(0, 256, UOPS, dtype=np.uint8)
    np.testing.assert_array_equal(_as_stream(calls, image), _one_by_one(calls, image))
