"""Depthwise convolutions on machines whose input blocks serve several output blocks: run, counted and rehearsed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

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
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.outline import outline_of
from vtac.targets.vta.schedules.ranking import candidates
from vtac.targets.vta.schedules.rehearsal import rehearse
from vtac.targets.vta.schedules.search import layers_of, lower_tilings
from vtac.targets.vta.schedules.tiling import Tiling
from vtac.targets.vta.stream.build import build_program
from vtac.targets.vta.target import VTA
from vtac.targets.vta.tuning.space import member_of, space_of

IN32 = VTAConfig(log_block_in=5, log_block_out=4)
IN64 = VTAConfig(log_block_in=6, log_block_out=4)


def depthwise(channels: int, config: VTAConfig, image: int = 14) -> str:
    """3x3 of so many channels, padded, as the layer that the device is given."""
    data, wide = f"tensor<1x{channels}x{image}x{image}xi8>", f"tensor<1x{channels}x{image}x{image}xi32>"
    padded, kernel = f"tensor<1x{channels}x{image + 2}x{image + 2}xi8>", f"tensor<{channels}x3x3xi8>"
    maps = "affine_map<(a, b, c, d) -> (a, b, c, d)>"
    module = vtac.parse(f"""func.func @depthwise(%x: {data}, %k: {kernel}) -> {data} {{
  %zero = arith.constant 0 : i8
  %pad = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {{
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : i8
  }} : {data} to {padded}
  %none = arith.constant 0 : i32
  %e = tensor.empty() : {wide}
  %i = linalg.fill ins(%none : i32) outs(%e : {wide}) -> {wide}
  %s = linalg.depthwise_conv_2d_nchw_chw ins(%pad, %k : {padded}, {kernel}) outs(%i : {wide}) -> {wide}
  %n = tensor.empty() : {data}
  %r = linalg.generic {{indexing_maps = [{maps}, {maps}],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}} ins(%s : {wide}) outs(%n : {data}) {{
  ^bb0(%p: i32, %q: i8):
    %y = arith.trunci %p : i32 to i8
    linalg.yield %y : i8
  }} -> {data}
  func.return %r : {data}
}}
""")
    prepared = prepare(module, VTA, config, None)
    split_plain(prepared, phase="owned")
    (found,) = [str(isolated(one, prepared)) for one in device_functions(prepared)]
    return found


def layer_of(text: str, config: VTAConfig) -> tuple[Schedule, Layer]:
    schedule = Schedule(vtac.parse(text), config=config)
    (layer,) = layers_of(schedule)
    return schedule, layer


def program_of(text: str, config: VTAConfig, tiling: Tiling) -> Program:
    schedule, layer = layer_of(text, config)
    return build_program(lower_tilings(schedule, [(layer, tiling)]).module)


def sums(data: NDArray[np.int8], kernel: NDArray[np.int8], shared: int) -> NDArray[np.int8]:
    """The results in blocks, from data in blocks: `shared` blocks of the results read one of the data."""
    height, width = data.shape[2:4]
    padded = np.pad(data.astype(np.int32), [(0, 0), (0, 0), (1, 1), (1, 1), (0, 0), (0, 0)])
    total = np.zeros((1, kernel.shape[0], height, width, 1, kernel.shape[4]), np.int32)
    for block, row, column in np.ndindex(kernel.shape[0], 3, 3):
        part = padded[:, block // shared, row : row + height, column : column + width]
        total[:, block] += part @ kernel[block, 0, row, column].astype(np.int32).T
    return total.astype(np.int8)


TILINGS = [
    (64, IN32, Tiling((1, 1, 14, 14), acc=2, skip=True, taps=True)),
    (64, IN32, Tiling((1, 1, 7, 7), inp=2, acc=2, taps=True)),
    (64, IN32, Tiling((1, 1, 7, 7), inp=2, acc=2, threads=2)),
    (64, IN32, Tiling((1, 2, 7, 7), inp=2, acc=2, taps=True)),
    (64, IN32, Tiling((1, 4, 14, 7), inp=2)),
    (144, IN32, Tiling((1, 9, 7, 7), inp=2, acc=2, taps=True)),
    (144, IN32, Tiling((1, 1, 14, 14), acc=2, taps=True)),
    (96, IN32, Tiling((1, 4, 7, 7), inp=2, acc=2, taps=True)),
    (192, IN64, Tiling((1, 8, 7, 7), inp=2, taps=True)),
]
"""Single blocks, whole groups, all blocks with half a group at the end, smaller tiles at the ends."""


@pytest.mark.parametrize(("channels", "config", "tiling"), TILINGS)
def test_blocks_that_share_inputs_are_computed_and_rehearsed(channels: int, config: VTAConfig, tiling: Tiling) -> None:
    text = depthwise(channels, config)
    _, layer = layer_of(text, config)
    program, outline = program_of(text, config, tiling), outline_of(layer, tiling, config)
    stream = decode_stream(program.instructions, config)
    nbytes = sum(value for name, value in count(stream).items() if name.endswith("_nbytes"))
    assert abs(rehearse(outline, config) / program.cycles - 1) < 0.03
    assert abs(outline.nbytes(config) / nbytes - 1) < 0.01
    random = np.random.default_rng(5)
    data, kernel = (random.integers(-128, 128, one.shape).astype(np.int8) for one in program.arguments[:2])
    np.testing.assert_array_equal(program(data, kernel), sums(data, kernel, config.block_in // config.block_out))


def test_rows_and_columns_run_in_hardware() -> None:
    """Which blocks share inputs is said by micro-ops, one for each block."""
    for channels, tiling in ((64, Tiling((1, 4, 14, 14), taps=True)), (144, Tiling((1, 9, 7, 7), taps=True))):
        lines = program_of(depthwise(channels, IN32), IN32, tiling).disassemble().splitlines()
        kernel = next(line for line in lines if "gemm " in line)
        blocks, side = tiling.tile[1:3]
        assert f"uops 1:{1 + blocks}, for {side}" in kernel


def test_an_input_block_is_loaded_once_for_the_output_blocks_that_share_it() -> None:
    text = depthwise(64, IN32)
    program = program_of(text, IN32, Tiling((1, 1, 14, 14), acc=2, taps=True))
    assert program.disassemble().count("load.inp") == 2


@pytest.mark.parametrize(("channels", "sizes"), [(96, {1, 2, 4, 6}), (144, {1, 9})])
def test_tiles_are_whole_groups_or_single_blocks(channels: int, sizes: set[int]) -> None:
    _, layer = layer_of(depthwise(channels, IN32), IN32)
    space = space_of(layer, IN32)
    ranked = {one.tiling.tile[1] for one in candidates(layer, IN32)}
    assert set(space.tilings.tile[1].tolist()) <= sizes
    assert ranked <= sizes
    assert len(ranked) > 1


@pytest.mark.parametrize("inp", [1, 2])
def test_no_program_goes_below_the_bounds_of_single_blocks(inp: int) -> None:
    """With one copy of the inputs the second block of a group finds them on chip."""
    text, tiling = depthwise(64, IN32), Tiling((1, 1, 14, 14), inp=inp, acc=2, taps=True)
    _, layer = layer_of(text, IN32)
    program, member = program_of(text, IN32, tiling), member_of(layer, tiling, IN32)
    nbytes = sum(value for name, value in count(decode_stream(program.instructions, IN32)).items() if "nbytes" in name)
    assert member.least_bytes <= nbytes
    assert member.least_cycles <= program.cycles
