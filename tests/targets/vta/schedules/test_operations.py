"""Default schedules of operations other than one contraction: int8 operands, several results, windows, rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packed_layers import PackedLayer, assert_beats_simple, assert_scheduled
from plain_programs import SMALL_BLOCK

import vtac
from vtac.dialects.hardware import VTAConfig
from vtac.errors import ScheduleError
from vtac.targets.vta.schedules import default_schedule
from vtac.targets.vta.schedules.candidates import sizes

SMALL_MEMORY = VTAConfig(log_inp_buff_size=9, log_wgt_buff_size=13, log_acc_buff_size=10)
"""32 input tiles, 32 weight tiles, 16 accumulator tiles."""
TINY = VTAConfig(log_inp_buff_size=4, log_wgt_buff_size=8, log_acc_buff_size=7, log_uop_buff_size=6)
"""One input tile, one weight tile, two accumulator tiles."""
CONFIGS = pytest.mark.parametrize("config", [VTAConfig(), SMALL_BLOCK, SMALL_MEMORY], ids=["default", "4x8", "small"])


Outer: TypeAlias = tuple[int, int, int, int]
OUTER: Outer = (1, 4, 6, 8)


def clamped(layer: PackedLayer, value: str, shift: int = 5) -> PackedLayer:
    """Shift, clamp, store."""
    value = layer.alu("res_shr", "shrsi", [value], shift)
    value = layer.alu("res_max", "maxsi", [value], -100)
    layer.store(layer.alu("res_min", "minsi", [value], 127))
    return layer


def convolution(config: VTAConfig, outer: Outer = OUTER) -> tuple[PackedLayer, str]:
    layer = PackedLayer(outer, config)
    return layer, layer.product(2, 3, 1, 1)


def residual(config: VTAConfig, outer: Outer = OUTER) -> PackedLayer:
    """An operand added to the accumulators of a convolution."""
    layer, value = convolution(config, outer)
    return clamped(layer, layer.narrow("res_residual", layer.argument("r", layer.outer, "i8"), value, factor=4))


def late_residual(config: VTAConfig) -> PackedLayer:
    """An operand added between elementwise operations."""
    layer, value = convolution(config)
    value = layer.alu("before", "shrsi", [value], 3)
    return clamped(layer, layer.narrow("res_residual", layer.argument("r", layer.outer, "i8"), value))


def shifted_residual(config: VTAConfig) -> PackedLayer:
    """An operand that takes part in an operation of its own first."""
    layer, value = convolution(config)
    wide = layer.narrow("res_widen", layer.argument("r", layer.outer, "i8"))
    wide = layer.alu("wide_shl", "shli", [wide], 3)
    return clamped(layer, layer.alu("sum", "addi", [value, wide]))


def two_operands(config: VTAConfig, outer: tuple[int, ...] = (2, 3, 7)) -> PackedLayer:
    layer = PackedLayer(outer, config)
    value = layer.narrow("wide", layer.argument("a", layer.outer, "i8"))
    return clamped(layer, layer.narrow("sum", layer.argument("b", layer.outer, "i8"), value, factor=2), 1)


def word_result(config: VTAConfig) -> PackedLayer:
    layer, value = convolution(config)
    bias = layer.argument("bias", (layer.outer[1],), "i32")
    layer.planes(layer.alu("biased", "addi", [value, bias], maps=["d0, d1, d2, d3", "d1"]))
    return layer


def word_residual(config: VTAConfig, outer: Outer = OUTER) -> PackedLayer:
    layer, value = convolution(config, outer)
    layer.planes(layer.narrow("res_residual", layer.argument("r", layer.outer, "i8"), value))
    return layer


def raw_words(config: VTAConfig) -> PackedLayer:
    layer, value = convolution(config)
    layer.planes(value)
    return layer


def half_to_even(config: VTAConfig, outer: Outer = OUTER) -> PackedLayer:
    """The sum that is rounded is read twice; a bias and a rounding constant come from DRAM."""
    layer, value = convolution(config, outer)
    bias = layer.argument("bias", (layer.outer[1],), "i32")
    most = layer.argument("most", (), "i32")
    value = layer.alu("biased", "addi", [value, bias], maps=["d0, d1, d2, d3", "d1"])
    odd = layer.alu("odd", "shrsi", [value], 5)
    odd = layer.alu("odd_high", "shli", [odd], 31)
    odd = layer.alu("odd_low", "shrsi", [odd], 31)
    value = layer.alu("rounded", "addi", [value, odd])
    value = layer.alu("again", "addi", [value, bias], maps=["d0, d1, d2, d3", "d1"])
    return clamped(layer, layer.alu("most_min", "minsi", [value, most], maps=["d0, d1, d2, d3", ""]))


def pooled(
    config: VTAConfig, op: str, source: Callable[[PackedLayer], str], outer: Outer = (1, 3, 4, 5)
) -> PackedLayer:
    layer = PackedLayer(outer, config)
    value = source(layer)
    places = [f"d0, d1, d2 * 2 + {y}, d3 * 2 + {x}" for y in range(3) for x in range(3)]
    total = layer.alu("window", op, [value, value], maps=places[:2])
    for number, place in enumerate(places[2:]):
        total = layer.alu(f"window_{number}", op, [total, value], maps=["d0, d1, d2, d3", place])
    return clamped(layer, total, 2)


def max_pooling(config: VTAConfig, outer: Outer = (1, 3, 4, 5)) -> PackedLayer:
    shape = (*outer[:2], 2 * outer[2] - 1, 2 * outer[3] - 1)
    return pooled(config, "maxsi", lambda layer: layer.narrow("wide", layer.argument("a", shape, "i8"), pad=1), outer)


def sum_pooling(config: VTAConfig) -> PackedLayer:
    return pooled(config, "addi", lambda layer: layer.copy("a_tiles", layer.argument("a", (1, 3, 9, 11), "i32")))


LAYERS = pytest.mark.parametrize(
    "build",
    [
        residual,
        late_residual,
        shifted_residual,
        two_operands,
        word_result,
        word_residual,
        raw_words,
        half_to_even,
        max_pooling,
        sum_pooling,
    ],
)


@CONFIGS
@LAYERS
def test_layers_are_correct(build: Callable[[VTAConfig], PackedLayer], config: VTAConfig) -> None:
    assert_scheduled(build(config))


@LAYERS
def test_layers_are_no_worse_than_tile_after_tile(build: Callable[[VTAConfig], PackedLayer]) -> None:
    assert_beats_simple(build(VTAConfig()))


@pytest.mark.parametrize("build", [residual, two_operands])
def test_single_tiles_are_enough_memory(build: Callable[[VTAConfig], PackedLayer]) -> None:
    assert_scheduled(build(TINY))


def test_one_weight_tile_is_loaded_once() -> None:
    program = assert_scheduled(two_operands(SMALL_MEMORY))
    assert program.stats["wgt_load_nbytes"] == 2 * 256


def test_an_operand_is_loaded_once() -> None:
    layer = residual(VTAConfig())
    program = assert_scheduled(layer)
    assert program.stats["inp_load_nbytes"] >= 6 * 8 * (2 + 4) * 16
    assert program.stats["acc_load_nbytes"] == 0


def test_a_bias_is_loaded_once_for_all_rows() -> None:
    program = assert_scheduled(word_result(SMALL_MEMORY))
    assert program.stats["acc_load_nbytes"] == 4 * 64


@pytest.mark.parametrize("build", [residual, half_to_even, word_residual, max_pooling])
def test_extents_with_far_apart_divisors_are_cut_with_a_rest(
    build: Callable[[VTAConfig, tuple[int, int, int, int]], PackedLayer],
) -> None:
    assert sizes(13) == [1, 5, 7, 13]
    assert_scheduled(build(SMALL_MEMORY, (1, 2, 13, 11)))


def test_a_long_prime_number_of_tiles_is_cut_into_few_equal_parts() -> None:
    prime, even = (assert_scheduled(two_operands(SMALL_MEMORY, (extent,))) for extent in (331, 336))
    assert len(prime.instructions) < 3 * len(even.instructions)


def test_a_rest_has_loops_of_its_own() -> None:
    layer = half_to_even(VTAConfig(), (1, 4, 37, 37))
    assert "guard" in str(default_schedule(vtac.parse(layer.text()), layer.config))
    assert_scheduled(layer)


@st.composite
def random_layers(draw: st.DrawFn) -> PackedLayer:
    """A contraction or none, then a random chain of operations, then one result or the bytes of it."""
    config = draw(st.sampled_from((VTAConfig(), SMALL_BLOCK, SMALL_MEMORY)))
    kernel = draw(st.sampled_from((1, 2, 3)))
    outer = (draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 7)), draw(st.integers(1, 7)))
    layer = PackedLayer(outer, config)
    if draw(st.booleans()):
        stride = draw(st.integers(1, 2))
        pad = draw(st.integers(0, kernel // 2)) if min(outer[2:]) > 1 else 0
        value = layer.product(draw(st.integers(1, 3)), kernel, stride, pad)
    else:
        value = layer.narrow("first", layer.argument("a", outer, "i8"))
    known = [value]
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(("immediate", "operand", "wide", "twice", "bias")))
        if kind == "immediate":
            op, amount = draw(st.sampled_from((("shrsi", 3), ("maxsi", -90), ("addi", 17), ("minsi", 90))))
            value = layer.alu(f"s{number}", op, [value], amount)
        elif kind == "operand":
            value = layer.narrow(f"s{number}", layer.argument(f"x{number}", outer, "i8"), value)
        elif kind == "wide":
            value = layer.alu(f"s{number}", "addi", [value, layer.argument(f"x{number}", outer, "i32")])
        elif kind == "twice":
            value = layer.alu(f"s{number}", "maxsi", [value, draw(st.sampled_from(known))])
        else:
            bias = layer.argument(f"x{number}", (outer[1],), "i32")
            value = layer.alu(f"s{number}", "addi", [value, bias], maps=["d0, d1, d2, d3", "d1"])
        known.append(value)
    value = layer.alu("last", "shrsi", [value], 2)
    if draw(st.booleans()):
        layer.planes(value)
    else:
        layer.store(value)
    return layer


@settings(max_examples=15)
@given(random_layers())
def test_random_layers_are_correct(layer: PackedLayer) -> None:
    assert_scheduled(layer)


def refusal(layer: PackedLayer) -> str:
    with pytest.raises(ScheduleError) as caught:
        default_schedule(vtac.parse(layer.text()), layer.config)
    return str(caught.value)


def test_results_that_share_loads_only_are_refused() -> None:
    layer = PackedLayer((1, 2, 3, 3))
    shared = layer.copy("tiles", layer.argument("a", layer.outer, "i32"))
    layer.store(layer.alu("first", "addi", [shared], 1))
    layer.store(layer.alu("second", "addi", [shared], 2), "other")
    assert "block 'res': expected several results to depend on one computed tensor of their shape" in refusal(layer)


def test_windows_that_move_differently_are_refused() -> None:
    layer = PackedLayer((1, 2, 3, 3))
    tiles = layer.copy("tiles", layer.argument("a", (1, 2, 7, 7), "i32"))
    places = ["d0, d1, d2 * 2 + 2, d3 * 2 + 2", "d0, d1, d2 * 3, d3 * 3"]
    layer.store(layer.alu("sum", "addi", [tiles, tiles], maps=places))
    assert "block 'tiles': expected every read of a buffer to move with the result in the same steps" in refusal(layer)


def test_other_orders_behind_a_contraction_are_refused() -> None:
    layer = PackedLayer((1, 2, 3, 3))
    layer.product(1, 1)
    layer.store(layer.alu("turned", "addi", ["res_conv"], 1, maps=["d0, d1, d3, d2"]))
    assert "block 'res_conv': expected elementwise operations and windows behind a contraction" in refusal(layer)


def test_two_contractions_of_one_result_are_refused() -> None:
    first, second = PackedLayer((1, 2, 3, 3)), PackedLayer((1, 2, 3, 3))
    first.product(1, 1)
    second.product(1, 1)
    renamed = "\n".join(second.lines).replace("res_conv", "other").replace("%data", "%data_2")
    first.lines.append(renamed.replace("%kernel", "%kernel_2"))
    first.arguments += [(f"{name}_2", kind) for name, kind in second.arguments]
    first.store(first.alu("sum", "addi", ["res_conv", "other"]))
    assert "block 'other': expected one contraction, 'res_conv' is another" in refusal(first)
