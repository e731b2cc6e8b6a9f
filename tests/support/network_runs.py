"""Random networks and their runs: every layer against numpy, at every level."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.targets.vta.programs.arrays import Array
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.intermediates import run_with_intermediates
from vtac.workloads.networks.network import Network
from vtac.workloads.reference import unpack_images, unpack_rows
from vtac.workloads.tensor_text import Tensor


def small_uop(config: VTAConfig | None = None) -> VTAConfig:
    """A configuration whose UOP SRAM holds few micro-ops."""
    return replace(config or VTAConfig(), log_uop_buff_size=6)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Chains of convolutions, residual blocks, pooling and linear layers, of any sizes."""
    channels = draw(st.integers(1, 36))
    size = draw(st.integers(5, 11))
    network = Network(
        "chain", (draw(st.integers(1, 3)), channels, size, draw(st.integers(5, 11))), draw(st.integers(0, 99))
    )
    value = network.input
    for number in range(draw(st.integers(1, 3))):
        value = _layer(draw, network, value, f"l{number}v")
    if draw(st.booleans()):
        value = network.sum_pool(value, "mean")
        network.linear(network.flatten(value), "fc", draw(st.integers(1, 40)), last=draw(st.booleans()))
    return network


def _layer(draw: st.DrawFn, network: Network, value: Tensor, name: str) -> Tensor:
    kind = draw(st.sampled_from(["convolution", "residual", "pool"]))
    if kind == "pool" and min(value.shape[2:]) > 2 and value != network.input:
        return network.max_pool(value, name, draw(st.sampled_from([2, 3])), draw(st.integers(1, 2)))
    features = draw(st.integers(1, 40))
    if kind == "residual" and value != network.input:
        inner = network.convolution(value, f"{name}i", features, draw(st.sampled_from([1, 3])))
        return network.convolution(inner, name, value.shape[1], 3, residual=value, relu=draw(st.booleans()))
    kernel = draw(st.sampled_from([1, 3, 5]))
    return network.convolution(value, name, features, kernel, draw(st.integers(1, 2)), relu=draw(st.booleans()))


def image_for(network: Network, seed: int = 0) -> NDArray[np.int8]:
    return np.random.default_rng(seed).integers(-128, 128, network.input.shape).astype(np.int8)


def compile_network(network: Network, config: VTAConfig | None = None) -> HostProgram:
    program = vtac.compile(network.module(), config=config)
    assert isinstance(program, HostProgram)
    return program


def assert_exact(network: Network, program: HostProgram) -> dict[str, Array]:
    """The result and every layer that reaches memory are numpy's; what each kernel stored."""
    image = image_for(network)
    expected = network.reference(image)
    results, stored = run_with_intermediates(program, (image,))
    np.testing.assert_array_equal(results[0], list(expected.values())[-1])
    for name, packed in stored.items():
        if name in expected:
            np.testing.assert_array_equal(plain(packed, expected[name].shape), expected[name])
    return stored


def plain(packed: Array, shape: tuple[int, ...]) -> NDArray[np.generic]:
    """A packed array in plain layout, cropped to its shape."""
    whole = unpack_images(packed) if packed.ndim == 6 else unpack_rows(packed)
    return whole[tuple(slice(extent) for extent in shape)]
