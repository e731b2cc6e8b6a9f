"""Outlines of tiles that are smaller at the ends, of windows behind a product, and of padding alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from packed_layers import PackedLayer
from xdsl.dialects.builtin import ModuleOp

import vtac
from vtac.analysis.ir.device_functions import device_functions
from vtac.dialects.hardware import VTAConfig
from vtac.passes.vta.isolate_device_functions import isolated
from vtac.preparation import prepare
from vtac.schedule import Schedule
from vtac.targets.vta.linking.plain import split_plain
from vtac.targets.vta.machine.counters import count
from vtac.targets.vta.machine.stream import decode_stream
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.schedules.load_turns import load_turns
from vtac.targets.vta.schedules.outline import outline_of
from vtac.targets.vta.schedules.rehearsal import rehearse
from vtac.targets.vta.schedules.search import layers_of, lower_tilings
from vtac.targets.vta.schedules.steps import KernelStep, LoadStep, Outline, TileEnd
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.schedules.transfers import Block, Chunk, strided_block
from vtac.targets.vta.stream.build import build_program
from vtac.targets.vta.target import VTA
from vtac.workloads.conv2d import Conv2D
from vtac.workloads.networks.catalogue import NETWORKS

EIGHTH = VTAConfig(log_inp_buff_size=12, log_wgt_buff_size=15, log_acc_buff_size=14)
BATCH2 = VTAConfig(log_batch=1)
BLOCK32 = VTAConfig(log_block=5)
BLOCK64 = VTAConfig(log_block=6)


def _errors(text: str, config: VTAConfig, tiling: Tiling) -> tuple[float, float, Program]:
    """How far a rehearsal's cycles and bytes are off those of the program, and that."""
    schedule = Schedule(vtac.parse(text), config=config)
    (layer,) = layers_of(schedule)
    program = build_program(lower_tilings(schedule, [(layer, tiling)]).module)
    outline = outline_of(layer, tiling, config)
    stream = decode_stream(program.instructions, config)
    nbytes = sum(value for name, value in count(stream).items() if name.endswith("_nbytes"))
    return rehearse(outline) / program.cycles - 1, outline.nbytes(config) / nbytes - 1, program


def _pooling(config: VTAConfig) -> str:
    """The largest of 3x3 of 256x27x27, in steps of two, as the layer that the device is given."""
    source, result = "tensor<1x256x27x27xi8>", "tensor<1x256x13x13xi8>"
    steps = "dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>"
    module = vtac.parse(f"""func.func @pool(%x: {source}) -> {result} {{
  %w = tensor.empty() : tensor<3x3xi8>
  %z = arith.constant -128 : i8
  %e = tensor.empty() : {result}
  %i = linalg.fill ins(%z : i8) outs(%e : {result}) -> {result}
  %c = linalg.pooling_nchw_max {{{steps}}} ins(%x, %w : {source}, tensor<3x3xi8>) outs(%i : {result}) -> {result}
  func.return %c : {result}
}}
""")
    (found,) = _functions(module, config).values()
    return found


def _functions(module: ModuleOp, config: VTAConfig) -> dict[str, str]:
    """The layers that the device is given of a program, by name."""
    prepared = prepare(module, VTA, config, None)
    split_plain(prepared, phase="owned")
    return {one.sym_name.data: str(isolated(one, prepared)) for one in device_functions(prepared)}


@pytest.mark.parametrize(
    "tiling",
    [
        Tiling((1, 12, 1, 5), inp=2, wgt=3, acc=2, operands=2),
        Tiling((1, 3, 1, 7), channels=1, inp=2, wgt=2, acc=2),
        Tiling((1, 2, 3, 13), channels=1, inp=2, wgt=2, acc=2),
    ],
)
def test_smaller_tiles_at_the_ends_have_buffers_and_turns_of_their_own(tiling: Tiling) -> None:
    layer = replace(Conv2D(1, 13, 13, 48, 192, 1, 0, 1), config=EIGHTH)
    cycles, nbytes, _ = _errors(layer.text(), EIGHTH, tiling)
    assert abs(cycles) < 0.03
    assert abs(nbytes) < 0.01


def test_smaller_tiles_are_reset_by_one_kernel() -> None:
    layer = replace(Conv2D(1, 13, 13, 48, 192, 1, 0, 1), config=EIGHTH)
    *_, program = _errors(layer.text(), EIGHTH, Tiling((1, 12, 1, 5), inp=2, wgt=3, acc=2))
    assert program.disassemble().count("gemm.reset") == 13 * 3


@pytest.mark.parametrize(
    ("config", "tiling"),
    [
        (EIGHTH, Tiling((1, 1, 1, 13), acc=2, operands=2)),
        (BATCH2, Tiling((1, 1, 13, 13))),
        (BATCH2, Tiling((1, 1, 5, 5))),
    ],
)
def test_windows_wait_for_stores_where_what_is_stored_is_written(config: VTAConfig, tiling: Tiling) -> None:
    cycles, nbytes, _ = _errors(_pooling(config), config, tiling)
    assert abs(cycles) < 0.05
    assert abs(nbytes) < 0.01


