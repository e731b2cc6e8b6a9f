"""Reshapes between device functions: what stays packed, and what goes through the host."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_text import LayerText, host_steps, kernel_count
from plain_programs import SMALL_BLOCK, run_against_numpy, said

from vtac.analysis.operations.reshapes import reshape_groups
from vtac.dialects.hardware import VTAConfig
from vtac.workloads.tensor_text import Tensor

CONFIGS = pytest.mark.parametrize("config", [None, SMALL_BLOCK], ids=["default", "batch4block8"])


def layer(net: LayerText, x: Tensor, features: int = 20, size: int = 3, pad: int = 1) -> Tensor:
    """A convolution narrowed to all of i8."""
    return net.narrow(net.convolution(x, features, size, 1, (pad,) * 4), 7)


@settings(max_examples=60)
@given(st.lists(st.integers(1, 4), max_size=5), st.data())
def test_groups_split_both_shapes_into_equal_parts(shape: list[int], data: st.DataObject) -> None:
    factors = [n for n in shape for n in ([1, n] if data.draw(st.booleans()) else [n])]
    other: list[int] = []
    for factor in factors:
        if other and data.draw(st.booleans()):
            other[-1] *= factor
        else:
            other.append(factor)
    groups = reshape_groups(shape, other)
    for sizes, side in ((shape, "source"), (other, "result")):
        assert [dim for group in groups for dim in getattr(group, side)] == list(range(len(sizes)))
    for group in groups:
        assert prod(shape[dim] for dim in group.source) == prod(other[dim] for dim in group.result)
        assert len(group.source) + len(group.result) > 0


@CONFIGS
def test_unit_dimensions_come_and_go_without_the_host(config: VTAConfig | None) -> None:
    """A global pooling's result as rows, a product's result as images of one pixel."""
    net = LayerText((2, 20, 5, 5))
    pooled = net.pool(layer(net, net.inputs[0]), "max", (5, 5), 1)
    rows = net.reshape(pooled, (2, 20), "[[0], [1, 2, 3]]")
    narrow = net.narrow(net.product(rows, 33), 6)
    images = net.reshape(narrow, (2, 33, 1, 1), "[[0], [1, 2, 3]]", expand=True)
    program = run_against_numpy(net.text(layer(net, images, 10, 1, 0)), config)
    assert kernel_count(program) == 4


def test_operations_go_on_after_a_reshape_of_accumulators() -> None:
    """The tail of a global sum, written on rows, belongs to the sum."""
    net = LayerText((1, 40, 4, 4))
    rows = net.reshape(net.pool(net.inputs[0], "sum", (4, 4), 1), (1, 40), "[[0], [1, 2, 3]]")
    program = run_against_numpy(net.text(net.narrow(net.bias(rows), 4)))
    assert kernel_count(program) == 1
    assert program.choices == ()


@CONFIGS
@pytest.mark.parametrize("batch", [1, 4])
def test_flattened_images_stay_packed(batch: int, config: VTAConfig | None) -> None:
    """The weights take the order that the images have in memory, at compile time."""
    net = LayerText((batch, 5, 4, 3))
    product = net.product(net.flatten(layer(net, net.inputs[0])), 10)
    program = run_against_numpy(net.text(net.narrow(product, 7)), config)
    assert kernel_count(program) == 2


def test_flattened_sums_of_two_branches() -> None:
    net = LayerText((1, 16, 4, 4))
    total = net.narrow(net.add(layer(net, net.inputs[0], 16), net.inputs[0]), 1)
    program = run_against_numpy(net.text(net.narrow(net.product(net.flatten(total), 10), 7)))
    assert kernel_count(program) == 2


def test_one_layer_read_as_images_and_flattened_is_computed_once() -> None:
    net = LayerText((1, 16, 4, 4))
    first = layer(net, net.inputs[0], 16)
    rows = net.narrow(net.product(net.flatten(first), 12), 7)
    pooled = net.reshape(net.pool(first, "max", (4, 4), 1), (1, 16), "[[0], [1, 2, 3]]")
    other = net.narrow(net.product(pooled, 12), 6)
    program = run_against_numpy(net.text(net.narrow(net.add(rows, other), 1)))
    assert kernel_count(program) == 4


def test_flattened_arguments_are_flattened_by_the_host() -> None:
    """They are packed anyway, and as images they would take a block of channels each."""
    net = LayerText((2, 3, 4, 5))
    program = run_against_numpy(net.text(net.narrow(net.product(net.flatten(net.inputs[0]), 10), 5)))
    assert host_steps(program) == ["tensor.collapse_shape", "packing.pack", "func.call", "packing.unpack"]


def test_flattened_accumulators_go_through_memory_in_planes() -> None:
    net = LayerText((1, 3, 4, 5))
    rows = net.narrow(net.flatten(net.convolution(net.inputs[0], 20, 3)), 6)
    program = run_against_numpy(net.text(net.narrow(net.product(rows, 10), 5)))
    assert len(said(program)) == 1
    assert "an i32 result in four planes of bytes" in program.choices[0]


def test_results_of_rank_one() -> None:
    net = LayerText((1, 20))
    rows = net.narrow(net.product(net.inputs[0], 33), 6)
    assert np.shape(run_against_numpy(net.text(net.reshape(rows, (33,), "[[0, 1]]"))).results[0].shape) == (1,)


@pytest.mark.parametrize("indices", ["0, d1, 0, 0", "d0, d1, 0, 0"])
def test_unit_dimensions_are_read_at_zero(indices: str) -> None:
    """A bias of shape 1x20x1x1, broadcast as frontends write it; also where the batch is a loop."""
    net = LayerText((1, 18, 5, 5))
    total = net.convolution(net.inputs[0], 20, 1)
    bias = net.constant((1, 20, 1, 1), -900, 900, "i32")
    biased = net.elementwise("%y = arith.addi %a0, %a1 : i32", [total, bias], "i32")
    identity = "affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>"
    for line, text in enumerate(net.lines):
        if f"{biased.name} = " in text:
            maps = [identity, identity.replace("-> (d0, d1, d2, d3)", f"-> ({indices})"), identity]
            net.lines[line] = text.replace(", ".join([identity] * 3), ", ".join(maps))
    program = run_against_numpy(net.text(net.narrow(biased, 6)))
    assert program.choices == ()
    assert kernel_count(program) == 1
