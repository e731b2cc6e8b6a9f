"""Convolutions in steps whose window has one column or one row, padded along the other: what their loads bring."""

from __future__ import annotations

import random

import pytest
from rehearsed_layers import rehearsal_errors

import vtac
from vtac.analysis.ir.device_functions import device_functions
from vtac.dialects.hardware import VTAConfig
from vtac.passes.vta.isolate_device_functions import isolated
from vtac.preparation import prepare
from vtac.schedule import Schedule
from vtac.targets.vta.linking.plain import split_plain
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.ranking import candidates
from vtac.targets.vta.schedules.search import layers_of
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.target import VTA
from vtac.targets.vta.tuning.space import space_of

TINY = VTAConfig(log_inp_buff_size=11, log_wgt_buff_size=15, log_acc_buff_size=13)


def text(rows: int, columns: int) -> str:
    """32 channels of 14x14 in steps of two, with a window of so many rows and columns; padded where that has three."""
    high, wide = 14 + rows - 1, 14 + columns - 1
    data, padded = "tensor<1x32x14x14xi8>", f"tensor<1x32x{high}x{wide}xi8>"
    kernel, total, result = f"tensor<32x32x{rows}x{columns}xi8>", "tensor<1x32x7x7xi32>", "tensor<1x32x7x7xi8>"
    same = "affine_map<(a, b, c, d) -> (a, b, c, d)>"
    module = vtac.parse(f"""func.func @steps(%x: {data}, %k: {kernel}) -> {result} {{
  %zero = arith.constant 0 : i8
  %pad = tensor.pad %x low[0, 0, {rows // 2}, {columns // 2}] high[0, 0, {rows // 2}, {columns // 2}] {{
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : i8
  }} : {data} to {padded}
  %none = arith.constant 0 : i32
  %e = tensor.empty() : {total}
  %i = linalg.fill ins(%none : i32) outs(%e : {total}) -> {total}
  %s = linalg.conv_2d_nchw_fchw {{strides = dense<2> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}}
      ins(%pad, %k : {padded}, {kernel}) outs(%i : {total}) -> {total}
  %n = tensor.empty() : {result}
  %r = linalg.generic {{indexing_maps = [{same}, {same}],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}} ins(%s : {total}) outs(%n : {result}) {{
  ^bb0(%p: i32, %q: i8):
    %y = arith.trunci %p : i32 to i8
    linalg.yield %y : i8
  }} -> {result}
  func.return %r : {result}
}}
""")
    prepared = prepare(module, VTA, TINY, None)
    split_plain(prepared, phase="owned")
    (found,) = [str(isolated(one, prepared)) for one in device_functions(prepared)]
    return found


def layer_of(found: str) -> Layer:
    (layer,) = layers_of(Schedule(vtac.parse(found), config=TINY))
    return layer


@pytest.mark.parametrize(("rows", "columns"), [(3, 1), (1, 3)])
@pytest.mark.parametrize("tiling", [Tiling((1, 2, 1, 7), acc=2), Tiling((1, 1, 1, 7), inp=2, acc=2, taps=True)])
def test_loads_that_pad_are_rehearsed_with_what_lies_between_steps(rows: int, columns: int, tiling: Tiling) -> None:
    cycles, nbytes, _ = rehearsal_errors(text(rows, columns), TINY, tiling)
    assert abs(cycles) < 0.03
    assert nbytes == 0


@pytest.mark.parametrize(("rows", "columns"), [(3, 1), (1, 3)])
def test_every_tiling_that_is_ranked_has_room(rows: int, columns: int) -> None:
    found = text(rows, columns)
    for one in candidates(layer_of(found), TINY)[:8]:
        _, nbytes, _ = rehearsal_errors(found, TINY, one.tiling)
        assert nbytes == 0


def test_tilings_of_the_space_have_room() -> None:
    found = text(3, 1)
    space = space_of(layer_of(found), TINY)
    for place in random.Random(2).sample(range(len(space)), 6):
        rehearsal_errors(found, TINY, space.member(place).tiling)


def test_a_tiling_without_room_between_steps_is_not_ranked() -> None:
    """15 rows of 13 columns are 195 tiles, where 128 fit: without the columns that nothing reads these would be 105."""
    found = text(3, 1)
    ranked = [one.tiling for one in candidates(layer_of(found), TINY)]
    assert not [one for one in ranked if one.tile[2:] == (7, 7) and not one.skip and not one.streamed]
    with pytest.raises(vtac.VtacError, match="overflows INP: 195 of 128 elements"):
        rehearsal_errors(found, TINY, Tiling((1, 2, 7, 7), taps=True))
