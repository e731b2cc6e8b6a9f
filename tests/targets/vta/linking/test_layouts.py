"""Packing and unpacking by numpy, and what packed functions look like."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_programs import PlainConv, elementwise, run_against_numpy

import vtac
from vtac.dialects.packing import packed_shape
from vtac.evaluate.host import packed, unpacked
from vtac.targets.vta.passes.pack_for_vta import PackForVta
from vtac.text.context import make_context
from vtac.workloads.conv2d import Conv2D
from vtac.workloads.linalg_text import tensor
from vtac.workloads.reference import pack_images


@settings(max_examples=40)
@given(st.data())
def test_unpack_is_the_inverse_of_pack(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 7), min_size=1, max_size=4))
    order = data.draw(st.permutations(range(len(shape))))
    dims = data.draw(st.permutations(range(len(shape))))[: data.draw(st.integers(0, len(shape)))]
    tiles = [data.draw(st.integers(1, 5)) for _ in dims]
    array = np.random.default_rng(0).integers(-9, 9, shape)
    whole = packed(array, dims, tiles, order)
    assert list(whole.shape) == packed_shape(shape, dims, tiles, order)
    assert whole.sum() == array.sum()
    np.testing.assert_array_equal(unpacked(whole, shape, dims, tiles, order), array)


def test_the_layout_of_images() -> None:
    array = np.random.default_rng(0).integers(-9, 9, (4, 32, 3, 5))
    np.testing.assert_array_equal(packed(array, (0, 1), (2, 16), (0, 1, 2, 3)), pack_images(array, 2, 16))


def test_a_packed_convolution_is_the_workload_s() -> None:
    """Same loops, maps, padding and names, so that what schedules the one schedules the other."""
    layer = PlainConv(channels=32, features=16, height=6, width=6, pads=(1, 1, 1, 1))
    module = vtac.parse(layer.text())
    PackForVta().apply(make_context(), module)
    workload = vtac.parse(Conv2D(1, 6, 6, 32, 16).text())
    ours, theirs = (
        {op.results[0].name_hint: op for op in it.walk() if op.name in ("linalg.generic", "tensor.pad")}
        for it in (module, workload)
    )
    assert [name for name in theirs if name in ours] == ["data_buf", "res_conv", "res_shr", "res_max", "res_min", "res"]
    for name in ("data_buf", "res_conv"):
        assert ours[name].properties == theirs[name].properties
        assert [v.type for v in ours[name].operands] == [v.type for v in theirs[name].operands]


def test_a_function_on_tiles_is_left_alone() -> None:
    from vtac.partition.layouts import needs_packing

    assert not needs_packing(vtac.parse(Conv2D().text()))
    assert needs_packing(vtac.parse(PlainConv().text()))


@pytest.mark.parametrize("size", [(1, 16), (16, 16)], ids=["row", "square"])
@pytest.mark.parametrize("element", ["i8", "i32"])
def test_plain_images_of_the_size_of_a_tile_are_packed(size: tuple[int, int], element: str) -> None:
    """Nothing but the sizes speaks for tiles; as tiles they cannot be computed."""
    kind = tensor((1, 3, *size), element)
    body = f"\n    %y = arith.addi %x, %x1 : {element}"
    lines = ["#id = affine_map<(n, c, h, w) -> (n, c, h, w)>", f"func.func @f(%a: {kind}, %b: {kind}) -> {kind} {{"]
    lines += [*elementwise("r", ["%a", "%b"], kind, kind, body), f"  func.return %r : {kind}", "}", ""]
    run_against_numpy("\n".join(lines))
