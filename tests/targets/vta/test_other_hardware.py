"""Hardware beside the default: blocks of two sizes, the Chisel decoder's fields, short queues, whole LOADs."""

from __future__ import annotations

import numpy as np
import pytest
from device_programs import arguments_of, two_products

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.errors import ExecutionError
from vtac.evaluate import evaluate
from vtac.targets.vta.isa import assemble

pytestmark = pytest.mark.everywhere

SMALL = VTAConfig(
    encoding="chisel",
    queue_depth=32,
    log_uop_buff_size=9,
    log_inp_buff_size=11,
    log_wgt_buff_size=14,
    log_acc_buff_size=13,
)
"""A design with all memories and queues divided by 16."""
CONFIGS = {
    "small": SMALL,
    "deep tiles": VTAConfig(
        encoding="chisel",
        queue_depth=32,
        log_block_in=6,
        log_uop_buff_size=9,
        log_inp_buff_size=13,
        log_wgt_buff_size=16,
        log_acc_buff_size=13,
    ),
    "wide tiles": VTAConfig(log_block_out=5, log_wgt_buff_size=19),
    "rows": VTAConfig(log_batch=1, log_block_in=3, log_block_out=4, log_inp_buff_size=14, log_wgt_buff_size=15),
}

CHAIN = two_products("chain", 32, 48, "arith.shrsi", 8)
CONVOLUTION = """func.func @conv(%x: tensor<1x24x9x9xi8>, %w: tensor<40x24x3x3xi8>) -> tensor<1x40x7x7xi32> {
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x40x7x7xi32>
  %i = linalg.fill ins(%z : i32) outs(%e : tensor<1x40x7x7xi32>) -> tensor<1x40x7x7xi32>
  %c = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%x, %w : tensor<1x24x9x9xi8>, tensor<40x24x3x3xi8>) outs(%i : tensor<1x40x7x7xi32>) -> tensor<1x40x7x7xi32>
  func.return %c : tensor<1x40x7x7xi32>
}
"""


@pytest.mark.parametrize("text", [CHAIN, CONVOLUTION], ids=["chain", "convolution"])
@pytest.mark.parametrize("name", CONFIGS)
def test_plain_programs_compile_for_it(name: str, text: str) -> None:
    program = vtac.compile(text, target="vta", config=CONFIGS[name])
    arrays = arguments_of(program)
    assert np.array_equal(program(*arrays), np.asarray(evaluate(vtac.parse(text), *arrays)))
    assert program.summary["macs_on_vta"] == program.summary["macs"]
    for stream in program.devices.values():
        assert vtac.check(stream) == []


def test_queues_are_as_deep_as_configured() -> None:
    """33 instructions of one unit stand in front of the one that the first of them waits for."""
    waiting = "load.uop nop pop_prev\n" + "load.uop nop\n" * 32
    text = f"{waiting}load.inp nop push_next\nfinish\n"
    for depth, is_sound in ((33, True), (32, False)):
        config = VTAConfig(queue_depth=depth)
        words = assemble(text, config)
        found = {finding.kind for finding in vtac.check(words, config)}
        assert ("fetch" not in found) == is_sound
        if is_sound:
            vtac.execute(words, np.zeros(4096, np.uint8), config, strict=True)
            continue
        with pytest.raises(ExecutionError, match=f"its unit is full, at {depth} instructions"):
            vtac.execute(words, np.zeros(4096, np.uint8), config, strict=True)


@pytest.mark.parametrize("memory", ["inp", "acc"])
def test_a_load_of_a_whole_memory_may_end_early(memory: str) -> None:
    """Where all its beats can be outstanding at once: 128 tiles of INP are 256 beats, 128 of ACC are 1,024."""
    assert SMALL.capacity("inp") == SMALL.capacity("acc") == 128
    for tiles in (127, 128):
        words = assemble(f"load.{memory} sram 0 <- dram 0x40, 1 x {tiles} stride {tiles}\nfinish\n", SMALL)
        found = [finding for finding in vtac.check(words, SMALL) if finding.kind == "sram-range"]
        if tiles == 127 or memory == "acc":
            assert found == []
            vtac.execute(words, np.zeros(1 << 16, np.uint8), SMALL, strict=True)
            continue
        message = "the LOAD fills INP, and all its beats can be outstanding: .*; 127 elements at once are safe"
        with pytest.raises(ExecutionError, match=message):
            vtac.execute(words, np.zeros(1 << 16, np.uint8), SMALL, strict=True)
        vtac.execute(words, np.zeros(1 << 16, np.uint8), SMALL)
        assert len(found) == 1 and "127 elements at once are safe" in found[0].message


