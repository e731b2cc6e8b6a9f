"""Concatenations, cuts and shuffles of channels within tiles, which products take into their kernels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from moved_channels import CUT, POINTS, halves, inserted, joined, pooled, rows, shuffled
from xdsl.dialects.builtin import ModuleOp

import vtac
from vtac.dialects.packing import UnspecifiedOp
from vtac.evaluate import evaluate
from vtac.preparation import prepare
from vtac.targets.registry import find_target
from vtac.targets.vta.plain_pipeline import plain_pipeline
from vtac.text.context import make_context
from vtac.workloads.networks.network import Network


def _module(network: Network) -> ModuleOp:
    return vtac.bind(vtac.parse(network.text()), network.parameters)


def _image(network: Network) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    return np.random.default_rng(2).integers(-128, 128, network.input.shape).astype(np.int8)


def _assert_one_stream(network: Network) -> None:
    program, image = vtac.compile(_module(network)), _image(network)
    assert len(program.devices) == 1
    np.testing.assert_array_equal(program(image), network.expected(image)[0])


NETWORKS: tuple[Callable[[], Network], ...] = (
    lambda: joined((24, 20), 3),
    lambda: shuffled(2, 10),
    lambda: rows((24, 20)),
    lambda: pooled((12, 10), 2),
    lambda: halves(10, 2),
)


@pytest.mark.parametrize("make", NETWORKS)
def test_every_pass_keeps_the_meaning(make: Callable[[], Network]) -> None:
    network = make()
    module, image = prepare(_module(network), find_target("vta")), _image(network)
    for phase in plain_pipeline().through("grouped"):
        for step in phase.passes:
            step.apply(make_context(), module)
            module.verify()
            found = evaluate(module, image)
            assert isinstance(found, np.ndarray)
            np.testing.assert_array_equal(found, network.expected(image)[0], err_msg=step.name)


@settings(max_examples=4)
@given(some.lists(some.integers(1, 40), min_size=2, max_size=4), some.sampled_from([1, 3]))
def test_any_widths_are_one_stream(widths: list[int], kernel: int) -> None:
    _assert_one_stream(joined(widths, kernel))


@settings(max_examples=2)
@given(some.lists(some.integers(1, 40), min_size=2, max_size=4))
def test_channels_that_are_inserted_are_one_stream(widths: list[int]) -> None:
    network = joined(widths, 3)
    program, image = vtac.compile(vtac.bind(vtac.parse(inserted(widths)), network.parameters)), _image(network)
    assert len(program.devices) == 1
    np.testing.assert_array_equal(program(image), network.expected(image)[0])


@settings(max_examples=3)
@given(some.integers(2, 6), some.integers(2, 12))
def test_any_shuffle_is_one_stream(groups: int, each: int) -> None:
    _assert_one_stream(shuffled(groups, each))


@settings(max_examples=2)
@given(some.lists(some.integers(1, 40), min_size=2, max_size=3))
def test_rows_are_one_stream(widths: list[int]) -> None:
    _assert_one_stream(rows(widths))


@settings(max_examples=3)
@given(some.lists(some.integers(1, 40), min_size=2, max_size=3), some.integers(1, 4))
def test_whatever_reads_channels_is_in_one_stream(widths: list[int], groups: int) -> None:
    _assert_one_stream(pooled(widths, groups))


@settings(max_examples=2)
@given(some.integers(1, 40))
def test_halves_that_are_shuffled_are_one_stream(width: int) -> None:
    _assert_one_stream(halves(width, 2))


def test_shuffles_of_shuffles_and_upsampled_ones_are_one_stream() -> None:
    network = Network("again", (1, 5, 3, 4), 0, "x")
    value = network.convolution(network.input, "made", 20, kernel=1)
    for number, groups in enumerate((5, 4, 10)):
        value = network.shuffle(value, f"shuffled{number}", groups)
    both = network.concatenate([value, network.cut(value, "cut", 3, 7)], "both")
    network.convolution(network.upsample(both, "larger", 2), "read", 9, kernel=3)
    _assert_one_stream(network)


def test_cuts_of_joined_channels_are_computed_once() -> None:
    """What is computed of a few channels of many, time and again, is not computed of all of them."""
    network = Network("again", (1, 5, 3, 4), 0, "x")
    value = network.convolution(network.input, "made", 20, kernel=1)
    for number in range(6):
        value = network.cut(network.concatenate([value, value], f"both{number}"), f"cut{number}", 7, 20)
        value = network.max_pool(value, f"pool{number}", kernel=3, stride=1)
    network.convolution(value, "read", 9, kernel=1)
    module = prepare(_module(network), find_target("vta"))
    for step in (step for phase in plain_pipeline().through("integer") for step in phase.passes):
        step.apply(make_context(), module)
    assert sum(op.name == "linalg.pooling_nchw_max" for op in module.walk()) == 6


def test_shuffled_channels_are_read_in_groups() -> None:
    network = Network("groups", (1, 5, 3, 4), 0, "x")
    made = network.convolution(network.input, "made", 24, kernel=1)
    grouped = network.convolution(network.shuffle(made, "shuffled", 4), "grouped", 24, kernel=1, groups=3)
    network.linear(network.flatten(network.shuffle(grouped, "again", 3)), "read", 9)
    _assert_one_stream(network)


def test_channels_that_a_product_moves_are_a_choice() -> None:
    network = Network("choice", (1, 5, 6, 6), 0, "x")
    left, right = (network.convolution(network.input, name, width, kernel=1) for name, width in (("l", 12), ("r", 20)))
    network.add(network.concatenate([left, right], "whole"), network.convolution(network.input, "other", 32, 1), "sum")
    (choice,) = [one for one in vtac.compile(_module(network)).choices if "across tiles" in one]
    assert "32 channels that lie across tiles are moved by a product of 36,864 MACs" in choice
    assert "join, cut and shuffle channels in multiples of 16" in choice


def test_a_kernel_without_taps_reads_images() -> None:
    """A contraction over the channels of an image, as a product of two dimensions writes it."""
    module = vtac.parse(POINTS)
    rng = np.random.default_rng(0)
    x, w = (rng.integers(-128, 128, shape).astype(np.int8) for shape in ((1, 20, 3, 5), (7, 20)))
    np.testing.assert_array_equal(vtac.compile(module)(x, w), np.einsum("nchw,oc->nohw", x.astype(np.int32), w))


def test_two_readers_and_a_result() -> None:
    """The result is joined by the host, the readers read the parts where they lie."""
    network = Network("readers", (1, 5, 6, 6), 0, "x")
    left, right = (network.convolution(network.input, name, width, kernel=1) for name, width in (("l", 12), ("r", 20)))
    whole = network.concatenate([left, right], "whole")
    first = network.convolution(whole, "first", 8, kernel=3)
    second = network.convolution(whole, "second", 8, kernel=1)
    network.add(first, second, "sum")
    _assert_one_stream(network)


def test_what_is_joined_twice() -> None:
    """A concatenation of a concatenation is one of all parts; each stage is read by a product of its own."""
    network = Network("dense", (1, 5, 6, 6), 0, "x")
    whole = network.convolution(network.input, "stem", 12, kernel=1)
    for stage in range(2):
        more = network.convolution(whole, f"grown{stage}", 10, kernel=3)
        whole = network.concatenate([whole, more], f"whole{stage}")
    network.convolution(whole, "read", 8, kernel=1)
    _assert_one_stream(network)


def test_readers_share_what_is_joined() -> None:
    network = Network("branches", (1, 5, 6, 6), 0, "x")
    left, right = (network.convolution(network.input, name, width, kernel=1) for name, width in (("l", 12), ("r", 20)))
    whole = network.concatenate([left, right], "whole")
    one, three = (network.convolution(whole, f"branch{size}", 16, kernel=size) for size in (1, 3))
    network.add(one, three, "sum")
    module = prepare(_module(network), find_target("vta"))
    for step in (step for phase in plain_pipeline().through("integer") for step in phase.passes):
        step.apply(make_context(), module)
    assert sum(isinstance(op, UnspecifiedOp) for op in module.walk()) == 1


def test_kernels_that_are_computed_keep_their_data() -> None:
    """A kernel that no one gives is not moved; the host cuts the channels, and the program is right."""
    text = CUT.replace("FIRST", "3").replace("COUNT", "20").replace("ins(%c, %v :", "ins(%c, %u :")
    shift = """  %u_empty = tensor.empty() : tensor<20x5xi8>
  %u = linalg.max ins(%v, %v : tensor<20x5xi8>, tensor<20x5xi8>) outs(%u_empty : tensor<20x5xi8>) -> tensor<20x5xi8>
  %q ="""
    program = vtac.compile(vtac.parse(text.replace("  %q =", shift)))
    rng = np.random.default_rng(0)
    x, w, v = (rng.integers(-128, 128, shape).astype(np.int8) for shape in ((3, 7), (7, 40), (20, 5)))
    columns = (x.astype(np.int32) @ w).astype(np.int8)[:, 3:23]
    np.testing.assert_array_equal(program(x, w, v), columns.astype(np.int32) @ v)


@pytest.mark.parametrize(("first", "count"), [(3, 20), (16, 5), (1, 39)])
def test_a_cut_is_one_stream(first: int, count: int) -> None:
    module = vtac.parse(CUT.replace("FIRST", str(first)).replace("COUNT", str(count)))
    rng = np.random.default_rng(0)
    x, w, v = (rng.integers(-128, 128, shape).astype(np.int8) for shape in ((3, 7), (7, 40), (count, 5)))
    program = vtac.compile(module)
    assert len(program.devices) == 1
    columns = (x.astype(np.int32) @ w).astype(np.int8)[:, first : first + count]
    np.testing.assert_array_equal(program(x, w, v), columns.astype(np.int32) @ v)
