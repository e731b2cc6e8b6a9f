"""What the default schedule takes for a layer, and what it refuses."""

from __future__ import annotations

import pytest
from xdsl.dialects.func import FuncOp

import vtac
from vtac.analysis.ir.target import config_of
from vtac.errors import ScheduleError
from vtac.targets.vta.schedules import default_schedule
from vtac.targets.vta.schedules.layers import Layer, find_layers
from vtac.targets.vta.schedules.tiled_contraction import InputDimension
from vtac.targets.vta.schedules.tiling import Tiling, kernel_order
from vtac.workloads.conv2d import Conv2D
from vtac.workloads.matmul import Matmul
from vtac.workloads.vadd import VectorAdd


def layers(text: str) -> list[Layer]:
    schedule = vtac.Schedule(text)
    function = next(op for op in schedule.module.ops if isinstance(op, FuncOp))
    return find_layers(function, config_of(schedule.module))


def test_a_convolution() -> None:
    (layer,) = layers(Conv2D(1, 14, 14, 32, 64, 3, 1, 2).text())
    assert layer.store == "res"
    assert layer.tail == ("res_shr", "res_max", "res_min")
    assert layer.alu == 3
    assert layer.extents == (1, 4, 7, 7)
    contraction = layer.contraction
    assert contraction is not None
    assert (contraction.block, contraction.pad, contraction.input_index) == ("res_conv", "data_buf", 0)
    assert contraction.by_weight == (False, True, False, False)
    assert (contraction.channels, contraction.window) == (2, (3, 3))
    assert contraction.dimensions[2] == InputDimension(2, 2, 0, 1, 14, 1)
    assert not contraction.steps


def test_a_matrix_product() -> None:
    (layer,) = layers(Matmul(2, 64, 32).text())
    assert layer.contraction is not None
    assert layer.contraction.by_weight == (False, True)
    assert layer.contraction.window == ()


def test_a_vector_sum_loads_both_operands() -> None:
    (layer,) = layers(VectorAdd(64).text())
    assert layer.contraction is None
    assert [(operand.block, operand.index) for operand in layer.operands] == [("C_buf", 0), ("C_buf", 1)]


def test_kernels_take_the_largest_loops_in_hardware() -> None:
    contraction = layers(Conv2D().text())[0].contraction
    assert contraction is not None
    order = kernel_order(contraction, Tiling((1, 8, 14, 14)))
    assert order is not None
    loops, micro_ops = order
    assert [(loop.kind, loop.number) for loop in loops[:2]] == [("spatial", 2), ("spatial", 3)]
    assert micro_ops == 8 * 9


def test_no_kernel_repeats_a_tile_within_three_micro_ops() -> None:
    contraction = layers(Conv2D().text())[0].contraction
    assert contraction is not None
    assert kernel_order(contraction, Tiling((1, 1, 1, 2), channels=4)) is None
    order = kernel_order(contraction, Tiling((1, 1, 1, 2)))
    assert order is not None
    assert order[1] == 2


def refusal(text: str) -> str:
    with pytest.raises(ScheduleError) as caught:
        default_schedule(vtac.parse(text))
    return str(caught.value)


def test_a_product_of_tensors_is_no_layer() -> None:
    text = VectorAdd(64).text().replace("%sum = arith.addi %a, %b", "%sum = arith.xori %a, %b")
    assert "block 'C_buf': expected one of arith.minsi, maxsi, addi, subi, shrsi, shli, found arith.xori" in refusal(
        text
    )


def test_other_tiles_are_refused() -> None:
    text = VectorAdd(64).text().replace("4x1x16x", "4x2x8x")
    assert "expected a result in 1 x 16 tiles, found shape 1x4x2x8" in refusal(text)


def test_a_function_without_a_store_is_refused() -> None:
    text = VectorAdd(64).text()
    cut = text[: text.index("  %C_empty")].replace("-> tensor<1x4x1x16xi8>", "-> tensor<1x4x1x16xi32>")
    message = refusal(f"{cut}  func.return %C_buf : tensor<1x4x1x16xi32>\n}}\n")
    assert "block 'C_buf' belongs to no layer" in message
    assert "write it so, or give a schedule" in message


def test_int8_operands_are_refused() -> None:
    wide, narrow = "tensor<1x4x1x16xi32>", "tensor<1x4x1x16xi8>"
    text = VectorAdd(64).text()
    text = text.replace(f"%B: {wide}", f"%B: {narrow}")
    text = text.replace(f"ins(%A, %B : {wide}, {wide})", f"ins(%A, %B : {wide}, {narrow})")
    text = text.replace("%b: i32, %o: i32):", "%b8: i8, %o: i32):\n    %b = arith.extsi %b8 : i8 to i32")
    assert "default schedule: block 'C_buf'" in refusal(text)


def test_tiles_filled_from_a_plain_tensor_are_refused() -> None:
    plain, tiles = "tensor<1x24x14x14xi8>", "tensor<1x2x14x14x1x16xi8>"
    text = Conv2D(1, 14, 14, 32, 64, 1, 0, 1).text().replace(f"%data: {tiles}", f"%plain: {plain}", 1)
    pack = f"  %data = packing.pack %plain dims [0, 1] tiles [1, 16] order [0, 1, 2, 3] : {plain} to {tiles}\n"
    text = text.replace("  %zero =", f"{pack}  %zero =", 1)
    assert "expected padding around tiles, found a tensor that is not in tiles; give a schedule" in refusal(text)
