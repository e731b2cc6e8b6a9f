"""Facts of a block are found once while it is as it was, and anew after any change."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from small_function import ADDITION
from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, StringAttr, i32
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Block
from xdsl.rewriter import Rewriter

from vtac.analysis.ir.kept_facts import FactsContext, KeptFacts, facts_of
from vtac.analysis.ir.walks import operations_in_block
from vtac.text.context import make_context
from vtac.text.source import parse


class Counted:
    """An analysis that counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, block: Block) -> int:
        self.calls += 1
        return len(operations_in_block(block))


def body() -> Block:
    (function,) = parse(ADDITION).ops
    return function.regions[0].block


def generic_of(block: Block) -> GenericOp:
    return next(op for op in block.ops if isinstance(op, GenericOp))


def test_facts_count_while_nothing_changes() -> None:
    block, analysis, facts = body(), Counted(), KeptFacts()
    assert facts.of(analysis, block) == facts.of(analysis, block) == 6
    assert analysis.calls == 1


def replace_an_operand(block: Block) -> None:
    generic_of(block).operands[0] = block.args[1]


def set_an_attribute(block: Block) -> None:
    generic_of(block).attributes["note"] = StringAttr("new")


def change_a_constant_in_the_body(block: Block) -> None:
    number = next(op for op in generic_of(block).body.block.ops if isinstance(op, arith.ConstantOp))
    number.properties["value"] = IntegerAttr(4, i32)


def add_an_operation(block: Block) -> None:
    inner = generic_of(block).body.block
    first = inner.first_op
    assert first is not None
    inner.insert_ops_before([arith.ConstantOp(IntegerAttr(1, i32))], first)


def drop_and_put_an_equal_one(block: Block) -> None:
    old = generic_of(block)
    Rewriter.replace_op(old, old.clone())


@pytest.mark.parametrize(
    "change",
    [
        replace_an_operand,
        set_an_attribute,
        change_a_constant_in_the_body,
        add_an_operation,
        drop_and_put_an_equal_one,
    ],
)
def test_any_change_makes_facts_old(change: Callable[[Block], None]) -> None:
    block, analysis, facts = body(), Counted(), KeptFacts()
    facts.of(analysis, block)
    change(block)
    facts.of(analysis, block)
    assert analysis.calls == 2


def test_facts_are_of_one_block() -> None:
    analysis, facts = Counted(), KeptFacts()
    facts.of(analysis, body())
    facts.of(analysis, body())
    assert analysis.calls == 2


def test_contexts_that_keep_nothing_give_facts_anew() -> None:
    kept, plain = FactsContext(), make_context()
    assert facts_of(kept) is facts_of(kept)
    assert facts_of(plain) is not facts_of(plain)
