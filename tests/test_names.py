"""Names of blocks, loops and buffers: properties and attributes of the IR, not the spelling of SSA values."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from ssa_names import renumber
from xdsl.dialects.builtin import StringAttr
from xdsl.printer import Printer

import vtac
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.errors import ScheduleError
from vtac.schedule import Schedule

EXAMPLE = Path(__file__).parents[1] / "examples" / "vta_conv2d.mlir"

PRODUCTS = """
func.func @f(%0: tensor<8x4xi8>, %1: tensor<4x6xi8>, %2: tensor<6x5xi32>) -> tensor<8x5xi32> {
  %3 = arith.constant 0 : i32
  %4 = tensor.empty() : tensor<8x6xi32>
  %5 = linalg.fill ins(%3 : i32) outs(%4 : tensor<8x6xi32>) -> tensor<8x6xi32>
  %6 = linalg.matmul ins(%0, %1 : tensor<8x4xi8>, tensor<4x6xi8>) outs(%5 : tensor<8x6xi32>) -> tensor<8x6xi32>
  %7 = tensor.empty() : tensor<8x5xi32>
  %8 = linalg.fill ins(%3 : i32) outs(%7 : tensor<8x5xi32>) -> tensor<8x5xi32>
  %9 = linalg.matmul {schedule.name = "second", schedule.loops = ["row", "column", "sum"]}
    ins(%6, %2 : tensor<8x6xi32>, tensor<6x5xi32>) outs(%8 : tensor<8x5xi32>) -> tensor<8x5xi32>
  func.return %9 : tensor<8x5xi32>
}
"""

NAMED_LOCATION = PRODUCTS.replace(
    "outs(%5 : tensor<8x6xi32>) -> tensor<8x6xi32>", 'outs(%5 : tensor<8x6xi32>) -> tensor<8x6xi32> loc("first")'
)


def test_renumbered_values_keep_the_schedule() -> None:
    text = EXAMPLE.read_text()
    renumbered = renumber(text)
    assert "%res" not in renumbered
    assert vtac.compile(renumbered).disassemble() == vtac.compile(text).disassemble()


def test_a_block_by_the_operation_that_it_comes_from() -> None:
    schedule = Schedule(PRODUCTS)
    first, second = (schedule.get_block("linalg.matmul", position) for position in (0, 1))
    assert (first.name, second.name) == ("matmul", "second")
    assert '= schedule.get_block "linalg.matmul" at 1' in str(schedule)
    assert schedule.get_block("second").name == "second"


def test_a_block_is_called_by_its_named_location() -> None:
    schedule = Schedule(NAMED_LOCATION)
    assert schedule.get_block("linalg.matmul", 0).name == schedule.get_block("first").name == "first"


@pytest.mark.parametrize(
    ("name", "position", "text"),
    [
        ("linalg.matmul", 2, "get_block: block 2 from 'linalg.matmul'; there are 2; 0 to 1 exist"),
        ("linalg.matmul", -1, "get_block: block -1 from 'linalg.matmul'; there are 2; 0 to 1 exist"),
        ("linalg.conv", 0, "get_block: no block from 'linalg.conv'; blocks here come from linalg.matmul"),
        ("matmul", 0, "get_block: no block from 'matmul'; blocks here come from linalg.matmul"),
    ],
)
def test_blocks_that_are_not_there(name: str, position: int, text: str) -> None:
    with pytest.raises(ScheduleError, match=text):
        Schedule(PRODUCTS).get_block(name, position)


def test_loops_by_name_dimension_and_position() -> None:
    schedule = Schedule(PRODUCTS)
    first, second = schedule.get_block("matmul"), schedule.get_block("second")
    assert [loop.name for loop in schedule.get_loops(first)] == ["i0", "i1", "r2"]
    assert [loop.name for loop in schedule.get_loops(second)] == ["row", "column", "sum"]
    for name, wanted in (("i1", "i1"), ("n", "i1"), ("k", "r2"), (0, "i0"), (-1, "r2"), ("#1", "i1")):
        assert schedule.get_loop(first, name).name == wanted
    assert schedule.get_loop(second, "sum").name == schedule.get_loop(second, "k").name == "sum"


def test_loops_know_whether_they_reduce() -> None:
    schedule = Schedule(PRODUCTS)
    row, column, total = schedule.get_loops(schedule.get_block("second"))
    outer, inner = schedule.split(total, factor=2)
    assert [loop.reduces for loop in (row, column, outer, inner)] == [False, False, True, True]


def test_loops_that_are_not_there() -> None:
    schedule = Schedule(PRODUCTS)
    block = schedule.get_block("matmul")
    schedule.split(schedule.get_loop(block, "m"), factor=4)
    for name, text in (
        ("m", "2 loops run over dimension m of block 'matmul'; name one of i0_outer, i0_inner"),
        ("x", "loops there: i0_outer, i0_inner, i1, r2; name one of these, #position, or a dimension: m, n, k"),
        (4, "no loop '#4' around block 'matmul', which stands in 4; #0 is the outermost, #3 or #-1 the innermost"),
        ("#x", "no loop '#x' around block 'matmul', which stands in 4"),
    ):
        with pytest.raises(ScheduleError, match=text):
            schedule.get_loop(block, name)


def test_names_of_loops_are_one_for_each() -> None:
    text = PRODUCTS.replace('["row", "column", "sum"]', '["row", "column"]')
    with pytest.raises(vtac.CompileError, match=r"schedule.loops names 2 loops; 3 are required, one per iterator"):
        Schedule(text)


def test_names_survive_generic_text() -> None:
    """Generic syntax keeps properties, and a tool that renumbers keeps nothing else."""
    text = StringIO()
    Printer(text, print_generic_format=True).print_op(Schedule(PRODUCTS).module)
    again = Schedule(f"{renumber(text.getvalue())}\n")
    block = again.get_block("linalg.matmul", 1)
    assert block.name == "second"
    assert [loop.name for loop in again.get_loops(block)] == ["row", "column", "sum"]


def test_buffers_by_the_name_that_they_were_given() -> None:
    text = PRODUCTS.replace("%0: tensor<8x4xi8>", '%0: tensor<8x4xi8> {schedule.name = "left"}')
    schedule = Schedule(text)
    assert schedule.get_buffer("left").name == "left"
    assert schedule.get_buffer("second").name == "second"


@pytest.mark.parametrize("name", ["é", "漢字", "😀", "", 'a"b', "a\\b", "x\ny", "\x00"])
def test_names_of_any_characters_round_trip(name: str) -> None:
    schedule = Schedule(PRODUCTS)
    blocks = [op for op in schedule.module.walk() if isinstance(op, BlockOp)]
    loops = [op for op in schedule.module.walk() if isinstance(op, ForOp)]
    blocks[0].sym_name = StringAttr(name)
    loops[0].rename(name)
    text = f"{schedule.module!s}\n"
    again = vtac.parse(text)
    assert next(op for op in again.walk() if isinstance(op, BlockOp)).block_name == name
    assert next(op for op in again.walk() if isinstance(op, ForOp)).loop_name == name
    assert f"{again!s}\n" == text


def test_handles_of_another_schedule() -> None:
    own, other = Schedule(PRODUCTS), Schedule(PRODUCTS)
    block = other.get_block("matmul")
    loop, buffer = other.get_loops(block)[0], other.get_buffer("second")
    calls: list[Callable[[], object]] = [
        lambda: own.split(loop, factor=2),
        lambda: own.get_loops(block),
        lambda: own.compute_inline(block),
        lambda: own.set_scope(buffer, "vta.acc"),
    ]
    for call in calls:
        with pytest.raises(ScheduleError) as caught:
            call()
        assert str(caught.value).endswith(
            ": this handle belongs to another schedule; get one from the schedule that the directive is for, by "
            "get_block, get_loops or get_buffer"
        )


def test_numbers_that_somebody_chose_stay_part_of_names() -> None:
    """`%row_1` after `%row` is how printers tell two values called `row` apart; other numbers are part of the name."""
    kind = "tensor<4x4xi32>"
    text = (
        f"func.func @f(%x_0: {kind}, %y_7: {kind}, %y_8: {kind}) -> {kind} {{\n"
        f"  %e = tensor.empty() : {kind}\n"
        f"  %sum = linalg.add ins(%x_0, %y_7 : {kind}, {kind}) outs(%e : {kind}) -> {kind}\n"
        f"  %sum_1 = linalg.add ins(%sum, %y_8 : {kind}, {kind}) outs(%e : {kind}) -> {kind}\n"
        f"  %sum_5 = linalg.add ins(%sum_1, %x_0 : {kind}, {kind}) outs(%e : {kind}) -> {kind}\n"
        f"  %last_2 = linalg.add ins(%sum_5, %x_0 : {kind}, {kind}) outs(%e : {kind}) -> {kind}\n"
        f"  func.return %last_2 : {kind}\n}}\n"
    )
    module = vtac.parse(text)
    schedule = Schedule(module)
    blocks = [op.block_name for op in schedule.module.walk() if isinstance(op, BlockOp)]
    assert blocks == ["sum", "sum_1", "sum_5", "last_2"]
    assert [schedule.get_buffer(name).name for name in ("x_0", "y_7", "y_8", "last_2")] == [
        "x_0",
        "y_7",
        "y_8",
        "last_2",
    ]
    for printed in (f"{module!s}\n", f"{schedule.module!s}\n"):
        assert f"{vtac.parse(printed)!s}\n" == printed


def test_a_loop_is_called_as_its_variable_is_spelt() -> None:
    schedule = Schedule(PRODUCTS)
    text = f"{schedule.module!s}\n".replace("%i0 ", "%row_3 ", 1).replace("(%i0, ", "(%row_3, ", 1)
    names = [op.loop_name for op in vtac.parse(text).walk() if isinstance(op, ForOp)]
    assert names == ["row_3", "i1", "r2", "row", "column", "sum"]


NUMBERED = """
func.func @f(%x_1: tensor<1x16xi8>) -> (tensor<1x16xi8>, tensor<1x16xi8>) {
  %0 = tensor.empty() : tensor<1x16xi8>
  %row_5 = linalg.add ins(%x_1, %x_1 : tensor<1x16xi8>, tensor<1x16xi8>) outs(%0 : tensor<1x16xi8>) -> tensor<1x16xi8>
  %row_3 = linalg.sub ins(%row_5, %x_1 : tensor<1x16xi8>, tensor<1x16xi8>) outs(%0 : tensor<1x16xi8>) -> tensor<1x16xi8>
  func.return %row_5, %row_3 : tensor<1x16xi8>, tensor<1x16xi8>
}
"""


def test_numbers_at_the_ends_of_names_stay_in_plain_programs() -> None:
    program = vtac.compile(NUMBERED)
    assert [buffer.name for buffer in program.arguments] == ["x_1"]
    assert [buffer.name for buffer in program.results] == ["row_5", "row_3"]