def test_default_schedules_leave_a_tile_free_there() -> None:
    assert SMALL.longest_load("inp") == 127 and SMALL.longest_load("wgt") == SMALL.capacity("wgt")
    assert VTAConfig(encoding="chisel").longest_load("inp") == 2048
    assert VTAConfig(encoding="chisel", outstanding_bursts=256).longest_load("inp") == 2047
    assert VTAConfig(outstanding_bursts=256).longest_load("inp") == 2048


RESIDUAL = """#id = affine_map<(i, j) -> (i, j)>
func.func @residual(%x: tensor<4x48xi8>, %y: tensor<4x48xi8>) -> tensor<4x48xi32> {
  %e = tensor.empty() : tensor<4x48xi32>
  %q = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<4x48xi8>, tensor<4x48xi8>) outs(%e : tensor<4x48xi32>) {
  ^bb0(%a: i8, %b: i8, %c: i32):
    %l = arith.extsi %a : i8 to i32
    %r = arith.extsi %b : i8 to i32
    %s = arith.addi %l, %r : i32
    linalg.yield %s : i32
  } -> tensor<4x48xi32>
  func.return %q : tensor<4x48xi32>
}
"""


def channelwise(kind: str, channels: int) -> str:
    """Windows of 2x2 in steps of 2 over 6x6 images, each channel by itself."""
    element = "i8" if kind == "max" else "i32"
    result, data = f"tensor<1x{channels}x3x3x{element}>", f"tensor<1x{channels}x6x6xi8>"
    named = {"max": "pooling_nchw_max", "sum": "pooling_nchw_sum", "depthwise": "depthwise_conv_2d_nchw_chw"}[kind]
    weights = f"tensor<{channels}x2x2xi8>" if kind == "depthwise" else f"tensor<2x2x{element}>"
    argument = f", %w: {weights}" if kind == "depthwise" else ""
    window = "" if kind == "depthwise" else f"  %w = tensor.empty() : {weights}\n"
    return f"""func.func @{kind}(%x: {data}{argument}) -> {result} {{
  %z = arith.constant {-128 if kind == "max" else 0} : {element}
  %e = tensor.empty() : {result}
  %i = linalg.fill ins(%z : {element}) outs(%e : {result}) -> {result}
{window}  %p = linalg.{named} {{dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}}
    ins(%x, %w : {data}, {weights}) outs(%i : {result}) -> {result}
  func.return %p : {result}
}}
"""


@pytest.mark.parametrize("kind", ["max", "sum", "depthwise"])
@pytest.mark.parametrize(
    ("name", "channels"), [("wide tiles", 64), ("wide tiles", 9), ("deep tiles", 40), ("rows", 32)]
)
def test_channels_by_themselves_are_products_with_a_diagonal_of_several_tiles(
    name: str, channels: int, kind: str
) -> None:
    text = channelwise(kind, channels)
    program = vtac.compile(text, target="vta", config=CONFIGS[name])
    arrays = arguments_of(program)
    assert np.array_equal(program(*arrays), np.asarray(evaluate(vtac.parse(text), *arrays)))
    for stream in program.devices.values():
        assert vtac.check(stream) == []
    assert program.summary["macs_on_vta"] == program.summary["macs"]


def padded_max(images: int, channels: int) -> str:
    """The largest of 3x3 in steps of 2 over 6x7 images with -128 around them."""
    data, whole = f"tensor<{images}x{channels}x6x7xi8>", f"tensor<{images}x{channels}x8x9xi8>"
    result = f"tensor<{images}x{channels}x3x4xi8>"
    return f"""func.func @padded_max(%x: {data}) -> {result} {{
  %z = arith.constant -128 : i8
  %d = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {{
  ^bb0(%n: index, %c: index, %h: index, %v: index):
    tensor.yield %z : i8
  }} : {data} to {whole}
  %w = tensor.empty() : tensor<3x3xi8>
  %e = tensor.empty() : {result}
  %i = linalg.fill ins(%z : i8) outs(%e : {result}) -> {result}
  %p = linalg.pooling_nchw_max {{dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}}
    ins(%d, %w : {whole}, tensor<3x3xi8>) outs(%i : {result}) -> {result}
  func.return %p : {result}
}}
"""


