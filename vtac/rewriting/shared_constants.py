"""Index constants of a function, each number once, in front of everything else."""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.ir import Block, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import InsertPoint

from vtac.rewriting.edits import insert_ops
from vtac.rewriting.index_values import index_constant


class SharedConstants:
    """Makes constants at the start of a block, in the order in which they are first asked for."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self._made: dict[int, arith.ConstantOp] = {}
        self._last: Operation | None = None

    def get(self, value: int, rewriter: PatternRewriter | None = None) -> SSAValue:
        """The index constant of a number, named after it."""
        if value not in self._made:
            constant = index_constant(value)
            constant.result.name_hint = f"c{value}"
            point = InsertPoint.at_start(self.block) if self._last is None else InsertPoint.after(self._last)
            insert_ops(constant, point, rewriter)
            self._made[value] = constant
            self._last = constant
        return self._made[value].result

    def holds(self, op: Operation) -> bool:
        """Whether an op is one of these constants."""
        return op in self._made.values()