def test_tiles_of_one_row_of_windows_are_pooled_where_they_are() -> None:
    """A reset and an addition would copy each row first; other tiles are the same in bits."""
    text = _pooling(EIGHTH)
    *_, rows = _errors(text, EIGHTH, Tiling((1, 1, 1, 13), acc=2, operands=2))
    *_, others = _errors(text, EIGHTH, Tiling((1, 1, 2, 5)))
    tiles = 16 * 13
    assert rows.disassemble().count("alu.add") == tiles
    data = np.random.default_rng(5).integers(-128, 128, rows.arguments[0].shape).astype(np.int8)
    rest = [np.ones(one.shape, np.int8) for one in rows.arguments[1:]]
    np.testing.assert_array_equal(rows(data, *rest), others(data, *rest))


def test_chunks_of_padding_alone_are_waited_for_by_nothing() -> None:
    nothing, some = Chunk(0, 0, 0), Chunk(64, 23, 1)
    loads = [LoadStep(0, -1, 0, some), LoadStep(1, -1, 1, nothing), LoadStep(2, 0, 0, some), LoadStep(2, -1, 1, some)]
    kernels = [KernelStep(99, chunks=(0,)), KernelStep(99, chunks=(1,)), KernelStep(99, chunks=(2, 3))]
    outline = Outline(loads, kernels, [TileEnd(3, 4, 1.0)])
    assert [number for number, *_ in load_turns(outline)] == [0, 3, 2]
    assert rehearse(outline) > 3 * 99


@pytest.mark.parametrize("tiling", [Tiling((1, 4, 1, 2), 4, inp=2, wgt=2, acc=2), Tiling((1, 4, 7, 7), 8, acc=2)])
def test_each_byte_of_wide_results_is_stored_before_it_is_shifted_out(tiling: Tiling) -> None:
    layer = PackedLayer((1, 8, 14, 14))
    layer.planes(layer.product(8))
    cycles, nbytes, _ = _errors(layer.text(), VTAConfig(), tiling)
    assert abs(cycles) < 0.05
    assert abs(nbytes) < 0.01


@pytest.mark.parametrize("config", [VTAConfig(), BLOCK32])
def test_streamed_operands_of_several_products_take_the_place_of_one_another(config: VTAConfig) -> None:
    """Both tiles of weights are loaded again in each tile of the sum."""
    text = _functions(NETWORKS["gru-cell"]().module(), config)["gru_cell_6"]
    cycles, nbytes, program = _errors(text, config, Tiling((1, 1), streamed=True))
    assert abs(cycles) < 0.05
    assert nbytes == 0
    assert program.disassemble().count("load.wgt") == 2 * 256 // config.block_out


def test_results_in_another_order_are_stored_row_by_row() -> None:
    """The blocks of a result's columns lie 256 tiles apart."""
    text = _functions(NETWORKS["transformer-layer"]().module(), BLOCK32)["transformer_layer_2"]
    schedule = Schedule(vtac.parse(text), config=BLOCK32)
    (layer,) = layers_of(schedule)
    assert (layer.extents, layer.strides) == ((256, 4), (1, 256))
    tiling = Tiling((32, 2), 2, weights_inside=True, inp=4, wgt=8, acc=2)
    stores = max(step.stored[1] for step in outline_of(layer, tiling, BLOCK32).kernels)
    program = build_program(lower_tilings(schedule, [(layer, tiling)]).module)
    assert stores == 32
    assert program.disassemble().count("store.out") == stores * 16


@pytest.mark.parametrize(
    ("extents", "strides", "block"),
    [
        ((2, 5, 4), (20, 4, 1), Block(1, 1, 40)),
        ((2, 3, 4), (20, 4, 1), Block(1, 2, 12)),
        ((2, 1, 3), (20, 4, 1), Block(1, 2, 3)),
        ((2, 3, 2), (20, 4, 1), Block(2, 3, 2)),
        ((32, 2), (1, 256), Block(32, 2, 1)),
        ((32, 1), (1, 256), Block(1, 1, 32)),
        ((1, 1), (1, 256), Block(1, 1, 1)),
    ],
)
def test_boxes_are_stored_in_rows_as_long_as_neighbours_stay_neighbours(
    extents: tuple[int, ...], strides: tuple[int, ...], block: Block
) -> None:
    assert strided_block(extents, strides) == block