@pytest.mark.parametrize(("images", "channels"), [(1, 32), (3, 64), (2, 5)])
@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("blocks", [(16, 32), (32, 16), (16, 8)], ids=lambda blocks: f"{blocks[0]}x{blocks[1]}")
def test_a_maximum_is_over_padding_where_blocks_differ(
    blocks: tuple[int, int], batch: int, images: int, channels: int
) -> None:
    config = VTAConfig(
        log_batch=batch - 1,
        log_block_in=blocks[0].bit_length() - 1,
        log_block_out=blocks[1].bit_length() - 1,
        log_inp_buff_size=14,
        log_wgt_buff_size=16,
        log_acc_buff_size=16,
    )
    program = vtac.compile(padded_max(images, channels), target="vta", config=config)
    data = np.random.default_rng(0).integers(-128, -100, (images, channels, 6, 7)).astype(np.int8)
    whole = np.pad(data, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-128)
    windows = np.lib.stride_tricks.sliding_window_view(whole, (3, 3), axis=(2, 3))[:, :, ::2, ::2]
    assert np.array_equal(program(data), windows.max(axis=(-2, -1)))
    for stream in program.devices.values():
        assert vtac.check(stream) == []


@pytest.mark.parametrize("channels", [48, 65])
@pytest.mark.parametrize("kind", ["max", "sum", "depthwise", "padded"])
def test_input_blocks_that_an_output_block_lacks_are_filled_by_the_host(kind: str, channels: int) -> None:
    text = padded_max(1, channels) if kind == "padded" else channelwise(kind, channels)
    program = vtac.compile(text, target="vta", config=CONFIGS["wide tiles"])
    arrays = arguments_of(program)
    assert np.array_equal(program(*arrays), np.asarray(evaluate(vtac.parse(text), *arrays)))
    assert all(vtac.check(stream) == [] for stream in program.devices.values())
    said = (
        f"{channels} channels filled to {-(-channels // 32) * 32} by the host: an output block of BLOCK_OUT 32 reads 2 "
        "input blocks of BLOCK_IN 16, and the last one has 1"
    )
    assert any(said in choice for choice in program.choices)


GROUPED = """func.func @grouped(%x: tensor<1x64x6x6xi8>, %w: tensor<4x16x16x3x3xi8>) -> tensor<1x4x16x4x4xi32> {
  %z = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x4x16x4x4xi32>
  %i = linalg.fill ins(%z : i32) outs(%e : tensor<1x4x16x4x4xi32>) -> tensor<1x4x16x4x4xi32>
  %g = tensor.expand_shape %x [[0], [1, 2], [3], [4]] output_shape [1, 4, 16, 6, 6]
    : tensor<1x64x6x6xi8> into tensor<1x4x16x6x6xi8>
  %c = linalg.conv_2d_ngchw_gfchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%g, %w : tensor<1x4x16x6x6xi8>, tensor<4x16x16x3x3xi8>)
    outs(%i : tensor<1x4x16x4x4xi32>) -> tensor<1x4x16x4x4xi32>
  func.return %c : tensor<1x4x16x4x4xi32>
}
"""


@pytest.mark.parametrize("name", ["wide tiles", "deep tiles", "rows"])
def test_groups_are_computed_together_until_they_fill_both_blocks(name: str) -> None:
    program = vtac.compile(GROUPED, target="vta", config=CONFIGS[name])
    arrays = arguments_of(program)
    assert np.array_equal(program(*arrays), np.asarray(evaluate(vtac.parse(GROUPED), *arrays)))


def test_operands_of_8_bits_are_widened_by_the_host_where_blocks_differ() -> None:
    """GEMM widens them by weights on a diagonal, which a tile of two sizes does not have."""
    for config, says in ((CONFIGS["wide tiles"], True), (VTAConfig(), False)):
        program = vtac.compile(RESIDUAL, target="vta", config=config)
        arrays = arguments_of(program)
        assert np.array_equal(program(*arrays), np.asarray(evaluate(vtac.parse(RESIDUAL), *arrays)))
        said = "widened by the host (GEMM widens i8 by weights on a diagonal"
        assert any(said in choice for choice in program.choices) == says
