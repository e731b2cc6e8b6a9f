"""Moving, wrapping and dissolving operations, with and without a rewriter that is told."""

from __future__ import annotations

from itertools import pairwise

import pytest
from xdsl.dialects import test
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Block, Operation, Region
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint

from vtac.dialects.schedule.payload import ForOp
from vtac.rewriting.edits import (
    before_end,
    discard,
    dissolve,
    insert_ops,
    move_body,
    move_op,
    move_ops,
    replace_nest,
    stand_for,
    take_from_nest,
    wrap,
)


def _ops(count: int) -> list[Operation]:
    return [test.TestOp() for _ in range(count)]


def test_ops_move_in_their_order() -> None:
    first, second, third, fourth = _ops(4)
    block = Block([first, second, third, fourth])
    move_ops([fourth, third], InsertPoint.before(first))
    assert list(block.ops) == [fourth, third, first, second]


def test_a_point_among_the_moved_ops_is_the_next_that_stays() -> None:
    first, second, third = _ops(3)
    block = Block([first, second, third])
    move_ops([second, first], InsertPoint.before(first))
    assert list(block.ops) == [second, first, third]
    move_op(third, InsertPoint.before(third))
    assert list(block.ops) == [second, first, third]


def test_the_end_of_a_block_is_before_its_terminator() -> None:
    last, added = test.TestTermOp(), test.TestOp()
    block = Block([last])
    insert_ops(added, before_end(block))
    assert list(block.ops) == [added, last]
    assert before_end(Block()).insert_before is None


def test_dissolving_a_loop_gives_its_variable_a_value() -> None:
    loop, before = ForOp.get(1, "i"), test.TestOp(result_types=[ForOp.get(1, "j").induction_variable.type])
    inside = test.TestOp(operands=[loop.induction_variable])
    loop.body.block.add_op(inside)
    block = Block([before, loop])
    dissolve(loop, [before.results[0]])
    assert list(block.ops) == [before, inside]
    assert inside.operands[0] is before.results[0]


def test_dissolving_drops_the_terminator() -> None:
    inside = test.TestOp()
    outer = test.TestOp(regions=[Region(Block([inside, test.TestTermOp()]))])
    block = Block([outer])
    dissolve(outer)
    assert list(block.ops) == [inside]


def test_an_op_that_stands_nowhere_cannot_dissolve() -> None:
    with pytest.raises(ValueError, match="must have a parent block"):
        dissolve(ForOp.get(1, "i"))


def test_wrapped_ops_stand_at_the_end_of_their_wrapper() -> None:
    first, second, third = _ops(3)
    block = Block([first, second, third])
    outer = test.TestOp(regions=[Region(Block([test.TestTermOp()]))])
    wrap([second, third], outer)
    assert list(block.ops) == [first, outer]
    assert list(outer.regions[0].block.ops)[:2] == [second, third]


def _nest(*loops: ForOp) -> test.TestOp:
    inside = test.TestOp()
    for outer, inner in pairwise(loops):
        outer.body.block.add_op(inner)
    loops[-1].body.block.add_op(inside)
    return inside


def test_two_loops_take_the_place_and_the_body_of_one() -> None:
    loop, after = ForOp.get(6, "i"), test.TestOp()
    inside = _nest(loop)
    block = Block([loop, after])
    outer, inner = ForOp.get(2, "i_outer"), ForOp.get(3, "i_inner")
    replace_nest([loop], [outer, inner])
    assert list(block.ops) == [outer, after]
    assert [inside.parent_op(), inner.parent_op()] == [inner, outer]
    assert loop.parent is None


def test_loops_of_a_nest_exchange_their_depths() -> None:
    first, second, third = ForOp.get(2, "i"), ForOp.get(3, "j"), ForOp.get(4, "k")
    inside = _nest(first, second, third)
    block = Block([first])
    replace_nest([first, second, third], [third, first, second])
    assert list(block.ops) == [third]
    assert [inside.parent_op(), second.parent_op(), first.parent_op()] == [second, first, third]


def test_a_nest_goes_with_the_last_thing_that_it_holds() -> None:
    outer, inner, inside, other = ForOp.get(2, "i"), ForOp.get(3, "j"), test.TestOp(), test.TestOp()
    inner.body.block.add_op(inside)
    outer.body.block.add_ops([other, inner])
    block = Block([outer])
    take_from_nest(inside)
    assert list(outer.body.block.ops) == [other]
    take_from_nest(other)
    assert block.is_empty


def test_a_discarded_user_no_longer_counts() -> None:
    source = test.TestOp(result_types=[ForOp.get(1, "i").induction_variable.type])
    user = test.TestOp(operands=[source.results[0]])
    block = Block([source, user])
    discard(user)
    assert list(block.ops) == [source]
    assert source.results[0].uses.get_length() == 0


def test_the_rewriter_is_told_of_moves_and_removals() -> None:
    loop, inside = ForOp.get(1, "i"), test.TestOp()
    loop.body.block.add_op(inside)
    module = ModuleOp([loop])
    told: list[tuple[str, Operation]] = []
    rewriter = PatternRewriter(loop)
    rewriter.operation_modification_handler.append(lambda op: told.append(("moved", op)))
    rewriter.operation_removal_handler.append(lambda op: told.append(("removed", op)))
    dissolve(loop, rewriter=rewriter)
    assert told == [("moved", inside), ("removed", loop)]
    assert rewriter.has_done_action
    assert list(module.ops) == [inside]


def test_a_body_moves_and_leaves_an_empty_block() -> None:
    source, target = Block(_ops(2)), Block(_ops(1))
    ops = [*source.ops, *target.ops]
    move_body(source, InsertPoint.at_start(target))
    assert list(target.ops) == ops
    assert source.is_empty


def test_a_new_op_stands_for_an_old_one() -> None:
    old, new = ForOp.get(2, "i"), ForOp.get(2, "j")
    old.attributes["mark"] = old.induction_variable.type
    stand_for(new, old)
    assert new.attributes == old.attributes
    assert new.location == old.location
