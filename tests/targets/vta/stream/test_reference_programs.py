"""The three reference programs: digests, counters, and equality with the reference runtime's streams."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import numpy as np
import pytest
from reference_programs import COUNTERS, micro_ops_of, stream_of
from replay import Replay
from replay_conv2d import replay_conv2d
from replay_programs import replay_matmul, replay_vadd

import vtac
from vtac.targets.vta.isa import Dependences, Finish, Load, Memory, decode
from vtac.targets.vta.programs.program import Program
from vtac.workloads import reference
from vtac.workloads.conv2d import Conv2D, Conv2DTiling
from vtac.workloads.matmul import Matmul, MatmulTiling
from vtac.workloads.vadd import VectorAdd

WORKLOADS = {"vadd": VectorAdd(), "gemm": Matmul(), "conv2d": Conv2D()}
REPLAYS: dict[str, Callable[[], Replay]] = {
    "vadd": lambda: replay_vadd(VectorAdd(), None),
    "gemm": lambda: replay_matmul(Matmul(), MatmulTiling()),
    "conv2d": lambda: replay_conv2d(Conv2D(), Conv2DTiling()),
}
DIGESTS = {
    "vadd": "b6abc75e35ebb3324b757e1b29960e5a0e5e8edba8d5c2fb89ba96e6cfa82f15",
    "gemm": "445d85f273d9aa2e7149a271f1782a409e5cd8a124ace62777e6c277cb918908",
    "conv2d": "49f91529940c2c5cad7ff41c47bbad2c7bd2f459b5257c9a3012c8d93755f5bf",
}
"""Of the instructions followed by the micro-ops."""


@pytest.fixture(scope="module", params=WORKLOADS)
def named(request: pytest.FixtureRequest) -> tuple[str, Program]:
    """A reference program's name, and our compilation of it."""
    layer = WORKLOADS[request.param]
    return request.param, vtac.compile(layer.text(), schedule=layer.schedule()).stream


def test_digest(named: tuple[str, Program]) -> None:
    name, program = named
    assert sha256(program.instructions + program.micro_ops).hexdigest() == DIGESTS[name]


def test_replay_agrees(named: tuple[str, Program]) -> None:
    name, program = named
    replay = REPLAYS[name]()
    assert (program.instructions, program.micro_ops) == (replay.instructions, replay.micro_ops)


def test_stream_is_the_reference_runtimes(named: tuple[str, Program]) -> None:
    name, program = named
    assert program.micro_ops == micro_ops_of(name)
    if name != "gemm":
        assert program.instructions == stream_of(name)
        return
    assert program.instructions[: 140 * 16] == stream_of(name)[: 140 * 16]
    first, second, last = decode(program.instructions[140 * 16 :], program.config)
    assert first == Load(Memory.UOP, 0, 0, 0, 0, 0, dependences=Dependences(pop_next=True))
    assert second == Load(Memory.UOP, 0, 0, 0, 0, 0, dependences=Dependences(pop_prev=True, pop_next=True))
    assert last == Finish()


def test_counters_and_safety(named: tuple[str, Program]) -> None:
    name, program = named
    random = np.random.default_rng(1)
    arrays = [random.integers(-128, 128, buffer.shape).astype(buffer.dtype) for buffer in program.arguments]
    program(*arrays)
    stats = {key: value for key, value in program.stats.items() if key != "cycles" and value}
    assert stats == COUNTERS[name]
    assert vtac.check(program) == []


def test_results_equal_numpy() -> None:
    random = np.random.default_rng(2)
    layer = Conv2D()
    data = random.integers(-128, 128, (1, 256, 14, 14)).astype(np.int8)
    kernel = random.integers(-128, 128, (256, 256, 3, 3)).astype(np.int8)
    program = vtac.compile(layer.text(), schedule=layer.schedule())
    result = program(reference.pack_images(data, 1, 16), reference.pack_images(kernel, 16, 16))  # pyright: ignore[reportArgumentType]
    assert np.array_equal(result, reference.pack_images(reference.conv2d(layer, data, kernel), 1, 16))
