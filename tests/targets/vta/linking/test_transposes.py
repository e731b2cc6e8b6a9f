"""Matrices that are read with other lanes than they are stored with: exchanged factors, products of unit matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from plain_programs import SMALL_BLOCK

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.evaluate import evaluate
from vtac.preparation import prepare
from vtac.targets.registry import find_target
from vtac.targets.vta.plain_pipeline import plain_pipeline
from vtac.text.context import make_context
from vtac.workloads.networks.mixer import mlp_mixer
from vtac.workloads.networks.network import Network
from vtac.workloads.tensor_text import Tensor

CONFIGS = (
    VTAConfig(),
    replace(VTAConfig(), log_batch=1),
    replace(VTAConfig(), log_block_in=5, log_block_out=5),
    SMALL_BLOCK,
)
"""BATCH 1, 2 and 4; BLOCK 16, 32 and 8."""

UNLIKE = replace(VTAConfig(), log_block_out=5)
"""BLOCK_IN 16, BLOCK_OUT 32: rows of what is stored are no rows of weight tiles."""


def _between_products(rows: int, width: int, features: int) -> Network:
    """A matrix that a product, and one of its transpose, read."""
    network = Network("between", (rows, 9), 0, "x")
    value = network.linear(network.input, "made", width)
    turned = network.linear(network.transpose(value, "turned", [1, 0]), "columns", features)
    straight = network.linear(value, "rows", features)
    network.results = [turned, straight]
    return network


def _only_transposed(rows: int, width: int, features: int) -> Network:
    """A product of which only the transpose is read."""
    network = Network("only", (rows, 9), 0, "x")
    value = network.linear(network.input, "made", width)
    network.linear(network.transpose(value, "turned", [1, 0]), "columns", features)
    return network


def _added(rows: int, width: int) -> Network:
    """Sums of a matrix and the transpose of another."""
    network = Network("added", (rows, 9), 0, "x")
    one = network.linear(network.input, "one", width)
    other = network.linear(network.transpose(one, "back", [1, 0]), "other", rows)
    network.linear(network.transpose(other, "again", [1, 0]), "summed", width, residual=one)
    return network


def _mixed(sizes: Sequence[int], turns: Sequence[bool]) -> Network:
    """Linear layers, some of them over the rows of what is before."""
    network = Network("mixed", (sizes[0], 7), 1, "x")
    value: Tensor = network.input
    for number, (size, turn) in enumerate(zip(sizes, turns, strict=True)):
        if turn and value is not network.input:
            value = network.transpose(value, f"turned{number}", [1, 0])
        before = value
        value = network.linear(value, f"layer{number}", size)
        if before.shape == value.shape:
            value = network.linear(value, f"again{number}", size, residual=before)
    return network


def _image(network: Network) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    return np.random.default_rng(2).integers(-128, 128, network.input.shape).astype(np.int8)


def _streams(network: Network, config: VTAConfig | None = None) -> int:
    """How many streams a network has, whose results are those of numpy."""
    program, image = vtac.compile(network.module(), config=config), _image(network)
    found = program(image)
    for one, other in zip(found if isinstance(found, tuple) else (found,), network.expected(image), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not vtac.check(program)
    return len(program.devices)


def _attention(tokens: int, heads: int, width: int) -> Network:
    """Products of two computed matrices for each head, columns of one matrix before and after."""
    network = Network("attention", (tokens, 9), 0, "x")
    parts: list[Tensor] = []
    for name, order in (("q", [1, 0, 2]), ("k", [1, 2, 0]), ("v", [1, 0, 2])):
        made = network.linear(network.input, name, heads * width, activation="none")
        split = network.expand(made, f"{name}_parts", (tokens, heads, width), [[0], [1, 2]])
        parts.append(network.transpose(split, f"{name}_heads", order))
    query, key, value = parts
    mixed = network.product(network.product(query, key, "scores", shift=8), value, "mixed", shift=7)
    joined = network.collapse(network.transpose(mixed, "by_token", [1, 0, 2]), "joined", [[0], [1, 2]])
    network.linear(joined, "project", 7)
    return network


def _patches(channels: int) -> Network:
    """An image as rows of a matrix, a pixel each, and back."""
    network = Network("patches", (1, 3, 8, 6), 0, "x")
    image = network.convolution(network.input, "patch", channels, kernel=2, stride=2)
    pixels = network.transpose(network.collapse(image, "flat", [[0], [1], [2, 3]]), "pixels", [0, 2, 1])
    mixed = network.linear(network.collapse(pixels, "rows", [[0, 1], [2]]), "mixed", channels)
    turned = network.transpose(mixed, "turned", [1, 0])
    again = network.expand(turned, "again", (1, channels, 5, 4), [[0, 1], [2, 3]])
    network.convolution(again, "read", 7, kernel=3)
    return network


def _turned_images(channels: int) -> Network:
    """Rows of an image as its columns."""
    network = Network("turned_images", (1, 5, 6, 4), 0, "x")
    image = network.convolution(network.input, "made", channels, kernel=1)
    network.convolution(network.transpose(image, "turned", [0, 1, 3, 2]), "read", 9, kernel=3)
    return network


def _squared(width: int) -> Network:
    """A matrix times itself."""
    network = Network("squared", (width, 9), 0, "x")
    value = network.linear(network.input, "made", width)
    one = network.expand(value, "one", (1, width, width), [[0, 1], [2]])
    network.product(one, one, "squares", shift=7)
    return network


NETWORKS: tuple[Callable[[], Network], ...] = (
    lambda: _between_products(20, 24, 5),
    lambda: _only_transposed(17, 40, 6),
    lambda: _added(20, 36),
    lambda: _squared(32),
    lambda: _attention(32, 2, 32),
    lambda: mlp_mixer(20, 24, 2),
)


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize("config", CONFIGS[:2])
def test_every_pass_keeps_the_meaning(make: Callable[[], Network], config: VTAConfig) -> None:
    network = make()
    module, image = prepare(network.module(), find_target("vta"), config), _image(network)
    for phase in plain_pipeline().through("grouped"):
        for step in phase.passes:
            step.apply(make_context(), module)
            module.verify()
            found = evaluate(module, image)
            for one, other in zip(
                found if isinstance(found, tuple) else (found,), network.expected(image), strict=True
            ):
                np.testing.assert_array_equal(one, other, err_msg=step.name)


@pytest.mark.parametrize("make", NETWORKS)
@pytest.mark.parametrize("config", CONFIGS)
def test_transposes_end_no_stream(make: Callable[[], Network], config: VTAConfig) -> None:
    assert _streams(make(), config) == 1


IMAGES: tuple[Callable[[], Network], ...] = (lambda: _patches(20), lambda: _turned_images(20))


@pytest.mark.parametrize("make", IMAGES)
def test_images_become_rows_and_rows_images(make: Callable[[], Network]) -> None:
    test_every_pass_keeps_the_meaning(make, CONFIGS[0])
    assert [_streams(make(), config) for config in (CONFIGS[0], CONFIGS[2])] == [1, 1]


def test_tiles_of_two_images_do_not_become_tiles_of_two_pixels() -> None:
    network = _patches(20)
    program = vtac.compile(network.module(), config=CONFIGS[1])
    assert any("stream break" in choice and "layout" in choice for choice in program.choices)
    assert _streams(network, CONFIGS[1]) > 1
    assert _streams(_turned_images(20), CONFIGS[1]) == 1


@settings(max_examples=12)
@given(
    some.lists(some.integers(1, 40), min_size=3, max_size=5),
    some.lists(some.booleans(), min_size=5, max_size=5),
    some.sampled_from(CONFIGS),
)
def test_layers_over_rows_and_columns_are_one_stream(sizes: list[int], turns: list[bool], config: VTAConfig) -> None:
    assert _streams(_mixed(sizes, turns[: len(sizes)]), config) == 1


def test_blocks_that_differ_leave_transposes_to_the_host() -> None:
    network = _between_products(20, 24, 5)
    program = vtac.compile(network.module(), config=UNLIKE)
    assert len(program.devices) == 2
    assert any("stream break" in choice and "changes a layout" in choice for choice in program.choices)
    assert _streams(network, UNLIKE) == 2


def test_a_transpose_says_what_it_costs() -> None:
    program = vtac.compile(_between_products(20, 24, 5).module())
    assert any(
        "20 x 24 bytes transposed by products with unit matrices of 6,400 MACs, 48 cycles of GEMM" in choice
        for choice in program.choices
    )
    assert not any("transposed" in choice for choice in vtac.compile(_only_transposed(20, 24, 5).module()).choices)
