"""Concatenations, slices and insertions of device results: in one stream, exact, at every level."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lowering import prepare
from network_runs import assert_exact, compile_network, image_for
from xdsl.dialects.builtin import ModuleOp

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.evaluate import evaluate
from vtac.passes.linalg.convert_linalg_to_schedule import ConvertLinalgToSchedule
from vtac.passes.vta.group_device_calls import GroupDeviceCalls
from vtac.passes.vta.merge_device_functions import MergeDeviceFunctions
from vtac.passes.vta.place_tensors import PlaceTensors
from vtac.targets.vta.passes.pack_for_vta import PackForVta
from vtac.targets.vta.programs.host_program import HostProgram
from vtac.targets.vta.programs.intermediates import run_with_intermediates
from vtac.text.context import make_context
from vtac.text.source import parse
from vtac.workloads.networks.network import Network
from vtac.workloads.networks.squeezenet import squeezenet
from vtac.workloads.tensor_text import Tensor

BATCH_2 = VTAConfig(log_batch=1, log_block=3, log_inp_buff_size=14, log_wgt_buff_size=15, log_acc_buff_size=16)


@st.composite
def branches(draw: st.DrawFn, block: int = 16) -> Network:
    """Convolutions of what was computed before, joined along channels or rows, each value read any number of times."""
    batch = draw(st.integers(1, 2))
    network = Network("branches", (batch, draw(st.integers(1, 20)), 5, 6), draw(st.integers(0, 99)))
    values = [network.convolution(network.input, "first", block * draw(st.integers(1, 2)), 3)]
    for number in range(draw(st.integers(2, 4))):
        source = draw(st.sampled_from(values))
        if number % 2 == 0:
            channels = block * draw(st.integers(1, 2))
            values.append(network.convolution(source, f"conv{number}", channels, draw(st.sampled_from([1, 3]))))
            continue
        dim = draw(st.sampled_from([1, 2]))
        parts = [source, *(value for value in values if _fits(value, source, dim) and draw(st.booleans()))]
        values.append(network.concatenate(parts, f"joined{number}", dim) if len(parts) > 1 else source)
    last = draw(st.sampled_from(values))
    network.results = [network.convolution(last, "last", 5, 1), *values[-1:]]
    return network


def _fits(value: Tensor, source: Tensor, dim: int) -> bool:
    """Whether two values can stand behind one another along a dimension."""
    sizes = [(one, other) for d, (one, other) in enumerate(zip(value.shape, source.shape, strict=True)) if d != dim]
    return all(one == other for one, other in sizes)


@settings(max_examples=3)
@given(branches())
def test_random_branches_are_one_stream(network: Network) -> None:
    program = compile_network(network)
    found = program(image_for(network))
    for result, expected in zip(found, network.expected(image_for(network)), strict=True):
        np.testing.assert_array_equal(result, expected)
    assert vtac.check(program) == []
    assert len(program.devices) == 1


@settings(max_examples=2)
@given(branches(8))
def test_random_branches_on_batch_2_block_8(network: Network) -> None:
    program = compile_network(network, BATCH_2)
    found = program(image_for(network))
    for result, expected in zip(found, network.expected(image_for(network)), strict=True):
        np.testing.assert_array_equal(result, expected)
    assert vtac.check(program) == []


@settings(max_examples=3)
@given(branches())
def test_every_level_gives_the_same_numbers(network: Network) -> None:
    image = image_for(network)
    module: ModuleOp = prepare(network.module(), None, None)
    for step in (PackForVta(), GroupDeviceCalls(), PlaceTensors(), PlaceTensors(), MergeDeviceFunctions()):
        step.apply(make_context(), module)
        module.verify()
        found = evaluate(module, image)
        for result, expected in zip(found, network.expected(image), strict=True):
            np.testing.assert_array_equal(result, expected)


def test_squeezenet_is_one_stream_of_which_every_layer_is_exact() -> None:
    network = squeezenet(32, 10)
    program = compile_network(network)
    assert_exact(network, program)
    assert len(program.devices) == 1


@st.composite
def upsampled(draw: st.DrawFn) -> Network:
    """Rows that become images, upsampled or convolved, joined with what was before, transposed or not."""
    network = Network(
        "decoder", (draw(st.integers(1, 2)), draw(st.integers(1, 20))), draw(st.integers(0, 99)), "latent"
    )
    channels, height, width = 16 * draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(2, 3))
    rows = network.linear(network.input, "rows", channels * height * width)
    shape = (network.input.shape[0], channels, height, width)
    value = network.expand(rows, "images", shape, [[0], [1, 2, 3]])
    value = network.convolution(value, "first", 16 * draw(st.integers(1, 2)), 3)
    for number in range(draw(st.integers(1, 2))):
        wide = network.upsample(value, f"wide{number}", draw(st.integers(2, 3)) if number == 0 else 2)
        if draw(st.booleans()):
            wide = network.concatenate([wide, network.convolution(wide, f"side{number}", 16, 1)], f"joined{number}")
        value = network.convolution(wide, f"conv{number}", 16, 3)
    if draw(st.booleans()):
        value = network.transposed_convolution(value, "transposed", 16, kernel=4, stride=2, padding=1)
    network.convolution(value, "last", 5, 3)
    return network


@settings(max_examples=3)
@given(upsampled())
def test_decoders_are_one_stream(network: Network) -> None:
    program, latent = compile_network(network), image_for(network)
    np.testing.assert_array_equal(program(latent), network.expected(latent)[0])
    assert vtac.check(program) == []
    assert len(program.devices) == 1


_BORDER = """
func.func @net(%x: tensor<1x16x4x5xi8>, %k: tensor<16x16x1x1xi8>, %k3: tensor<16x16x3x3xi8>) -> tensor<1x16x4x5xi32> {
  %zero = arith.constant 0 : i32
  %edge = arith.constant -128 : i8
  %e = tensor.empty() : tensor<1x16x4x5xi32>
  %s = linalg.fill ins(%zero : i32) outs(%e : tensor<1x16x4x5xi32>) -> tensor<1x16x4x5xi32>
  %z = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%x, %k : tensor<1x16x4x5xi8>, tensor<16x16x1x1xi8>) outs(%s : tensor<1x16x4x5xi32>) -> tensor<1x16x4x5xi32>
  %e8 = tensor.empty() : tensor<1x16x4x5xi8>
  %y = linalg.generic {
      indexing_maps = [affine_map<(n, c, h, w) -> (n, c, h, w)>, affine_map<(n, c, h, w) -> (n, c, h, w)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%z : tensor<1x16x4x5xi32>) outs(%e8 : tensor<1x16x4x5xi8>) {
  ^bb0(%a: i32, %o: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> tensor<1x16x4x5xi8>
  %p = tensor.pad %y low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %m: index, %n: index):
    tensor.yield %edge : i8
  } : tensor<1x16x4x5xi8> to tensor<1x16x6x7xi8>
  %r = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%p, %k3 : tensor<1x16x6x7xi8>, tensor<16x16x3x3xi8>) outs(%s : tensor<1x16x4x5xi32>) -> tensor<1x16x4x5xi32>
  func.return %r : tensor<1x16x4x5xi32>
}
"""


def test_a_border_of_a_number_is_there_before_what_it_surrounds(tmp_path: Path) -> None:
    """In every run, of the program as compiled and as saved: kernels store inside of it only."""
    random = np.random.default_rng(0)
    x, k, k3 = (
        random.integers(-128, 128, shape).astype(np.int8) for shape in ((1, 16, 4, 5), (16, 16, 1, 1), (16, 16, 3, 3))
    )
    expected = evaluate(parse(_BORDER), x, k, k3)
    program = vtac.compile(_BORDER)
    for _ in range(2):
        np.testing.assert_array_equal(program(x, k, k3), expected)
    assert vtac.check(program) == []
    assert [buffer.shape for buffer in program.stream.buffers if buffer.role == "filled"] == [(1, 1, 6, 7, 1, 16)]
    program.save(tmp_path)
    np.testing.assert_array_equal(vtac.load_program(tmp_path)(x, k, k3), expected)


def test_what_the_host_has_comes_before_what_the_device_adds() -> None:
    """A tensor that the host begins is not whole when the device gets it: it comes in tiles from its first part on."""
    begun = _BORDER.replace(
        "  %p = tensor.pad %y low[0, 0, 1, 1] high[0, 0, 1, 1] {\n"
        "  ^bb0(%i: index, %j: index, %m: index, %n: index):\n    tensor.yield %edge : i8\n"
        "  } : tensor<1x16x4x5xi8> to tensor<1x16x6x7xi8>\n",
        "  %row = tensor.extract_slice %x[0, 0, 0, 0] [1, 16, 2, 5] [1, 1, 1, 1] : "
        "tensor<1x16x4x5xi8> to tensor<1x16x2x5xi8>\n"
        "  %p0 = tensor.empty() : tensor<1x16x6x5xi8>\n"
        "  %p1 = tensor.insert_slice %row into %p0[0, 0, 1, 0] [1, 16, 2, 5] [1, 1, 3, 1] : "
        "tensor<1x16x2x5xi8> into tensor<1x16x6x5xi8>\n"
        "  %p2 = tensor.insert_slice %row into %p1[0, 0, 2, 0] [1, 16, 2, 5] [1, 1, 3, 1] : "
        "tensor<1x16x2x5xi8> into tensor<1x16x6x5xi8>\n"
        "  %half = tensor.extract_slice %y[0, 0, 1, 0] [1, 16, 2, 5] [1, 1, 1, 1] : "
        "tensor<1x16x4x5xi8> to tensor<1x16x2x5xi8>\n"
        "  %p = tensor.insert_slice %half into %p2[0, 0, 0, 0] [1, 16, 2, 5] [1, 1, 3, 1] : "
        "tensor<1x16x2x5xi8> into tensor<1x16x6x5xi8>\n",
    ).replace("tensor<1x16x6x7xi8>", "tensor<1x16x6x5xi8>")
    begun = begun.replace("3x3xi8>", "3x1xi8>")
    random = np.random.default_rng(1)
    shapes = ((1, 16, 4, 5), (16, 16, 1, 1), (16, 16, 3, 1))
    x, k, k3 = (random.integers(-128, 128, shape).astype(np.int8) for shape in shapes)
    program = vtac.compile(begun)
    np.testing.assert_array_equal(program(x, k, k3), evaluate(parse(begun), x, k, k3))
    assert vtac.check(program) == []


def _dense() -> Network:
    """Each layer reads all before it."""
    network = Network("dense", (1, 16, 4, 4), seed=3)
    values = [network.convolution(network.input, "stem", 16, 1)]
    for number in range(3):
        joined = network.concatenate(list(values), f"joined{number}") if number else values[0]
        values.append(network.convolution(joined, f"layer{number}", 16, 3))
    network.convolution(network.concatenate(list(values), "all"), "end", 16, 1)
    return network


def test_dense_connections_grow_in_one_buffer() -> None:
    program = compile_network(_dense())
    assert_exact(_dense(), program)
    kernels = {kernel.name: kernel for kernel in program.stream.kernels}
    assert list(kernels) == ["stem", "layer0", "layer1", "layer2", "end"]
    assert len({name for layer in ("stem", "layer0", "layer1", "layer2") for name in kernels[layer].writes}) == 1
    offsets = [part.offset for name in kernels for part in kernels[name].parts if part is not None]
    assert offsets == [0, 256, 512, 768]


def test_parts_are_saved_with_a_program(tmp_path: Path) -> None:
    network = _dense()
    program, image = compile_network(network), image_for(network)
    program.save(tmp_path, [image])
    loaded = cast(HostProgram, vtac.load_program(tmp_path))
    _, before = run_with_intermediates(program, (image,))
    _, after = run_with_intermediates(loaded, (image,))
    assert before.keys() == after.keys()
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])


@pytest.mark.parametrize("wrong", ['"offset": 100000', '"offset": -1', '"offset": "0"'])
def test_a_saved_part_outside_of_its_buffer_is_refused(tmp_path: Path, wrong: str) -> None:
    compile_network(_dense()).save(tmp_path)
    path = tmp_path / "program.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"offset": 256', wrong), encoding="utf-8")
    with pytest.raises(vtac.VtacError, match="'parts', if any, says for each written buffer which part of it"):
        vtac.load_program(tmp_path)


def test_a_part_is_evaluated_as_a_tensor_of_its_shape() -> None:
    """Strides say where elements lie, not which they are: a function on tensors and its loops give the same."""
    text = """
func.func @parts(%a: tensor<2x3xi8> {packing.strides = array<i64: 12, 2>})
    -> (tensor<2x3xi8> {packing.strides = array<i64: 9, 1>}) {
  %e = tensor.empty() : tensor<2x3xi8>
  %c = linalg.add ins(%a, %a : tensor<2x3xi8>, tensor<2x3xi8>) outs(%e : tensor<2x3xi8>) -> tensor<2x3xi8>
  func.return %c : tensor<2x3xi8>
}
"""
    module, array = parse(text), np.arange(6, dtype=np.int8).reshape(2, 3)
    before = evaluate(module, array)
    ConvertLinalgToSchedule().apply(make_context(), module)
    np.testing.assert_array_equal(evaluate(module, array), before)