def test_loads_that_begin_within_one_of_wide_tiles_pass_what_is_not_yet_asked_for() -> None:
    """Of 512 beats 256 are asked for; of 64, all, in turn with as many, so that these wait for no more than 128."""
    ends: list[int] = []
    for beats in (64, 512):
        loads = [LoadStep(0, -1, 0, Chunk(512, 23, 1)), LoadStep(1, -1, 1, Chunk(512, 23, 1))]
        kernels = [KernelStep(9, micro_ops=0, wide=Chunk(beats, 23, 1)), KernelStep(9, 1, 0, chunks=(0, 1))]
        first = Outline(loads, kernels, [TileEnd(1, 1, 1.0), TileEnd(2, 2, 0.0)])
        ends.append(rehearse(first))
    assert ends[0] < 128 + 85
    assert ends[1] > 2 * 512


def test_wide_operands_of_rows_wait_for_the_loads_that_pass_them() -> None:
    text = _functions(NETWORKS["transformer-layer"]().module(), BLOCK32)["transformer_layer_2"]
    for tiling in (
        Tiling((32, 2), 2, weights_inside=True, inp=4, wgt=8, acc=2),
        Tiling((64, 2), weights_inside=True, inp=8, wgt=16, acc=2, pieces=2),
    ):
        cycles, nbytes, _ = _errors(text, BLOCK32, tiling)
        assert abs(cycles) < 0.04
        assert nbytes == 0


@pytest.mark.parametrize(
    "tiling",
    [
        Tiling((1, 1, 1, 13), weights_inside=True, inp=4, wgt=8, acc=2),
        Tiling((1, 2, 1, 7), inp=2, wgt=4, acc=2),
        Tiling((1, 2, 1, 5), inp=2, wgt=4, acc=2),
    ],
)
def test_results_of_one_stage_are_stored_one_after_the_other(tiling: Tiling) -> None:
    """Each pixel becomes four: the same accumulators go to four places. Stores fall behind, in tiles that are not
    followed, too."""
    text = _functions(NETWORKS["yolov3-tiny"]().module(), BLOCK64)["yolov3_tiny_12"]
    cycles, nbytes, program = _errors(text, BLOCK64, tiling)
    assert program.disassemble().count("store.out") == 4 * 2 * 13 * -(-13 // tiling.tile[3])
    assert abs(cycles) < 0.05
    assert nbytes == 0


def test_accumulators_of_windows_are_reset_when_their_store_is_over() -> None:
    text = _functions(NETWORKS["yolov3-tiny"]().module(), BLOCK64)["yolov3_tiny_7"]
    cycles, *_ = _errors(text, BLOCK64, Tiling((1, 1, 13, 13), operands=2))
    assert abs(cycles) < 0.03


def test_an_operand_is_added_where_its_stage_stands_among_those_of_the_alu() -> None:
    """Its last reader is over behind four kernels of the ALU, and two follow: the next one passes no inputs then."""
    text = _functions(NETWORKS["mlp-mixer"]().module(), BLOCK64)["mlp_mixer_1"]
    tiling = Tiling((28, 4), weights_inside=True, inp=7, wgt=14, acc=2, operands=2)
    cycles, nbytes, _ = _errors(text, BLOCK64, tiling)
    assert abs(cycles) < 0.02
    assert abs(nbytes) < 0.0001


@pytest.mark.parametrize("tile", [(1, 1, 1, 13), (1, 1, 5, 13), (1, 1, 1, 7)])
def test_padding_of_an_operand_is_not_loaded(tile: tuple[int, ...]) -> None:
    """A row and a column of zeros behind 13x13, which the loads of the last tiles write."""
    text = _functions(NETWORKS["yolov3-tiny"]().module(), BLOCK64)["yolov3_tiny_7"]
    cycles, nbytes, program = _errors(text, BLOCK64, Tiling(tile, acc=2, operands=2))
    assert ("pad 0 1 0 1" if tile[3] == 13 else "pad 0 1 0 0") in program.disassemble()
    assert abs(cycles) < 0.025
    assert abs(nbytes) < 0.0001


@pytest.mark.parametrize("tiling", [Tiling((4, 2), 4, inp=3, acc=2, threads=2), Tiling((2, 4), 1, inp=3, threads=2)])
def test_threads_take_turns_between_the_stores_of_several_results(tiling: Tiling) -> None:
    text = _functions(NETWORKS["transformer-layer"]().module(), VTAConfig())["transformer_layer_3"]
    cycles, nbytes, _ = _errors(text, VTAConfig(), tiling)
    assert abs(cycles) < 0.03
    assert nbytes == 0


def test_operands_of_all_products_are_loaded_before_the_loop_over_pieces() -> None:
    text = _functions(NETWORKS["gru-cell"]().module(), VTAConfig())["gru_cell_6"]
    schedule = Schedule(vtac.parse(text), config=VTAConfig())
    (layer,) = layers_of(schedule)
    tiling = Tiling((1, 8))
    outline = outline_of(layer, tiling, VTAConfig())
    assert [load.before for load in outline.loads] == [0, 0, 0, 0, 4, 4]
    program = build_program(lower_tilings(schedule, [(layer, tiling)]).module)
    words = [line.split()[1] for line in program.disassemble().splitlines()]
    assert words[:4] == ["load.wgt", "load.inp"] * 2
