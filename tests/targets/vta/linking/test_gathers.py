"""Elements extracted at known indices, which slices, repetitions and concatenations give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from xdsl.dialects.tensor import ExtractOp

import vtac
from vtac.errors import CompileError
from vtac.evaluate import evaluate
from vtac.targets.vta.passes.slice_gathers import SliceGathers
from vtac.text.context import make_context
from vtac.workloads.networks.network import Network


def _extracting(source: str, shape: Sequence[int], result: Sequence[int], indices: Sequence[str], body: str) -> str:
    """A linalg.generic that extracts elements of a tensor of i8, as frontends print it."""
    kinds = [f"tensor<{'x'.join(map(str, extents))}xi8>" for extents in (shape, result)]
    loops = "\n".join(f"    %i{dim} = linalg.index {dim} : index" for dim in range(len(result)))
    dims = ", ".join(f"d{dim}" for dim in range(len(result)))
    parallel = ", ".join(['"parallel"'] * len(result))
    return f"""
  %e = tensor.empty() : {kinds[1]}
  %up = linalg.generic {{indexing_maps = [affine_map<({dims}) -> ({dims})>], iterator_types = [{parallel}]}}
      outs(%e : {kinds[1]}) {{
  ^bb0(%o: i8):
{loops}
{body}
    %v = tensor.extract {source}[{", ".join(indices)}] : {kinds[0]}
    linalg.yield %v : i8
  }} -> {kinds[1]}
"""


DIVIDED = """    %f = arith.constant 2 : index
    %h = arith.floordivsi %i2, %f : index
    %w = arith.divui %i3, %f : index"""
SCALED = """    %f = arith.constant 0.5 : f32
    %a = arith.index_cast %i2 : index to i32
    %b = arith.sitofp %a : i32 to f32
    %c = arith.mulf %b, %f : f32
    %d = arith.fptosi %c : f32 to i32
    %h = arith.index_cast %d : i32 to index
    %k = arith.index_cast %i3 : index to i32
    %l = arith.sitofp %k : i32 to f32
    %m = arith.mulf %l, %f : f32
    %p = arith.fptosi %m : f32 to i32
    %w = arith.index_cast %p : i32 to index"""


@pytest.mark.parametrize("body", [DIVIDED, SCALED])
def test_upsampling_between_layers_is_one_stream(body: str) -> None:
    network = Network("net", (1, 5, 4, 6), 0, "x")
    made = network.convolution(network.input, "made", 20, kernel=3)
    up = network.upsample(made, "up", 2)
    network.convolution(up, "read", 9, kernel=3)
    text = network.text()
    start, end = text.index("  %up_spread_empty"), text.index("\n", text.index("  %up = tensor.collapse_shape"))
    written = _extracting("%made", made.shape, up.shape, ("%i0", "%i1", "%h", "%w"), body)
    program = vtac.compile(vtac.bind(vtac.parse(text[:start] + written + text[end:]), network.parameters))
    assert len(program.devices) == 1
    image = np.random.default_rng(2).integers(-128, 128, network.input.shape).astype(np.int8)
    np.testing.assert_array_equal(program(image), network.expected(image)[0])


@settings(max_examples=25)
@given(some.data())
def test_gathers_keep_their_meaning(data: some.DataObject) -> None:
    """Any tables of indices along any loops, on a small tensor."""
    shape = data.draw(some.lists(some.integers(1, 4), min_size=1, max_size=3))
    result = data.draw(some.lists(some.integers(1, 6), min_size=1, max_size=3))
    body, indices, tables = list[str](), list[str](), list[tuple[int | None, list[int]]]()
    for dim, extent in enumerate(shape):
        loop = data.draw(some.sampled_from([None, *range(len(result))]))
        count = 1 if loop is None else result[loop]
        table = data.draw(some.lists(some.integers(0, extent - 1), min_size=count, max_size=count))
        chosen = f"    %t{dim} = arith.constant {table[0]} : index"
        for at, number in enumerate(table[1:], 1) if loop is not None else ():
            body += [
                f"    %at{dim}_{at} = arith.constant {at} : index",
                f"    %is{dim}_{at} = arith.cmpi eq, %i{loop}, %at{dim}_{at} : index",
                f"    %n{dim}_{at} = arith.constant {number} : index",
            ]
        body.append(chosen)
        last = f"%t{dim}"
        for at in range(1, count):
            body.append(f"    %s{dim}_{at} = arith.select %is{dim}_{at}, %n{dim}_{at}, {last} : index")
            last = f"%s{dim}_{at}"
        indices.append(last)
        tables.append((loop, table))
    written = _extracting("%x", shape, result, indices, "\n".join(body))
    kinds = [f"tensor<{'x'.join(map(str, extents))}xi8>" for extents in (shape, result)]
    module = vtac.parse(f"func.func @f(%x: {kinds[0]}) -> {kinds[1]} {{{written}  func.return %up : {kinds[1]}\n}}")
    x = np.arange(np.prod(shape), dtype=np.int8).reshape(shape)
    before = evaluate(module, x)
    SliceGathers().apply(make_context(), module)
    module.verify()
    after = evaluate(module, x)
    assert isinstance(before, np.ndarray) and isinstance(after, np.ndarray)
    np.testing.assert_array_equal(after, before)
    is_one_element = all(loop is None or result[loop] == 1 for loop, _ in tables)
    assert any(isinstance(op, ExtractOp) for op in module.walk()) == is_one_element


def test_one_element_is_the_hosts() -> None:
    text = """func.func @f(%x: tensor<5x7xi8>) -> tensor<i8> {
      %e = tensor.empty() : tensor<i8>
      %i = arith.constant 2 : index
      %y = linalg.generic {indexing_maps = [affine_map<() -> ()>], iterator_types = []} outs(%e : tensor<i8>) {
      ^bb0(%o: i8):
        %picked = tensor.extract %x[%i, %i] : tensor<5x7xi8>
        linalg.yield %picked : i8
      } -> tensor<i8>
      func.return %y : tensor<i8>
    }"""
    x = np.arange(35, dtype=np.int8).reshape(5, 7)
    np.testing.assert_array_equal(vtac.compile(vtac.parse(text))(x), x[2, 2])


def test_refuses_an_index_outside() -> None:
    written = _extracting("%x", (1, 2, 3, 3), (1, 2, 6, 8), ("%i0", "%i1", "%h", "%w"), DIVIDED)
    text = (
        f"func.func @f(%x: tensor<1x2x3x3xi8>) -> tensor<1x2x6x8xi8> {{{written}  return %up : tensor<1x2x6x8xi8>\n}}"
    )
    with pytest.raises(
        CompileError, match=r"reads index 0 to 3 of dimension 3, whose extent is 3; indices from 0 to 2"
    ):
        vtac.compile(vtac.parse(text))


def test_refuses_an_index_without_a_value() -> None:
    body = DIVIDED.replace("%f = arith.constant 2", "%f = arith.constant 0")
    written = _extracting("%x", (1, 2, 3, 4), (1, 2, 6, 8), ("%i0", "%i1", "%h", "%w"), body)
    kind = "tensor<1x2x6x8xi8>"
    text = f"func.func @f(%x: tensor<1x2x3x4xi8>) -> {kind} {{{written}  return %up : {kind}\n}}"
    with pytest.raises(CompileError, match=r"^<string>:\d+:\d+: an index of 'tensor.extract' has no value: .* by 0"):
        vtac.compile(vtac.parse(text))
