"""SSA dominance against its definition: a block dominates another when removing it cuts that one off the entry."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects import test
from xdsl.dialects.builtin import i32
from xdsl.ir import Block, Region

from vtac.analysis.ir.dominance import dominance_violations

Graph = list[list[int]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Successor lists of up to eight blocks; block 0 is the entry, which no block branches to."""
    count = draw(st.integers(1, 8))
    if count == 1:
        return [[]]
    return draw(st.lists(st.lists(st.integers(1, count - 1), max_size=3), min_size=count, max_size=count))


def reachable(graph: Graph, without: int | None) -> set[int]:
    seen: set[int] = set()
    pending = [0]
    while pending:
        block = pending.pop()
        if block != without and block not in seen:
            seen.add(block)
            pending += graph[block]
    return seen


@settings(max_examples=150)
@given(graphs(), st.data())
def test_agrees_with_the_definition(graph: Graph, data: st.DataObject) -> None:
    blocks = [Block() for _ in graph]
    definition = data.draw(st.integers(0, len(graph) - 1))
    uses = data.draw(st.sets(st.integers(0, len(graph) - 1)))
    value = test.TestOp(result_types=[i32])
    for index, block in enumerate(blocks):
        if index in uses:
            block.add_op(test.TestOp(operands=[value.results[0]]))
        if index == definition:
            block.add_op(value)
        block.add_op(test.TestTermOp(successors=[blocks[successor] for successor in graph[index]]))
    root = test.TestOp(regions=[Region(blocks)])

    live = reachable(graph, None)
    cut_off = live - reachable(graph, definition)
    expected = {use for use in uses & live if use == definition or use not in cut_off}
    found = {blocks.index(block) for violation in dominance_violations(root) if (block := violation.user.parent)}
    assert found == expected


def test_nested_uses_count_at_the_operation_that_holds_them() -> None:
    value = test.TestOp(result_types=[i32])
    inner = test.TestOp(operands=[value.results[0]])
    holder = test.TestOp(regions=[Region(Block([inner]))])
    root = test.TestOp(regions=[Region(Block([holder, value]))])
    assert [violation.reason for violation in dominance_violations(root)] == ["it is defined after this use"]
    value.detach()
    Block.insert_op_before(root.regions[0].block, value, holder)
    assert list(dominance_violations(root)) == []


def test_values_do_not_leave_their_region() -> None:
    value = test.TestOp(result_types=[i32])
    holder = test.TestOp(regions=[Region(Block([value]))])
    user = test.TestOp(operands=[value.results[0]])
    root = test.TestOp(regions=[Region(Block([holder, user]))])
    (violation,) = dominance_violations(root)
    assert violation.reason == "it is defined in a region that does not enclose this use"
    assert (violation.user, violation.operand_index, violation.definition) == (user, 0, value)


def test_a_result_is_not_visible_inside_its_operation() -> None:
    holder = test.TestOp(result_types=[i32], regions=[Region(Block())])
    holder.regions[0].block.add_op(test.TestOp(operands=[holder.results[0]]))
    root = test.TestOp(regions=[Region(Block([holder]))])
    assert [violation.reason for violation in dominance_violations(root)] == [
        "it is a result of the enclosing operation"
    ]


def test_a_detached_definition_is_reported() -> None:
    user = test.TestOp(operands=[test.TestOp(result_types=[i32]).results[0]])
    root = test.TestOp(regions=[Region(Block([user]))])
    assert [violation.reason for violation in dominance_violations(root)] == [
        "its definition is not part of the program"
    ]
