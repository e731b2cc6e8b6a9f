"""A linalg operation and the block that it becomes are the same contraction."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation

from vtac.analysis.nests.tiles import match_nest
from vtac.analysis.operations.contraction import Contraction, match_contraction, match_product
from vtac.analysis.operations.structured_view import StructuredView, block_view, structured_view, tile_view
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.passes.linalg.convert_linalg_to_schedule import ConvertLinalgToSchedule
from vtac.text.context import make_context
from vtac.text.source import parse
from vtac.workloads.linalg_text import affine_map, tensor

KINDS = {
    "batch": ("a", "b", "c"),
    "rows": ("a", "c"),
    "columns": ("b", "c"),
    "depth": ("a", "b"),
    "broadcast": ("c",),
    "partial": ("a",),
}
"""Which of the operands a and b and the result c a variable of each group moves."""


@dataclass(frozen=True)
class Program:
    """One `linalg.generic`: the group and extent of each loop, and the order of loops in each operand."""

    groups: tuple[str, ...]
    extents: tuple[int, ...]
    orders: tuple[tuple[int, ...], ...]
    extend: str = "extsi"

    def moved(self, operand: str) -> list[int]:
        """The loops that move an operand, in the order of its dimensions."""
        order = self.orders["abc".index(operand)]
        return [loop for loop in order if operand in KINDS[self.groups[loop]]]

    def text(self) -> str:
        """The program."""
        loops = ", ".join(f"v{loop}" for loop in range(len(self.groups)))
        maps = [affine_map(loops, ", ".join(f"v{loop}" for loop in self.moved(operand))) for operand in "abc"]
        kinds = ['"parallel"' if "c" in KINDS[group] else '"reduction"' for group in self.groups]
        a, b, c = (
            tensor(tuple(self.extents[loop] for loop in self.moved(operand)), "i32" if operand == "c" else "i8")
            for operand in "abc"
        )
        return f"""func.func @f(%a: {a}, %b: {b}) -> {c} {{
  %zero = arith.constant 0 : i32
  %empty = tensor.empty() : {c}
  %init = linalg.fill ins(%zero : i32) outs(%empty : {c}) -> {c}
  %c = linalg.generic {{indexing_maps = [{", ".join(maps)}], iterator_types = [{", ".join(kinds)}]}}
    ins(%a, %b : {a}, {b}) outs(%init : {c}) {{
  ^bb0(%x: i8, %y: i8, %acc: i32):
    %xw = arith.{self.extend} %x : i8 to i32
    %yw = arith.{self.extend} %y : i8 to i32
    %p = arith.muli %xw, %yw : i32
    %s = arith.addi %acc, %p : i32
    linalg.yield %s : i32
  }} -> {c}
  func.return %c : {c}
}}
"""


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Products with any number of loops of any group, in any order of dimensions."""
    rest = draw(st.lists(st.sampled_from(sorted(KINDS)), max_size=4))
    groups = tuple(draw(st.permutations(["rows", "columns", "depth", *rest])))
    extents = tuple(draw(st.lists(st.integers(1, 5), min_size=len(groups), max_size=len(groups))))
    orders = tuple(tuple(draw(st.permutations(range(len(groups))))) for _ in range(3))
    return Program(groups, extents, orders)


def operation(module: ModuleOp) -> LinalgStructuredOperation:
    """The last linalg operation of a module."""
    return [op for op in module.walk() if isinstance(op, LinalgStructuredOperation)][-1]


def block(module: ModuleOp) -> BlockOp:
    """The last block of a module, after its linalg operations became nests."""
    ConvertLinalgToSchedule().apply(make_context(), module)
    return [op for op in module.walk() if isinstance(op, BlockOp)][-1]


def shape(view: StructuredView[int]) -> object:
    """All that a view says but the operands' values."""
    return view.variables, [(operand.indices, operand.pad) for operand in (*view.inputs, view.output)], view.accumulates


def groups(found: Contraction[int] | str) -> object:
    """All that a contraction says but its view."""
    assert not isinstance(found, str), found
    return (
        found.kind,
        found.factors,
        found.batch,
        found.rows,
        found.columns,
        found.depth,
        found.broadcast,
        found.partial,
    )


@settings(max_examples=60)
@given(programs())
def test_an_operation_and_its_block_are_one_contraction(program: Program) -> None:
    module = parse(program.text())
    before = structured_view(operation(module))
    assert not isinstance(before, str)
    after = block_view(block(module))
    assert shape(before) == shape(after)
    found = match_product(after)
    assert groups(match_contraction(before)) == groups(match_contraction(after)) == groups(found)
    assert isinstance(found, Contraction)
    for name in KINDS:
        assert {v for v in range(len(program.groups)) if program.groups[v] == name} == set(getattr(found, name)), name


