"""Buffers between kernels share memory only where none still needs what they hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from network_runs import compile_network, image_for, networks
from numpy.typing import NDArray

import vtac
from vtac.errors import ProgramError
from vtac.targets.vta.isa import Load, Store
from vtac.targets.vta.machine.stream import decode_stream
from vtac.targets.vta.programs.arrays import Array
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.stream.layout import Buffer
from vtac.workloads.networks.network import Network


def deep_network() -> Network:
    """Enough layers that early buffers are used again; one residual keeps its operand alive across two."""
    network = Network("deep", (1, 20, 7, 7), seed=4)
    value = network.convolution(network.input, "a", 24, 3)
    value = network.convolution(value, "b", 40, 3)
    inner = network.convolution(value, "c", 17, 1)
    value = network.convolution(inner, "d", 40, 3, residual=value)
    value = network.convolution(value, "e", 24, 3, 2)
    network.convolution(value, "f", 8, 1)
    return network


class Poison:
    """As progress of a run: noise over each scratch buffer as soon as its last reader has read it.

    Bytes that another kernel has stored to since are left alone.
    """

    def __init__(self, program: Program, image: NDArray[np.uint8]) -> None:
        self.image = image
        self.random = np.random.default_rng(0)
        self.poisoned = 0
        kernels = [origin.kernel for origin in program.origins]
        self.owner: NDArray[np.int64] = np.full(len(image), -1)
        names = [kernel.name for kernel in program.kernels]
        self.stores: list[tuple[int, int, NDArray[np.int64]]] = []
        last: dict[str, int] = {}
        size = program.config.out_element_bytes
        for position, instruction in enumerate(decode_stream(program.instructions, program.config).instructions):
            if isinstance(instruction, Store):
                rows = np.arange(instruction.y_size)[:, None] * instruction.x_stride + np.arange(instruction.x_size)
                tiles = (instruction.dram_base + rows).reshape(-1, 1) * size + np.arange(size)
                self.stores.append((position, names.index(kernels[position]), tiles.reshape(-1)))
            elif isinstance(instruction, Load):
                last[kernels[position]] = position
        self.deaths = sorted(
            (max(last[kernel.name] for kernel in program.kernels if buffer.name in kernel.reads), writer, buffer)
            for buffer in program.buffers
            if buffer.role == "scratch"
            for writer, written in enumerate(program.kernels)
            if buffer.name in written.writes
        )[::-1]

    def __call__(self, done: int, total: int) -> None:
        while self.stores and self.stores[0][0] < done:
            _, writer, places = self.stores.pop(0)
            self.owner[places] = writer
        while self.deaths and self.deaths[-1][0] < done:
            _, writer, buffer = self.deaths.pop()
            places = np.arange(buffer.address, buffer.address + buffer.nbytes)
            dead = places[self.owner[places] == writer]
            self.image[dead] = self.random.integers(0, 256, len(dead), dtype=np.uint8)
            self.poisoned += 1


def run_poisoned(program: Program, arrays: tuple[Array, ...]) -> tuple[tuple[Array, ...], int]:
    """Results of a run in which scratch memory is noise before its use and after it."""
    image = program.memory_image(arrays)
    for buffer in program.buffers:
        if buffer.role == "scratch":
            image[buffer.address : buffer.address + buffer.nbytes] = 0xA5
    poison = Poison(program, image)
    vtac.execute(program.instructions, image, program.config, strict=True, progress=poison)
    return tuple(program.read(image, buffer) for buffer in program.results), poison.poisoned


def _scratch(program: Program) -> list[Buffer]:
    return [buffer for buffer in program.buffers if buffer.role == "scratch"]


def _share(one: Buffer, other: Buffer) -> bool:
    return one.address < other.address + other.nbytes and other.address < one.address + one.nbytes


def _single_stream(network: Network) -> tuple[Program, tuple[Array, ...], tuple[Array, ...]]:
    """The stream of a network that is one, its packed inputs, and its results unpoisoned."""
    program = compile_network(network)
    (device,) = program.devices.values()
    inputs: list[Array] = []
    results: list[Array] = []

    def run(_: str, arrays: Sequence[Array]) -> Sequence[Array]:
        found = device(*arrays)
        inputs.extend(arrays)
        results.extend(found if isinstance(found, tuple) else (found,))
        return results

    program.run_host((image_for(network),), run)
    return device, tuple(inputs), tuple(results)


def test_what_is_freed_may_be_overwritten() -> None:
    device, inputs, expected = _single_stream(deep_network())
    found, poisoned = run_poisoned(device, inputs)
    assert poisoned == len(_scratch(device)) == 5
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_memory_is_used_again() -> None:
    device, _, _ = _single_stream(deep_network())
    assert any(_share(one, other) for one, other in combinations(_scratch(device), 2))


@settings(max_examples=8)
@given(networks())
def test_buffers_that_share_memory_are_never_live_together(network: Network) -> None:
    for device in compile_network(network).devices.values():
        spans: dict[str, tuple[int, int]] = {}
        for number, kernel in enumerate(device.kernels):
            for name in (*kernel.reads, *kernel.writes):
                first, _ = spans.get(name, (number, number))
                spans[name] = first, number
        for one, other in combinations(_scratch(device), 2):
            if _share(one, other):
                (first, last), (begin, end) = spans[one.name], spans[other.name]
                assert last < begin or end < first


def test_a_saved_program_may_share_scratch_only(tmp_path: Path) -> None:
    device, inputs, expected = _single_stream(deep_network())
    device.save(tmp_path, inputs)
    loaded = vtac.load_program(tmp_path, "vta")
    np.testing.assert_array_equal(np.asarray(loaded(*inputs)), expected[0])
    description = json.loads((tmp_path / "program.json").read_text())
    shared = next(b["name"] for b in description["buffers"] if b["role"] == "scratch")
    for buffer in description["buffers"]:
        if buffer["name"] == shared:
            buffer["role"] = "constant"
    (tmp_path / "program.json").write_text(json.dumps(description))
    with pytest.raises(ProgramError, match=r"buffers '.*' and '.*' overlap"):
        vtac.load_program(tmp_path)
