"""Rehearsals of tilings against the cycles and bytes of their programs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from packed_layers import PackedLayer

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.errors import TilingError
from vtac.schedule import Schedule
from vtac.targets.vta.machine.counters import count
from vtac.targets.vta.machine.stream import decode_stream
from vtac.targets.vta.schedules.outline import outline_of
from vtac.targets.vta.schedules.ranking import candidates
from vtac.targets.vta.schedules.rehearsal import rehearse
from vtac.targets.vta.schedules.search import layers_of, lower_tilings
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.stream.build import build_program
from vtac.workloads.conv2d import Conv2D

SMALL = VTAConfig(log_inp_buff_size=13, log_wgt_buff_size=16, log_acc_buff_size=15)
BLOCK32 = VTAConfig(log_block=5)


def _errors(text: str, config: VTAConfig, tiling: Tiling | None = None, *, place: int = 0) -> tuple[float, float]:
    """How far a rehearsal's cycles and bytes are off, of that tiling or of the candidate at that place."""
    schedule = Schedule(vtac.parse(text), config=config)
    (layer,) = layers_of(schedule)
    if tiling is None:
        ranked = candidates(layer, config)[:-1]
        tiling = ranked[place % min(6, len(ranked))].tiling
    program = build_program(lower_tilings(schedule, [(layer, tiling)]).module)
    outline = outline_of(layer, tiling, config)
    stream = decode_stream(program.instructions, config)
    nbytes = sum(value for name, value in count(stream).items() if name.endswith("_nbytes"))
    return rehearse(outline) / program.cycles - 1, outline.nbytes(config) / nbytes - 1