@settings(max_examples=20)
@given(programs())
def test_exchanged_factors_exchange_rows_and_columns(program: Program) -> None:
    found = match_product(block_view(block(parse(program.text()))))
    assert isinstance(found, Contraction)
    other = found.exchanged()
    assert (other.rows, other.columns) == (found.columns, found.rows)
    assert (other.batch, other.depth, other.broadcast) == (found.batch, found.depth, found.broadcast)
    assert groups(other.exchanged()) == groups(found)


@settings(max_examples=20)
@given(programs())
def test_a_whole_nest_is_the_tile_of_all_its_loops(program: Program) -> None:
    module = parse(program.text())
    one = block(module)
    outermost = next(op for op in module.walk() if isinstance(op, ForOp) and one in list(op.walk()))
    nest = match_nest(outermost)
    assert not isinstance(nest, str)
    tile, whole = match_product(tile_view(one, nest[0])), match_product(block_view(one))
    assert isinstance(tile, Contraction)
    assert isinstance(whole, Contraction)
    loops = [loop.induction_variable for loop in nest[0]]
    for name in KINDS:
        assert [loops.index(v) for v in getattr(tile, name)] == list(getattr(whole, name))


def test_padded_reads_keep_their_pad() -> None:
    module = parse("""func.func @f(%x: tensor<4xi8>) -> tensor<6xi8> {
  %zero = arith.constant 7 : i8
  %p = tensor.pad %x low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %zero : i8
  } : tensor<4xi8> to tensor<6xi8>
  func.return %p : tensor<6xi8>
}
""")
    view = block_view(block(module))
    assert str(view.inputs[0].pad) == "7 : i8"
    assert view.inputs[0].indices[0].constant == -1
    assert match_contraction(view) == "expected a reduction loop, found only parallel ones"


@pytest.mark.parametrize(
    ("body", "difference"),
    [
        (
            "%s = arith.muli %acc, %xw : i32",
            "expected arith.addi or arith.maxsi at the end of the body, found arith.muli",
        ),
        ("%s = arith.addi %xw, %yw : i32", "expected arith.addi of the accumulator (the last argument of the body)"),
        (
            "%s = arith.addi %acc, %xw : i32",
            "expected the product of both inputs added to the accumulator, found the sum",
        ),
        (
            "%s = arith.maxsi %acc, %xw : i32",
            "expected the product of both inputs added to the accumulator, found the max",
        ),
        (
            "%q = arith.muli %xw, %xw : i32\n    %s = arith.addi %acc, %q : i32",
            "expected the product of both inputs, each widened by arith.extsi or extf",
        ),
        (
            "%q = arith.andi %xw, %yw : i32\n    %s = arith.addi %acc, %q : i32",
            "expected arith.muli of two inputs, or one input, added to the accumulator, found arith.andi",
        ),
    ],
)
def test_other_bodies_are_no_product(body: str, difference: str) -> None:
    text = Program(("rows", "columns", "depth"), (2, 3, 4), ((0, 1, 2),) * 3).text()
    start, end = text.index("    %p = "), text.index("    linalg.yield")
    module = parse(f"{text[:start]}    {body}\n{text[end:]}")
    found = match_product(block_view(block(module)))
    assert isinstance(found, str)
    assert found.startswith(difference)


def test_what_is_no_structured_operation_says_so() -> None:
    module = parse("func.func @f() {\n  func.return\n}\n")
    assert structured_view(module) == "expected a structured operation with one result, found 'builtin.module'"


def test_equal_operations_share_their_access_pattern() -> None:
    """Whatever they are called and compute with; another stride is another pattern."""
    views = [structured_view(op) for op in parse(SHARED).walk() if op.name == "linalg.pooling_nchw_max"]
    patterns = [view.pattern for view in views if not isinstance(view, str)]
    assert len(patterns) == 3
    assert patterns[0] is patterns[1] and patterns[0] is not patterns[2]
    assert len({view.op for view in views if not isinstance(view, str)}) == 3


SHARED = """
func.func @f(%x: tensor<1x2x8x8xi32>, %y: tensor<1x2x8x8xi32>, %w: tensor<2x2xi32>, %a: tensor<1x2x4x4xi32>,
             %b: tensor<1x2x7x7xi32>) {
  %0 = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
    ins(%x, %w : tensor<1x2x8x8xi32>, tensor<2x2xi32>) outs(%a : tensor<1x2x4x4xi32>) -> tensor<1x2x4x4xi32>
  %1 = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
    ins(%y, %w : tensor<1x2x8x8xi32>, tensor<2x2xi32>) outs(%0 : tensor<1x2x4x4xi32>) -> tensor<1x2x4x4xi32>
  %2 = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
    ins(%y, %w : tensor<1x2x8x8xi32>, tensor<2x2xi32>) outs(%b : tensor<1x2x7x7xi32>) -> tensor<1x2x7x7xi32>
  return
}
"""
