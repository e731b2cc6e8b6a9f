"""Networks of the catalogue: what their text means is what their numpy references compute."""

from __future__ import annotations

import numpy as np
import pytest

import vtac
from vtac.errors import CompileError
from vtac.evaluate import evaluate
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.workloads.networks.catalogue import NETWORKS, SMALL
from vtac.workloads.networks.core import Array
from vtac.workloads.networks.network import Network
from vtac.workloads.networks.recurrent import lstm_cell
from vtac.workloads.networks.resnet import resnet
from vtac.workloads.networks.yolo import yolov3_tiny

_COMPILED = ("dcgan", "gru-cell", "shufflenet-v2", "transformer-layer")


def _inputs(network: Network) -> list[Array]:
    random = np.random.default_rng(3)
    return [random.integers(-128, 128, tensor.shape).astype(np.int8) for tensor in network.inputs]


@pytest.mark.parametrize("name", SMALL)
def test_the_text_means_what_the_reference_computes(name: str) -> None:
    network = SMALL[name]()
    arrays = _inputs(network)
    found = evaluate(network.module(), *arrays)
    for array, expected in zip(found if isinstance(found, tuple) else (found,), network.expected(*arrays), strict=True):
        np.testing.assert_array_equal(array, expected)
        assert np.unique(expected).size > 4, "the signal died out"
        assert expected.dtype == np.int32 or float(np.mean(np.abs(expected.astype(np.int64)) >= 127)) < 0.5


@pytest.mark.parametrize("name", _COMPILED)
def test_compiled_networks_are_exact(name: str) -> None:
    network = SMALL[name]()
    arrays = _inputs(network)
    program = vtac.compile(network.module())
    assert isinstance(program, HostProgram)
    found = program(*arrays)
    for array, expected in zip(found if isinstance(found, tuple) else (found,), network.expected(*arrays), strict=True):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("resnet18", 1814),
        ("resnet34", 3664),
        ("resnet50", 4089),
        ("mobilenet-v1", 569),
        ("mobilenet-v2", 301),
        ("shufflenet-v2", 145),
        ("squeezenet", 349),
        ("densenet121", 2834),
        ("yolov3-tiny", 2782),
    ],
)
def test_multiply_accumulates_are_those_of_the_published_networks(name: str, millions: int) -> None:
    assert round(NETWORKS[name]().macs / 1e6) == millions


def test_a_network_has_several_inputs_and_results() -> None:
    cell = lstm_cell(8)
    assert [tensor.name for tensor in cell.inputs] == ["given", "hidden", "cell"]
    assert cell.text().splitlines()[0].endswith("-> (tensor<1x8xi8>, tensor<1x8xi8>) {")


def test_a_leaky_activation_keeps_an_eighth_of_what_is_negative() -> None:
    network = Network("leaky", (1, 1, 2, 2), 0)
    network.convolution(network.input, "c", 1, 1, activation="leaky")
    network.parameters["c_w"][:] = 1
    network.parameters["c_b"][:] = 0
    image = np.full((1, 1, 2, 2), -128, np.int8)
    shift = int(network.text().split("%shift = arith.constant ")[1].split(" ")[0])
    assert (network.expected(image)[0] == (-128 >> shift) >> 3).all()


def test_refuses_sizes_below_one() -> None:
    with pytest.raises(CompileError, match="size is 0; 1 or more is required"):
        resnet(18, size=0)
    with pytest.raises(CompileError, match="classes is -1; 1 or more is required"):
        yolov3_tiny(classes=-1)