@st.composite
def convolutions(draw: st.DrawFn) -> Conv2D:
    kernel = draw(st.sampled_from([1, 1, 3, 3, 5]))
    size, stride = draw(st.sampled_from([7, 14, 28])), draw(st.sampled_from([1, 1, 2]))
    channels = st.sampled_from([32, 64, 128])
    return Conv2D(1, size, size, draw(channels), draw(channels), kernel, kernel // 2, stride)


@settings(max_examples=12)
@given(convolutions(), st.integers(0, 5), st.booleans())
def test_the_cycles_of_what_is_ranked_are_within_five_percent(conv: Conv2D, place: int, small: bool) -> None:
    config = SMALL if small else VTAConfig()
    try:
        cycles, nbytes = _errors(replace(conv, config=config).text(), config, place=place)
    except TilingError:
        reject()
    assert abs(cycles) < 0.05
    assert abs(nbytes) < 0.05


C8 = Conv2D(1, 28, 28, 128, 256, 1, 0, 2)
C9 = Conv2D(1, 14, 14, 256, 256)
C11 = Conv2D(1, 14, 14, 256, 512, 1, 0, 2)


@pytest.mark.parametrize(
    ("conv", "tiling"),
    [
        pytest.param(
            C9, Tiling((1, 8, 14, 14), inp=10, wgt=2, pieces=8, skip=True), id="passes rotate, padding skipped"
        ),
        pytest.param(
            C9, Tiling((1, 8, 7, 14), 2, inp=2, wgt=2, acc=2, pieces=2, taps=True), id="a kernel for each tap"
        ),
        pytest.param(C9, Tiling((1, 4, 2, 7), 4, inp=1, wgt=1, pieces=2), id="single copies, many tiles"),
        pytest.param(C8, Tiling((1, 8, 7, 7), 2, inp=8, wgt=2, acc=2, pieces=2), id="columns gathered"),
        pytest.param(C8, Tiling((1, 4, 14, 2), 4, True, inp=2, wgt=3, acc=2), id="weights inside, rows cut"),
        pytest.param(C8, Tiling((1, 4, 5, 14), 4, inp=2, wgt=2), id="smaller tiles at the ends"),
        pytest.param(C11, Tiling((1, 8, 7, 7), inp=10, wgt=2, pieces=8), id="rows of inputs between weights"),
    ],
)
def test_every_kind_of_program(conv: Conv2D, tiling: Tiling) -> None:
    cycles, nbytes = _errors(conv.text(), VTAConfig(), tiling)
    assert abs(cycles) < 0.04
    assert abs(nbytes) < 0.02


@pytest.mark.parametrize(
    ("conv", "tiling"),
    [
        pytest.param(C8, Tiling((1, 4, 14, 7), inp=2, wgt=3, acc=2, threads=2), id="copies, weights again by thread"),
        pytest.param(C9, Tiling((1, 4, 2, 7), 4, threads=2), id="single copies"),
        pytest.param(C9, Tiling((1, 2, 14, 7), 2, wgt=2, taps=True, pieces=2, threads=2), id="taps and pieces"),
        pytest.param(C8, Tiling((1, 2, 7, 14), 2, True, inp=2, wgt=2, acc=2, threads=2), id="weights inside"),
    ],
)
def test_virtual_threads_take_turns_unit_by_unit(conv: Conv2D, tiling: Tiling) -> None:
    cycles, nbytes = _errors(conv.text(), VTAConfig(), tiling)
    assert abs(cycles) < 0.06
    assert abs(nbytes) < 0.02


@pytest.mark.parametrize(
    ("conv", "tiling"),
    [
        pytest.param(
            Conv2D(1, 56, 56, 64, 64, 1, 0),
            Tiling((1, 1, 4, 14), inp=4, outside=4, threads=2),
            id="weights first, then inputs",
        ),
        pytest.param(
            Conv2D(1, 56, 56, 64, 128, 1, 0, 2),
            Tiling((1, 2, 7, 14), 2, threads=2),
            id="a single pass goes on with what follows",
        ),
    ],
)
def test_what_one_unit_of_a_thread_does_in_a_row_is_a_turn(conv: Conv2D, tiling: Tiling) -> None:
    cycles, nbytes = _errors(replace(conv, config=BLOCK32).text(), BLOCK32, tiling)
    assert abs(cycles) < 0.02
    assert abs(nbytes) < 0.02


def test_tiles_that_are_not_followed_leave_their_weights_on_chip() -> None:
    """36 copies of weights hold those of half the tiles, and nothing for the next column of tiles."""
    conv = Conv2D(1, 14, 14, 96, 576, 1, 0, config=SMALL)
    tiling = Tiling((1, 2, 7, 2), 3, inp=4, wgt=36, acc=2, outside=4)
    cycles, nbytes = _errors(conv.text(), SMALL, tiling)
    assert abs(cycles) < 0.04
    assert abs(nbytes) < 0.02


def test_operands_that_the_innermost_loop_moves_are_loaded_behind_the_products() -> None:
    layer = PackedLayer((1, 16, 7, 7))
    layer.product(16)
    layer.argument("bias", (16,), "i32")
    layer.alu("sum", "addi", ["res_conv", "bias"], maps=("d0, d1, d2, d3", "d1"))
    layer.store(layer.alu("act", "shrsi", ["sum"], 6))
    (found,) = layers_of(Schedule(vtac.parse(layer.text())))
    inside = outline_of(found, Tiling((1, 4, 1, 7), 8, weights_inside=True, inp=2, wgt=2, acc=2), VTAConfig())
    around = outline_of(found, Tiling((1, 4, 1, 7), 8, inp=2, wgt=2, acc=2), VTAConfig())
    assert [number for number, step in enumerate(inside.kernels[:4]) if step.wide.loads] == [3]
    assert [number for number, step in enumerate(around.kernels[:4]) if step.wide.loads] == [0]


def test_inputs_that_are_streamed_are_those_of_one_position_of_the_window() -> None:
    conv, tiling = Conv2D(1, 5, 5, 16, 16), Tiling((1, 1, 1, 1), streamed=True)
    cycles, nbytes = _errors(conv.text(), VTAConfig(), tiling)
    assert abs(cycles) < 0.06
    assert abs(nbytes) < 0.02


def test_short_inner_loops_are_followed_through_several_rounds() -> None:
    conv, tiling = Conv2D(1, 56, 56, 160, 32, 1, 0), Tiling((1, 1, 1, 28), 10, inp=2, acc=2, weights_inside=True)
    (layer,) = layers_of(Schedule(vtac.parse(conv.text())))
    outline = outline_of(layer, tiling, VTAConfig())
    assert len(outline.tiles) >= 40
    assert sum(tile.weight for tile in outline.tiles) == 2 * 56 * 2
    cycles, nbytes = _errors(conv.text(), VTAConfig(), tiling)
    assert abs(cycles) < 0.05
    assert abs(nbytes) < 0.02


def test_loops_over_many_tiles_are_followed_in_part() -> None:
    conv, tiling = Conv2D(1, 56, 56, 64, 64), Tiling((1, 2, 2, 14), 2, inp=2, wgt=2, acc=2)
    (layer,) = layers_of(Schedule(vtac.parse(conv.text())))
    outline = outline_of(layer, tiling, VTAConfig())
    assert len(outline.tiles) < 2 * 28 * 4
    assert sum(tile.weight for tile in outline.tiles) == 2 * 28 * 4
    cycles, nbytes = _errors(conv.text(), VTAConfig(), tiling)
    assert abs(cycles) < 0.05
    assert abs(nbytes) < 0.02


def test_the_last_tiles_which_wait_for_no_more_loads_stand_for_themselves() -> None:
    """Sums with int32 operands, whose loads wait for those of weights: two tiles' at the end are short."""
    layer = PackedLayer((1, 256, 1, 1))
    layer.product(128)
    layer.argument("bias", (1, 256, 1, 1), "i32")
    layer.alu("sum", "addi", ["res_conv", "bias"])
    layer.store(layer.alu("act", "shrsi", ["sum"], 6))
    cycles, nbytes = _errors(layer.text(), VTAConfig(), Tiling((1, 2, 1, 1), 128, wgt=2, acc=2, pieces=2))
    assert abs(cycles) < 0.05
    assert abs(nbytes) < 0.02


def test_int8_operands_are_loaded_by_tile_and_read_by_piece() -> None:
    layer = PackedLayer((1, 8, 14, 14))
    layer.product(8)
    layer.argument("skip", (1, 8, 14, 14), "i8")
    layer.narrow("wide", "skip")
    layer.alu("sum", "addi", ["res_conv", "wide"])
    layer.store(layer.alu("act", "shrsi", ["sum"], 6))
    cycles, nbytes = _errors(layer.text(), VTAConfig(), Tiling((1, 4, 7, 14), 4, inp=2, wgt=2, acc=2, pieces=2))
    assert abs(cycles) < 0.05
    assert abs(nbytes) < 0.02


def test_layers_without_a_contraction_too() -> None:
    layer = PackedLayer((1, 4, 28, 28))
    left, right = (layer.argument(name, (1, 4, 28, 28), "i8") for name in ("left", "right"))
    layer.narrow("one", left)
    layer.narrow("two", right, start="one")
    layer.store(layer.alu("act", "maxsi", ["two"], 0))
    cycles, nbytes = _errors(layer.text(), VTAConfig())
    assert abs(cycles) < 0.05
    assert abs(nbytes) < 0.02


def test_sums_that_are_stored_as_they_are() -> None:
    layer = PackedLayer((1, 8, 14, 14))
    layer.store(layer.product(8))
    cycles, nbytes = _errors(layer.text(), VTAConfig(), Tiling((1, 4, 7, 14), 4, inp=2, wgt=2, acc=2))
    assert abs(cycles) < 0.05
    assert abs(nbytes) < 0.02
