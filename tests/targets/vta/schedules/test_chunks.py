"""Loads and stores of boxes that lie in another order in DRAM, beside those of the program."""

from __future__ import annotations

import pytest

import vtac
from vtac.analysis.ir.device_functions import device_functions
from vtac.dialects.hardware import VTAConfig
from vtac.passes.vta.isolate_device_functions import isolated
from vtac.preparation import prepare
from vtac.schedule import Schedule
from vtac.targets.vta.linking.plain import split_plain
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.outline import outline_of
from vtac.targets.vta.schedules.search import layers_of, lower_tilings
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.schedules.transfers import Chunk, chunk_of, store_cost, strided_chunk
from vtac.targets.vta.stream.build import build_program
from vtac.targets.vta.target import VTA
from vtac.workloads.networks.catalogue import NETWORKS

QUARTER32 = VTAConfig(log_block=5, log_inp_buff_size=13, log_wgt_buff_size=16, log_acc_buff_size=15)


def _layer(network: str, name: str, config: VTAConfig) -> tuple[Schedule, Layer]:
    """A layer of a network, as the device is given it, and the schedule that can have tilings of it."""
    module = prepare(NETWORKS[network]().module(), VTA, config, None)
    split_plain(module, phase="owned")
    (text,) = [str(isolated(one, module)) for one in device_functions(module) if one.sym_name.data == name]
    schedule = Schedule(vtac.parse(text), config=config)
    (layer,) = layers_of(schedule)
    return schedule, layer


def _program(schedule: Schedule, layer: Layer, tiling: Tiling) -> Program:
    return build_program(lower_tilings(schedule, [(layer, tiling)]).module)


def test_transposed_weights_are_loaded_by_output_channel() -> None:
    """Each output channel has a LOAD of its own, of 13 rows of one tile."""
    schedule, layer = _layer("mlp-mixer", "mlp_mixer_1", QUARTER32)
    assert layer.contraction is not None
    assert layer.contraction.weight_strides == (1, 16)
    tiling = Tiling((7, 4), 13, inp=2, acc=2, pieces=2, operands=2)
    outline = outline_of(layer, tiling, QUARTER32)
    words = _program(schedule, layer, tiling).disassemble()
    residual = 1
    chunks = [load.chunk.loads for load in outline.loads if load.chunk.beats == 4 * 13 * 128]
    assert chunks == [4] * 4
    assert words.count("load.wgt") == sum(chunks) + residual


def test_operands_that_do_not_move_with_pieces_are_loaded_before_products() -> None:
    """The biases of rows stand before the loop over pieces, in which the residual is added behind five kernels."""
    schedule, layer = _layer("mlp-mixer", "mlp_mixer_1", QUARTER32)
    tiling = Tiling((7, 4), 13, inp=2, acc=2, pieces=2, operands=2)
    kernels = outline_of(layer, tiling, QUARTER32).kernels
    first = next(place for place, step in enumerate(kernels) if step.wide.loads)
    assert [(step.number, len(step.chunks)) for step in kernels[first : first + 3]] == [(5, 0), (1, 2), (2, 0)]
    words = [line.split()[1] for line in _program(schedule, layer, tiling).disassemble().splitlines()]
    assert words.index("load.acc") == 9
    behind = [word for word in words[10 : words.index("store.out")] if not word.startswith("load")]
    assert behind == ["gemm.reset", "alu.add", "alu.add", "alu.add", "alu.shr", "gemm", "alu.max", "alu.min"]


def test_every_other_row_of_one_column_and_several_channels_is_one_load() -> None:
    """Seven rows of 14 pixels, each the second, reach to where the next channels begin."""
    schedule, layer = _layer("resnet18", "resnet18_16", VTAConfig())
    tiling = Tiling((1, 8, 7, 1), channels=4, inp=2, wgt=16, acc=2, pieces=4, operands=2)
    chunks = [load.chunk for load in outline_of(layer, tiling, VTAConfig()).loads]
    assert chunks.count(Chunk(4 * 7 * 2, 23, 1, 2)) == 4 * 7 * 4
    assert "28 x 1 stride 28" in _program(schedule, layer, tiling).disassemble()


@pytest.mark.parametrize(
    ("extents", "sizes", "strides"),
    [((4, 13), (16, 13), (13, 1)), ((4, 5), (16, 13), (13, 1)), ((1, 13), (16, 13), (13, 1))],
)
def test_a_dense_order_gives_the_same_loads_by_strides(
    extents: tuple[int, ...], sizes: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    assert strided_chunk(extents, strides, 256) == chunk_of(extents, sizes, 256)


def test_a_transposed_order_takes_a_load_for_each_outer_index() -> None:
    assert strided_chunk((4, 13), (1, 16), 1024) == Chunk(4 * 13 * 128, 4 * 23, 4)


def test_rows_that_do_not_begin_where_bursts_do_are_stored_in_more() -> None:
    """Rows of 80 bytes 208 apart: some lie in two bursts of 128, and each burst costs 4 cycles."""
    aligned, _ = store_cost((8, 5), (16, 1), VTAConfig())
    apart, number = store_cost((8, 5), (13, 1), VTAConfig())
    assert number == 1
    assert aligned == 145
    assert apart == 157
