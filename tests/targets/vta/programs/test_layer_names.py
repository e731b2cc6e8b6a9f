"""Kernels know the layers of the source that they hold, and what shows a program says so."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import vtac
from vtac.errors import ProgramError
from vtac.models.graph import Input
from vtac.models.layers.activations import Relu
from vtac.models.layers.convolutions import Convolution
from vtac.models.layers.pooling import MaxPool
from vtac.models.layers.products import Linear
from vtac.models.layers.views import Flatten
from vtac.models.model import Model
from vtac.models.windows import Window
from vtac.targets.vta.programs.layer_names import layers_by_place
from vtac.targets.vta.programs.layer_report import layer_reports, layer_table
from vtac.targets.vta.programs.saved_program import load_program
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.text.source import parse
from vtac.tools.listing import Extract, RangeError, listing


def numbers(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)


@pytest.fixture(scope="module")
def program() -> VtaProgram:
    """A convolution that is pooled as it is computed, and a linear layer."""
    layers = (
        Convolution("conv", ("x",), numbers(16, 16, 3, 3), pads=(1, 1, 1, 1)),
        Relu("relu", ("conv",)),
        MaxPool("pool", ("relu",), Window((2, 2), (2, 2))),
        Flatten("flat", ("pool",)),
        Linear("fc", ("flat",), numbers(16, 256)),
    )
    model = Model("net", (Input("x", (1, 16, 8, 8)),), layers, ("fc",))
    return vtac.compile(model.quantize(numbers(4, 16, 8, 8)).module)


def test_a_kernel_holds_the_layers_that_it_computes(program: VtaProgram) -> None:
    assert [(kernel.name, kernel.layers) for kernel in program.stream.kernels] == [
        ("pool", ("conv", "pool")),
        ("fc", ("fc",)),
    ]
    assert program.stream.layers == ("conv", "pool", "fc")


def test_tables_and_listings_name_them(program: VtaProgram) -> None:
    assert [report.title for report in layer_reports(program)] == ["pool (conv)", "fc"]
    assert "\npool (conv) " in layer_table(layer_reports(program))
    assert [line for line in listing(program.stream).splitlines() if line.startswith("# ")] == ["# pool (conv)", "# fc"]


def test_a_layer_is_found_in_the_kernel_that_holds_it(program: VtaProgram) -> None:
    assert listing(program.stream, Extract(layer="conv")) == listing(program.stream, Extract(layer="pool"))
    with pytest.raises(RangeError, match=r"no layer 'softmax' in 'model_vta'; the layers are pool, conv, fc"):
        listing(program.stream, Extract(layer="softmax"))


def test_choices_name_layers(program: VtaProgram) -> None:
    assert program.choices[-1].startswith("fc: an i32 result in four planes of bytes")


def test_they_are_saved(program: VtaProgram, tmp_path: Path) -> None:
    program.save(tmp_path)
    loaded = load_program(tmp_path)
    assert loaded.stream.kernels == program.stream.kernels
    assert loaded.stream.layers == program.stream.layers


@pytest.mark.parametrize("layers", ["conv", [3]])
def test_a_record_whose_layers_are_no_names_is_refused(program: VtaProgram, tmp_path: Path, layers: object) -> None:
    program.save(tmp_path)
    record = json.loads((tmp_path / "program.json").read_text())
    record["kernels"][0]["layers"] = layers
    (tmp_path / "program.json").write_text(json.dumps(record))
    with pytest.raises(ProgramError, match="'layers' must be a list of names"):
        vtac.load_program(tmp_path)


def test_one_kernel_says_what_it_holds() -> None:
    layers = (
        Convolution("conv", ("x",), numbers(16, 16, 3, 3), pads=(1, 1, 1, 1)),
        MaxPool("pool", ("conv",), Window((2, 2), (2, 2))),
    )
    quantised = Model("net", (Input("x", (1, 16, 8, 8)),), layers, ("pool",)).quantize(numbers(4, 16, 8, 8))
    (report,) = layer_reports(vtac.compile(quantised.module))
    assert report.title == "pool (conv)"


def test_a_sum_belongs_to_the_elementwise_layer_behind_it() -> None:
    text = """
!byte = tensor<16x16xi8>
!wide = tensor<16x16xi32>
func.func @f(%x: !byte, %w: !byte) -> !byte {
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : !wide
  %start = linalg.fill ins(%zero : i32) outs(%empty : !wide) -> !wide
  %sum = linalg.matmul ins(%x, %w : !byte, !byte)
    outs(%start : !wide) -> !wide
  %none = tensor.empty() : !byte
  %layer = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>],
    iterator_types = ["parallel", "parallel"]} ins(%sum : !wide) outs(%none : !byte) {
  ^bb0(%a: i32, %o: i8):
    %t = arith.trunci %a : i32 to i8
    linalg.yield %t : i8
  } -> !byte
  func.return %layer : !byte
}
"""
    assert list(layers_by_place(parse(text)).values()) == ["layer", "layer"]


def test_loads_and_stores_name_buffers_of_their_kernel(program: VtaProgram) -> None:
    for kernel in program.stream.kernels:
        lines = listing(program.stream, Extract(layer=kernel.name)).splitlines()
        named = {found[1] for line in lines if (found := re.search(r"# (\w+)\+\d+  ", line))}
        assert named and named <= {*kernel.reads, *kernel.writes, "micro_ops"}
