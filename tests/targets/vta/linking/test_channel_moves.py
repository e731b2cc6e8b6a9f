"""Concatenations, cuts and shuffles of channels within tiles, which products take into their kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from xdsl.dialects.builtin import ModuleOp

import vtac
from vtac.dialects.packing import UnspecifiedOp
from vtac.evaluate import evaluate
from vtac.preparation import prepare
from vtac.targets.registry import find_target
from vtac.targets.vta.plain_pipeline import plain_pipeline
from vtac.text.context import make_context
from vtac.workloads.networks.network import Network


def _joined(widths: Sequence[int], kernel: int) -> Network:
    network = Network("joined", (1, 5, 6, 6), 0, "x")
    parts = [network.convolution(network.input, f"part{one}", width, kernel=1) for one, width in enumerate(widths)]
    network.convolution(network.concatenate(parts, "whole"), "read", 9, kernel=kernel)
    return network


def _inserted(widths: Sequence[int]) -> str:
    """Joined channels as insertions into an empty tensor, last first."""
    text = _joined(widths, 3).text()
    begin = text.index("  %whole = tensor.concat")
    kind = f"tensor<1x{sum(widths)}x6x6xi8>"
    lines, last = [f"  %whole_empty = tensor.empty() : {kind}"], "%whole_empty"
    for one in reversed(range(len(widths))):
        made, place = (f"%whole{one}" if one else "%whole"), [0, sum(widths[:one]), 0, 0]
        part = f"tensor<1x{widths[one]}x6x6xi8>"
        sizes = [1, widths[one], 6, 6]
        lines.append(
            f"  {made} = tensor.insert_slice %part{one} into {last}{place} {sizes} [1, 1, 1, 1] : {part} into {kind}"
        )
        last = made
    return text[:begin] + "\n".join(lines) + text[text.index("\n", begin) :]


def _shuffled(groups: int, each: int) -> Network:
    network = Network("shuffled", (1, 5, 4, 6), 0, "x")
    made = network.convolution(network.input, "made", groups * each, kernel=1)
    shape, split = (1, groups, each, 4, 6), [[0], [1, 2], [3], [4]]
    grid = network.transpose(network.expand(made, "grid", shape, split), "turned", [0, 2, 1, 3, 4])
    network.convolution(network.collapse(grid, "shuffled", split), "read", 9, kernel=3)
    return network


def _rows(widths: Sequence[int]) -> Network:
    network = Network("rows", (3, 7), 0, "x")
    parts = [network.linear(network.input, f"part{one}", width) for one, width in enumerate(widths)]
    network.linear(network.concatenate(parts, "whole"), "read", 5)
    return network


def _pooled(widths: Sequence[int], groups: int) -> Network:
    """Joined channels, shuffled, that a maximum, a convolution by channel and a sum with others read."""
    network = Network("pooled", (1, 5, 6, 6), 0, "x")
    parts = [network.convolution(network.input, f"part{one}", width, kernel=1) for one, width in enumerate(widths)]
    whole, width = network.concatenate(parts, "whole"), sum(widths)
    if width % groups == 0:
        whole = network.shuffle(whole, "shuffled", groups)
    largest = network.max_pool(whole, "largest", kernel=3, stride=1)
    filtered = network.convolution(whole, "filtered", width, kernel=3, groups=width)
    summed = network.add(largest, network.convolution(network.input, "other", width, kernel=1), "summed")
    network.convolution(network.add(summed, filtered, "both"), "read", 9, kernel=1)
    return network


def _halves(width: int, units: int) -> Network:
    """Half of the channels goes on as it is, the other through a product, and both are shuffled."""
    network = Network("halves", (1, 5, 5, 5), 0, "x")
    value = network.convolution(network.input, "made", 2 * width, kernel=1)
    for unit in range(units):
        kept, half = network.cut(value, f"kept{unit}", 0, width), network.cut(value, f"half{unit}", width, width)
        half = network.convolution(half, f"half{unit}_read", width, kernel=3)
        value = network.shuffle(network.concatenate([kept, half], f"joined{unit}"), f"unit{unit}", 2)
    network.convolution(value, "read", 9, kernel=1)
    return network


def _module(network: Network) -> ModuleOp:
    return vtac.bind(vtac.parse(network.text()), network.parameters)


def _image(network: Network) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    return np.random.default_rng(2).integers(-128, 128, network.input.shape).astype(np.int8)


def _assert_one_stream(network: Network) -> None:
    program, image = vtac.compile(_module(network)), _image(network)
    assert len(program.devices) == 1
    np.testing.assert_array_equal(program(image), network.expected(image)[0])


NETWORKS: tuple[Callable[[], Network], ...] = (
    lambda: _joined((24, 20), 3),
    lambda: _shuffled(2, 10),
    lambda: _rows((24, 20)),
    lambda: _pooled((12, 10), 2),
    lambda: _halves(10, 2),
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
    _assert_one_stream(_joined(widths, kernel))


@settings(max_examples=2)
@given(some.lists(some.integers(1, 40), min_size=2, max_size=4))
def test_channels_that_are_inserted_are_one_stream(widths: list[int]) -> None:
    network = _joined(widths, 3)
    program, image = vtac.compile(vtac.bind(vtac.parse(_inserted(widths)), network.parameters)), _image(network)
    assert len(program.devices) == 1
    np.testing.assert_array_equal(program(image), network.expected(image)[0])


@settings(max_examples=3)
@given(some.integers(2, 6), some.integers(2, 12))
def test_any_shuffle_is_one_stream(groups: int, each: int) -> None:
    _assert_one_stream(_shuffled(groups, each))


@settings(max_examples=2)
@given(some.lists(some.integers(1, 40), min_size=2, max_size=3))
def test_rows_are_one_stream(widths: list[int]) -> None:
    _assert_one_stream(_rows(widths))


@settings(max_examples=3)
@given(some.lists(some.integers(1, 40), min_size=2, max_size=3), some.integers(1, 4))
def test_whatever_reads_channels_is_in_one_stream(widths: list[int], groups: int) -> None:
    _assert_one_stream(_pooled(widths, groups))


@settings(max_examples=2)
@given(some.integers(1, 40))
def test_halves_that_are_shuffled_are_one_stream(width: int) -> None:
    _assert_one_stream(_halves(width, 2))


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


POINTS = """
func.func @f(%x: tensor<1x20x3x5xi8>, %w: tensor<7x20xi8>) -> tensor<1x7x3x5xi32> {
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x7x3x5xi32>
  %i = linalg.fill ins(%z : i32) outs(%e : tensor<1x7x3x5xi32>) -> tensor<1x7x3x5xi32>
  %r = linalg.generic {indexing_maps = [affine_map<(n, o, h, w, c) -> (n, c, h, w)>,
      affine_map<(n, o, h, w, c) -> (o, c)>, affine_map<(n, o, h, w, c) -> (n, o, h, w)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<1x20x3x5xi8>, tensor<7x20xi8>) outs(%i : tensor<1x7x3x5xi32>) {
  ^bb0(%a: i8, %b: i8, %s: i32):
    %0 = arith.extsi %a : i8 to i32
    %1 = arith.extsi %b : i8 to i32
    %2 = arith.muli %0, %1 : i32
    %3 = arith.addi %s, %2 : i32
    linalg.yield %3 : i32
  } -> tensor<1x7x3x5xi32>
  func.return %r : tensor<1x7x3x5xi32>
}
"""


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
    rows = (x.astype(np.int32) @ w).astype(np.int8)[:, 3:23]
    np.testing.assert_array_equal(program(x, w, v), rows.astype(np.int32) @ v)


CUT = """
func.func @cut(%x: tensor<3x7xi8>, %w: tensor<7x40xi8>, %v: tensor<COUNTx5xi8>) -> tensor<3x5xi32> {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<3x40xi32>
  %z = linalg.fill ins(%zero : i32) outs(%e : tensor<3x40xi32>) -> tensor<3x40xi32>
  %p = linalg.matmul ins(%x, %w : tensor<3x7xi8>, tensor<7x40xi8>) outs(%z : tensor<3x40xi32>) -> tensor<3x40xi32>
  %e8 = tensor.empty() : tensor<3x40xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]} ins(%p : tensor<3x40xi32>) outs(%e8 : tensor<3x40xi8>) {
  ^bb0(%a: i32, %o: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> tensor<3x40xi8>
  %c = tensor.extract_slice %y[0, FIRST] [3, COUNT] [1, 1] : tensor<3x40xi8> to tensor<3xCOUNTxi8>
  %e1 = tensor.empty() : tensor<3x5xi32>
  %z1 = linalg.fill ins(%zero : i32) outs(%e1 : tensor<3x5xi32>) -> tensor<3x5xi32>
  %q = linalg.matmul ins(%c, %v : tensor<3xCOUNTxi8>, tensor<COUNTx5xi8>) outs(%z1 : tensor<3x5xi32>)
    -> tensor<3x5xi32>
  func.return %q : tensor<3x5xi32>
}
"""


@pytest.mark.parametrize(("first", "count"), [(3, 20), (16, 5), (1, 39)])
def test_a_cut_is_one_stream(first: int, count: int) -> None:
    module = vtac.parse(CUT.replace("FIRST", str(first)).replace("COUNT", str(count)))
    rng = np.random.default_rng(0)
    x, w, v = (rng.integers(-128, 128, shape).astype(np.int8) for shape in ((3, 7), (7, 40), (count, 5)))
    program = vtac.compile(module)
    assert len(program.devices) == 1
    rows = (x.astype(np.int32) @ w).astype(np.int8)[:, first : first + count]
    np.testing.assert_array_equal(program(x, w, v), rows.astype(np.int32) @ v)
