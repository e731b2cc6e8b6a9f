"""What a program says of itself: the share of the VTA, every host operation and every break, saved and loaded alike."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import vtac
from vtac.partition.host_work import remedy_of_dimensions
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.workloads.networks.network import Network

WIDE = """func.func @net(%x: tensor<4x8xf32>, %w: tensor<8x16xf32>) -> tensor<4x16xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x16xf32>
  %s = linalg.fill ins(%zero : f32) outs(%e : tensor<4x16xf32>) -> tensor<4x16xf32>
  %p = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x16xf32>) outs(%s : tensor<4x16xf32>) -> tensor<4x16xf32>
  func.return %p : tensor<4x16xf32>
}
"""
ID = "affine_map<(d0, d1) -> (d0, d1)>"
WORDS = "tensor<16x16xi32>"
PARALLEL = 'iterator_types = ["parallel", "parallel"]'
BETWEEN = {
    "exponential": (
        "%q = arith.sitofp %v : i8 to f32\n %f = math.exp %q : f32\n %y = arith.fptosi %f : f32 to i8",
        "write it in integers, as by quantising the model",
    ),
    "division": (
        "%c = arith.constant 3 : i8\n %y = arith.divsi %v, %c : i8",
        "use additions, maxima, minima, shifts and products with constants, on i8 and i32",
    ),
    "product": ("%y = arith.muli %v, %v : i8", "use additions, maxima, minima"),
    "remainder": ("%c = arith.constant 3 : i8\n %y = arith.remsi %v, %c : i8", "use additions, maxima, minima"),
}


def between(body: str) -> str:
    """A product, an elementwise operation on line 13, and another product."""
    kind, wide = "tensor<16x16xi8>", "tensor<16x16xi32>"

    def product(source: str, name: str) -> str:
        return (
            f"  %p{name} = linalg.matmul ins(%{source}, %w : {kind}, {kind}) outs(%s : {wide}) -> {wide}\n"
            f'  %{name} = linalg.generic {{indexing_maps = [{ID}, {ID}], iterator_types = ["parallel", "parallel"]}}\n'
            f"      ins(%p{name} : {wide}) outs(%e : {kind}) {{\n  ^bb0(%v: i32, %o: i8):\n"
            f"    %y = arith.trunci %v : i32 to i8\n    linalg.yield %y : i8\n  }} -> {kind}\n"
        )

    return (
        f"func.func @net(%x: {kind}, %w: {kind}) -> {kind} {{\n  %zero = arith.constant 0 : i32\n"
        f"  %e = tensor.empty() : {kind}\n  %t = tensor.empty() : {wide}\n"
        f"  %s = linalg.fill ins(%zero : i32) outs(%t : {wide}) -> {wide}\n{product('x', 'a')}"
        f'  %h = linalg.generic {{indexing_maps = [{ID}, {ID}], iterator_types = ["parallel", "parallel"]}}\n'
        f"      ins(%a : {kind}) outs(%e : {kind}) {{\n  ^bb0(%v: i8, %o: i8):\n{body}\n    linalg.yield %y : i8\n"
        f"  }} -> {kind}\n{product('h', 'b')}  func.return %b : {kind}\n}}\n"
    )


def saved(program: VtaProgram, folder: Path) -> VtaProgram:
    program.save(folder)
    return vtac.load_program(folder, "vta")


@pytest.mark.parametrize(("body", "remedy"), BETWEEN.values(), ids=BETWEEN)
def test_each_host_operation_breaks_the_stream_where_it_stands(body: str, remedy: str, tmp_path: Path) -> None:
    program = vtac.compile(between(body))
    host, broken = program.choices
    assert re.fullmatch(
        rf"host: 'linalg.generic' cannot run on the VTA: .* \(<string>:13:8, 256 elements\); {remedy}.*", host
    )
    assert broken.startswith(
        "stream break: between net_0 and net_1 the host does 'linalg.generic' (<string>:13:8, 256 bytes through its "
    )
    assert program.summary == {
        "contractions": 2,
        "contractions_on_vta": 2,
        "macs": 2 * 16**3,
        "macs_on_vta": 2 * 16**3,
        "streams": 2,
        "host_operations": ["linalg.generic"],
    }
    line = "2 of 2 contractions (100 % of MACs) on the VTA, 2 streams; the host computes 1 operation (linalg.generic)"
    assert str(program).splitlines()[0] == line
    loaded = saved(program, tmp_path)
    assert (loaded.choices, loaded.summary, str(loaded)) == (program.choices, program.summary, str(program))


def test_a_float_model_is_told_to_be_quantised(tmp_path: Path) -> None:
    program = vtac.compile(WIDE)
    line = "0 of 1 contraction, 0 % of MACs on the VTA; the VTA computes in int8: quantise the model"
    assert str(program).startswith(line + "\n")
    assert "<string>:5:8, 512 MACs" in program.choices[0]
    assert program.summary["macs"] == 512 and program.summary["macs_on_vta"] == 0
    assert str(saved(program, tmp_path)) == str(program)


def test_a_part_on_the_host_is_a_share() -> None:
    network = Network("net", (4, 32), 0)
    value = network.linear(network.input, "first", 48)
    module = between("%c = arith.constant 3 : i8\n %y = arith.divsi %v, %c : i8")
    module = module.replace("%h, %w : tensor<16x16xi8>, tensor<16x16xi8>", f"%pa, %pa : {WORDS}, {WORDS}")
    assert vtac.compile(network.module()).summary["contractions_on_vta"] == 1 and value.shape == (4, 48)
    found = vtac.compile(module).work_line
    assert found.startswith("1 of 2 contractions (50.0 % of MACs) on the VTA")


def test_a_stream_under_a_schedule_counts_its_products(tmp_path: Path) -> None:
    program = vtac.compile(Path(__file__).parents[4] / "examples/vta_matmul.mlir")
    assert program.work_line == "1 of 1 contraction (100 % of MACs) on the VTA, one stream"
    assert str(saved(program, tmp_path)) == str(program)


ONE_DIMENSION = """func.func @f(%x: tensor<1x32x14xi8>, %w: tensor<16x32x3xi8>) -> tensor<1x16x12xi32> {
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x16x12xi32>
  %f = linalg.fill ins(%z : i32) outs(%e : tensor<1x16x12xi32>) -> tensor<1x16x12xi32>
  %c = linalg.conv_1d_ncw_fcw {strides = dense<1> : tensor<1xi64>, dilations = dense<1> : tensor<1xi64>}
      ins(%x, %w : tensor<1x32x14xi8>, tensor<16x32x3xi8>) outs(%f : tensor<1x16x12xi32>) -> tensor<1x16x12xi32>
  func.return %c : tensor<1x16x12xi32>
}
"""
TWO_DIMENSIONS = """func.func @f(%x: tensor<1x32x14xi8>, %w: tensor<16x32x3xi8>) -> tensor<1x16x12xi32> {
  %x2 = tensor.expand_shape %x [[0], [1], [2, 3]] output_shape [1, 32, 1, 14]
      : tensor<1x32x14xi8> into tensor<1x32x1x14xi8>
  %w2 = tensor.expand_shape %w [[0], [1], [2, 3]] output_shape [16, 32, 1, 3]
      : tensor<16x32x3xi8> into tensor<16x32x1x3xi8>
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x16x1x12xi32>
  %f = linalg.fill ins(%z : i32) outs(%e : tensor<1x16x1x12xi32>) -> tensor<1x16x1x12xi32>
  %c = linalg.conv_2d_nchw_fchw {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%x2, %w2 : tensor<1x32x1x14xi8>, tensor<16x32x1x3xi8>) outs(%f : tensor<1x16x1x12xi32>)
      -> tensor<1x16x1x12xi32>
  %r = tensor.collapse_shape %c [[0], [1], [2, 3]] : tensor<1x16x1x12xi32> into tensor<1x16x12xi32>
  func.return %r : tensor<1x16x12xi32>
}
"""


def test_a_convolution_of_one_dimension_is_told_how_it_becomes_one_of_two() -> None:
    alone, written = vtac.compile(ONE_DIMENSION), vtac.compile(TWO_DIMENSIONS)
    said = "; write it as linalg.conv_2d_nchw_fchw with a height of 1: tensor.expand_shape gives data and weights that"
    assert any("'linalg.conv_1d_ncw_fcw' cannot run" in choice and said in choice for choice in alone.choices)
    assert (alone.summary["macs_on_vta"], written.summary["macs_on_vta"] > 0) == (0, True)
    random = np.random.default_rng(0)
    x, w = (random.integers(-128, 128, shape, dtype=np.int8) for shape in ((1, 32, 14), (16, 32, 3)))
    assert np.array_equal(alone(x, w), written(x, w))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("linalg.conv_1d_nwc_wcf", "linalg.conv_2d_nhwc_hwcf with a height of 1: "),
        ("linalg.depthwise_conv_1d_ncw_cw", "linalg.depthwise_conv_2d_nchw_chw with a height of 1: "),
        ("linalg.conv_1d", "linalg.conv_2d_nchw_fchw with a height of 1, one channel and one feature: "),
        ("linalg.conv_3d_ndhwc_dhwcf", "convolutions of two dimensions, one for each plane of the window"),
        ("linalg.matmul", ""),
    ],
)
def test_named_convolutions_of_other_dimensions_have_a_remedy(name: str, said: str) -> None:
    assert remedy_of_dimensions(name).startswith(f"write it as {said}" if said else "")
    assert bool(remedy_of_dimensions(name)) == bool(said)
