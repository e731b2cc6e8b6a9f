"""The driver of patterns: one message per refusal, no rewrite without end, the order of visits."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from xdsl.dialects import test
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, StringAttr, i32
from xdsl.ir import Block, Operation, Region
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.errors import CompileError
from vtac.rewriting.walker import EndlessRewriteError, rewrite_greedily, rewrite_once


def _named(name: str, *inside: Operation) -> test.TestOp:
    regions = [Region(Block(inside))] if inside else []
    return test.TestOp(attributes={"name": StringAttr(name)}, regions=regions)


@dataclass
class _Record(RewritePattern):
    names: list[str] = field(default_factory=list[str])

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: test.TestOp, rewriter: PatternRewriter) -> None:
        self.names.append(str(op.attributes["name"]).strip('"'))


class _Refuse(RewritePattern):
    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: test.TestOp, rewriter: PatternRewriter) -> None:
        raise CompileError(f"no {op.attributes['name']}", "file:1:2")


class _CountDown(RewritePattern):
    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: test.TestOp, rewriter: PatternRewriter) -> None:
        left = op.attributes.get("left")
        if isinstance(left, IntegerAttr) and left.value.data:
            rewriter.replace(op, test.TestOp(attributes={"left": IntegerAttr(left.value.data - 1, i32)}))


class _Toggle(RewritePattern):
    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: test.TestOp, rewriter: PatternRewriter) -> None:
        rewriter.notify_op_modified(op)


def test_the_first_refusal_is_raised_as_it_is() -> None:
    module = ModuleOp([_named("first"), _named("second")])
    with pytest.raises(CompileError) as caught:
        rewrite_once(module, _Refuse())
    assert str(caught.value) == 'file:1:2: no "first"'


@pytest.mark.parametrize(
    ("inside_first", "backwards", "order"),
    [
        (False, False, ["a", "b", "c", "d"]),
        (True, False, ["b", "c", "a", "d"]),
        (False, True, ["d", "a", "c", "b"]),
        (True, True, ["d", "c", "b", "a"]),
    ],
)
def test_order_of_visits(*, inside_first: bool, backwards: bool, order: list[str]) -> None:
    module = ModuleOp([_named("a", _named("b"), _named("c")), _named("d")])
    record = _Record()
    assert not rewrite_once(module, record, inside_first=inside_first, backwards=backwards)
    assert record.names == order


def test_once_does_not_visit_what_it_makes() -> None:
    module = ModuleOp([test.TestOp(attributes={"left": IntegerAttr(3, i32)})])
    assert rewrite_once(module, _CountDown())
    assert [op.attributes["left"] for op in module.ops] == [IntegerAttr(2, i32)]


def test_greedily_goes_on_until_nothing_changes() -> None:
    module = ModuleOp([test.TestOp(attributes={"left": IntegerAttr(3, i32)})])
    assert rewrite_greedily(module, _CountDown())
    assert [op.attributes["left"] for op in module.ops] == [IntegerAttr(0, i32)]
    assert not rewrite_greedily(module, _CountDown())


def test_the_first_pattern_that_acts_wins() -> None:
    module = ModuleOp([test.TestOp(attributes={"left": IntegerAttr(1, i32)})])
    rewrite_once(module, _CountDown(), _Refuse())


@dataclass
class _EraseNext(_Record):
    """Records an operation, and erases the one behind it with all that it holds."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: test.TestOp, rewriter: PatternRewriter) -> None:
        self.names.append(str(op.attributes["name"]).strip('"'))
        if op.next_op is not None:
            rewriter.erase(op.next_op)


def test_what_is_erased_is_not_visited() -> None:
    module = ModuleOp([_named("a"), _named("b", _named("c")), _named("d")])
    record = _EraseNext()
    assert rewrite_once(module, record)
    assert record.names == ["a", "d"]


def test_patterns_that_do_not_come_to_rest_are_named() -> None:
    module = ModuleOp([_named("a")])
    with pytest.raises(EndlessRewriteError, match="_Toggle has rewritten 101 times and does not come to rest"):
        rewrite_greedily(module, _Toggle(), most=100)
