"""Bodies of elementwise operations on integers in place of floats that are integers times powers of two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, IntegerType, i32
from xdsl.dialects.linalg.ops import YieldOp
from xdsl.ir import Block, Operation, SSAValue

from vtac.analysis.recipes import Constant, Recipe, Source, StepName
from vtac.analysis.scalar_facts import Lookup, apply_rule, is_float, takes_or_gives_floats
from vtac.analysis.scaled_integers import Amount, Channels, Known
from vtac.rewriting.edits import append

_STEPS: Mapping[StepName, type[arith.SignlessIntegerBinaryOperation]] = {
    "add": arith.AddiOp,
    "sub": arith.SubiOp,
    "mul": arith.MuliOp,
    "max": arith.MaxSIOp,
    "min": arith.MinSIOp,
    "shl": arith.ShLIOp,
    "shr": arith.ShRSIOp,
}


@dataclass
class IntegerBody:
    """A body under construction. `vectors` are the arguments that hold constants per channel, in order."""

    block: Block
    fact: Lookup
    values: dict[SSAValue, SSAValue]
    vectors: dict[Channels[int], SSAValue] = field(default_factory=dict[Channels[int], SSAValue])
    choices: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self._constants: dict[int, SSAValue] = {}
        self.yielded: SSAValue | None = None

    def add(self, op: Operation) -> SSAValue:
        """Append an operation; its result."""
        append(op, self.block)
        return op.results[0]

    def convert(self, op: Operation) -> None:
        """Append what computes an operation's result as an integer."""
        if isinstance(op, arith.CmpfOp) or all(map(self._is_constant, op.results)):
            return
        if takes_or_gives_floats(op):
            self.values[op.results[0]] = self._converted(op)
        else:
            mapper = {operand: self.values.get(operand, operand) for operand in op.operands}
            self.values[op.results[0]] = self.add(op.clone(mapper))
        self.values[op.results[0]].name_hint = op.results[0].name_hint

    def _is_constant(self, value: SSAValue) -> bool:
        return is_float(value) and isinstance(self.fact(value), Known)

    def _converted(self, op: Operation) -> SSAValue:
        recipe = Recipe(len(op.operands))
        number, _ = apply_rule(op, self.fact, recipe)
        self.choices += recipe.choices
        sources: dict[int, SSAValue] = {}
        for position, operand in enumerate(op.operands):
            if operand in self.values:
                sources[position] = self._as_i32(self.values[operand], unsigned=isinstance(op, arith.UIToFPOp))
        for place, step in enumerate(recipe.steps, len(op.operands)):
            operands = [self._source(source, sources) for source in (step.left, step.right)]
            sources[place] = self.add(_STEPS[step.name](operands[0], operands[1]))
        kind = op.results[0].type
        return self._as(sources[number], cast(IntegerType, kind)) if isinstance(kind, IntegerType) else sources[number]

    def _source(self, source: Source, sources: Mapping[int, SSAValue]) -> SSAValue:
        return self.constant(source.value) if isinstance(source, Constant) else sources[source]

    def constant(self, amount: Amount) -> SSAValue:
        """A number of the body, or an argument for one per channel."""
        if isinstance(amount, Channels):
            if amount not in self.vectors:
                self.vectors[amount] = self.block.insert_arg(i32, len(self.block.args) - 1)
            return self.vectors[amount]
        if amount not in self._constants:
            self._constants[amount] = self.add(arith.ConstantOp(IntegerAttr(amount, i32)))
        return self._constants[amount]

    def _as_i32(self, value: SSAValue, *, unsigned: bool = False) -> SSAValue:
        width = cast(IntegerType, value.type).bitwidth
        if width < 32 and unsigned:
            return self.add(arith.ExtUIOp(value, i32))
        return self._as(value, i32)

    def _as(self, value: SSAValue, kind: IntegerType) -> SSAValue:
        width = cast(IntegerType, value.type).bitwidth
        if width == kind.bitwidth:
            return value
        owner = value.owner
        if isinstance(owner, arith.ExtSIOp) and owner.input.type == kind:
            return owner.input
        return self.add(arith.TruncIOp(value, kind) if kind.bitwidth < width else arith.ExtSIOp(value, kind))

    def close(self, value: SSAValue, kind: IntegerType) -> None:
        """End the body with a value, in the result's type."""
        self.yielded = self._as(self.values.get(value, value), kind)
        append(YieldOp(self.yielded), self.block)
