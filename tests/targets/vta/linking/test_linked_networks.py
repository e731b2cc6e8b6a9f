"""Whole networks as one stream: every layer exact, at every level, on any configuration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from lowering import prepare
from network_runs import assert_exact, compile_network, image_for, networks, small_uop
from plain_programs import SMALL_BLOCK
from xdsl.dialects.builtin import ModuleOp

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.evaluate import evaluate
from vtac.passes.vta.group_device_calls import GroupDeviceCalls
from vtac.passes.vta.merge_device_functions import MergeDeviceFunctions
from vtac.targets.vta.passes.pack_for_vta import PackForVta
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.text.context import make_context
from vtac.tools.listing import listing
from vtac.workloads.networks.mlp import mlp
from vtac.workloads.networks.network import Network


@settings(max_examples=12)
@given(networks())
def test_random_chains_are_exact_and_proven_safe(network: Network) -> None:
    program = compile_network(network)
    assert_exact(network, program)
    assert vtac.check(program) == []


@settings(max_examples=4)
@given(networks())
def test_random_chains_on_batch_4_block_8(network: Network) -> None:
    program = compile_network(network, SMALL_BLOCK)
    assert_exact(network, program)
    assert vtac.check(program) == []


@settings(max_examples=6)
@given(networks())
def test_every_level_gives_the_same_numbers(network: Network) -> None:
    image = image_for(network)
    expected = list(network.reference(image).values())[-1]
    module: ModuleOp = prepare(network.module(), None, None)
    levels = [evaluate(module, image)]
    for step in (PackForVta(), GroupDeviceCalls(), MergeDeviceFunctions()):
        step.apply(make_context(), module)
        module.verify()
        levels.append(evaluate(module, image))
    for found in levels:
        assert isinstance(found, np.ndarray)
        np.testing.assert_array_equal(found, expected)


def test_a_perceptron_is_one_stream() -> None:
    network = mlp(batch=5, features=(50, 40, 30, 10), seed=1)
    program = compile_network(network)
    assert_exact(network, program)
    assert list(program.devices) == ["mlp_vta"]
    assert [kernel.name for kernel in program.stream.kernels] == ["fc1", "fc2", "fc3"]
    assert [buffer.name for buffer in program.arguments] == ["image"]


def _repeated() -> Network:
    """Four convolutions of one shape and one shift."""
    network = Network("repeated", (1, 16, 6, 6), seed=2)
    value = network.convolution(network.input, "first", 16, 3)
    for name in ("second", "third", "fourth"):
        value = network.convolution(value, name, 16, 3)
    return network


def test_layers_of_one_shape_share_their_micro_ops() -> None:
    program = compile_network(_repeated())
    assert [kernel.name for kernel in program.stream.kernels] == ["first", "second", "third", "fourth"]
    alone = Network("alone", (1, 16, 6, 6), seed=2)
    value = alone.convolution(alone.input, "first", 16, 3)
    alone.convolution(value, "second", 16, 3)
    assert len(program.stream.micro_ops) == len(compile_network(alone).stream.micro_ops)


@pytest.mark.parametrize("config", [small_uop(), small_uop(SMALL_BLOCK)], ids=["default", "batch4block8"])
def test_micro_ops_of_several_kernels_overflow_the_sram(config: VTAConfig) -> None:
    """The SRAM holds fewer micro-ops than the program has: kernels are loaded again where they are needed."""
    network = _repeated()
    program = compile_network(network, config)
    assert len(program.stream.micro_ops) // 4 > config.capacity("uop")
    assert_exact(network, program)
    assert vtac.check(program) == []
    program(image_for(network))
    assert program.stats["uop_load_nbytes"] > 4 * config.capacity("uop")


def test_programs_survive_saving(tmp_path: Path) -> None:
    network = mlp(features=(20, 18, 7), seed=3)
    program = compile_network(network)
    program.save(tmp_path)
    loaded = vtac.load_program(tmp_path, "vta")
    image = image_for(network)
    np.testing.assert_array_equal(np.asarray(loaded(image)), list(network.reference(image).values())[-1])
    assert loaded.stream.kernels == program.stream.kernels
    assert isinstance(loaded, HostProgram)
    assert loaded.choices == program.choices
    assert vtac.check(loaded) == []


def test_instructions_name_their_layer_and_its_place(tmp_path: Path) -> None:
    file = tmp_path / "mlp.mlir"
    file.write_text(mlp(features=(20, 18, 7)).text())
    program = vtac.compile(file)
    lines = file.read_text().splitlines()
    places = {origin.kernel: origin.location for origin in program.stream.origins if origin.op == "vta.gemm"}
    assert set(places) == {"fc1", "fc2"}
    for layer, place in places.items():
        assert lines[int(place.split(":")[-2]) - 1].strip().startswith(f"%{layer}_sum = linalg.matmul")
    text = listing(program.stream)
    assert f"# fc1: vta.gemm {places['fc1']}" in text
    assert "  fc2: vta.store_2d" in text
    requantised = {origin.location for origin in program.stream.origins if origin.op == "vta.alu"}
    assert {lines[int(place.split(":")[-2]) - 1].split(" = ")[0].strip() for place in requantised} == {"%fc1", "%fc2"}
    assert [line for line in text.splitlines() if line.startswith("# ")] == ["# fc1", "# fc2"]
