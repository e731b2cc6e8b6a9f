"""Bodies of elementwise operations on i8 and i32, in place of those on other types."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerAttr, IntegerType, i32
from xdsl.dialects.linalg.ops import YieldOp
from xdsl.ir import Block, Operation, SSAValue

from vtac.analysis.values.integer_ranges import Range, type_range, unwrapped_range
from vtac.analysis.values.recipes import Constant, Recipe, Source, StepName
from vtac.analysis.values.scalar_facts import Lookup, apply_rule, is_float, range_of, takes_or_gives_floats
from vtac.analysis.values.scaled_integers import Amount, Channels, Known
from vtac.rewriting.edits import append

STEPS: Mapping[StepName, type[arith.SignlessIntegerBinaryOperation]] = {
    "add": arith.AddiOp,
    "sub": arith.SubiOp,
    "mul": arith.MuliOp,
    "max": arith.MaxSIOp,
    "min": arith.MinSIOp,
    "shl": arith.ShLIOp,
    "shr": arith.ShRSIOp,
}


class IntegerBody(ABC):
    """A body under construction. `vectors` are the arguments that hold constants per channel, in order.

    `values` are the scalars in place of the old body's, `fact` says what is known of those.
    """

    def __init__(self, block: Block, fact: Lookup, values: dict[SSAValue, SSAValue]) -> None:
        self.block = block
        self.fact = fact
        self.values = values
        self.vectors: dict[Channels[int], SSAValue] = {}
        self.choices: list[str] = []
        self.yielded: SSAValue | None = None
        self._constants: dict[int, SSAValue] = {}

    @abstractmethod
    def convert(self, op: Operation) -> None:
        """Append what computes an operation's result."""

    @abstractmethod
    def result(self, value: SSAValue) -> SSAValue:
        """What is yielded in place of an old value."""

    def close(self, value: SSAValue, kind: IntegerType, offset: int) -> None:
        """End the body with a value less an offset, in the result's type."""
        found = self.result(value)
        self.yielded = self.as_type(self._less(found, offset) if offset else found, kind)
        append(YieldOp(self.yielded), self.block)

    def _less(self, value: SSAValue, offset: int) -> SSAValue:
        """A value less a number; one that was added last goes."""
        owner = value.owner
        if isinstance(owner, arith.AddiOp | arith.SubiOp):
            number = next((n for n, found in self._constants.items() if found is owner.rhs), None)
            if number is not None:
                value, offset = owner.lhs, offset - number if isinstance(owner, arith.AddiOp) else offset + number
        return self.add(arith.AddiOp(value, self.constant(-offset))) if offset else value

    def add(self, op: Operation) -> SSAValue:
        """Append an operation; its result."""
        append(op, self.block)
        return op.results[0]

    def constant(self, amount: Amount) -> SSAValue:
        """A number of the body, or an argument for one per channel."""
        if isinstance(amount, Channels):
            if amount not in self.vectors:
                self.vectors[amount] = self.block.insert_arg(i32, len(self.block.args) - 1)
            return self.vectors[amount]
        if amount not in self._constants:
            self._constants[amount] = self.add(arith.ConstantOp(IntegerAttr(amount, i32)))
        return self._constants[amount]

    def as_type(self, value: SSAValue, kind: IntegerType) -> SSAValue:
        """A value sign-extended or truncated to a type; what was extended from that type before is not."""
        width = cast(IntegerType, value.type).bitwidth
        if width == kind.bitwidth:
            return value
        owner = value.owner
        if isinstance(owner, arith.ExtSIOp) and owner.input.type == kind:
            return owner.input
        return self.add(arith.TruncIOp(value, kind) if kind.bitwidth < width else arith.ExtSIOp(value, kind))


class UnscaledBody(IntegerBody):
    """A body on floats that are integers times powers of two."""

    def convert(self, op: Operation) -> None:
        if isinstance(op, arith.CmpfOp) or all(map(self._is_constant, op.results)):
            return
        if takes_or_gives_floats(op):
            self.values[op.results[0]] = self._converted(op)
        else:
            mapper = {operand: self.values.get(operand, operand) for operand in op.operands}
            self.values[op.results[0]] = self.add(op.clone(mapper))
        self.values[op.results[0]].name_hint = op.results[0].name_hint

    def result(self, value: SSAValue) -> SSAValue:
        return self.values.get(value, value)

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
            left, right = (self._source(source, sources) for source in (step.left, step.right))
            sources[place] = self.add(STEPS[step.name](left, right))
        kind = op.results[0].type
        found = sources[number]
        return self.as_type(found, cast(IntegerType, kind)) if isinstance(kind, IntegerType) else found

    def _source(self, source: Source, sources: Mapping[int, SSAValue]) -> SSAValue:
        return self.constant(source.value) if isinstance(source, Constant) else sources[source]

    def _as_i32(self, value: SSAValue, *, unsigned: bool = False) -> SSAValue:
        if unsigned and cast(IntegerType, value.type).bitwidth < 32:
            return self.add(arith.ExtUIOp(value, i32))
        return self.as_type(value, i32)


class NarrowBody(IntegerBody):
    """A body on integers of any width, computed in 32 bits.

    Narrower integers are held with their sign extended; `_unwrapped` are those whose upper bits are still to be
    cut off, which what is truncated at the end needs not.
    """

    def __init__(self, block: Block, fact: Lookup, values: dict[SSAValue, SSAValue]) -> None:
        super().__init__(block, fact, values)
        self._unwrapped: dict[SSAValue, SSAValue] = {}
        self._extended: dict[SSAValue, SSAValue] = {}

    def convert(self, op: Operation) -> None:
        result = op.results[0]
        if isinstance(op, arith.ConstantOp):
            return
        if isinstance(op, arith.ExtSIOp):
            self.values[result] = self._number(op.input)
            return
        found = self._unsigned(op) if isinstance(op, arith.ExtUIOp) else self._computed(op)
        self._set(result, found, unwrapped_range(op, [range_of(v, self.fact(v)) for v in op.operands]))

    def result(self, value: SSAValue) -> SSAValue:
        if value in self._unwrapped:
            return self._unwrapped[value]
        return self.values[value] if value in self.values else self._number(value)

    def _set(self, result: SSAValue, found: SSAValue, bounds: Range) -> None:
        low, high = type_range(cast(IntegerType, result.type).bitwidth)
        fits = cast(IntegerType, result.type).bitwidth >= 32 or (low <= bounds[0] and bounds[1] <= high)
        (self.values if fits else self._unwrapped)[result] = found
        if found.name_hint is None:
            found.name_hint = result.name_hint

    def _computed(self, op: Operation) -> SSAValue:
        if isinstance(op, arith.TruncIOp):
            return self._number(op.input)
        left, right = (self._number(value) for value in op.operands)
        if isinstance(op, arith.ShRSIOp) and isinstance(amount := self.fact(op.operands[1]), Known):
            numbers = amount.numbers
            right = right if isinstance(numbers, Channels) else self.constant(min(int(numbers), 31))
        kind = next(kind for kind in STEPS.values() if isinstance(op, kind))
        return self.add(kind(left, right))

    def _unsigned(self, op: arith.ExtUIOp) -> SSAValue:
        """The bits of a signed number as an unsigned one: with the top bit turned over, plus its weight."""
        number, bits = self._number(op.input), cast(IntegerType, op.input.type).bitwidth
        if bits >= 32 or range_of(op.input, self.fact(op.input))[0] >= 0:
            return number
        half = self.constant(1 << (bits - 1))
        return self.add(arith.AddiOp(self._wrapped(self.add(arith.AddiOp(number, half)), bits), half))

    def _number(self, value: SSAValue) -> SSAValue:
        """A scalar as i32."""
        if value in self._unwrapped and value not in self.values:
            self.values[value] = self._wrapped(self._unwrapped[value], cast(IntegerType, value.type).bitwidth)
        if value in self.values:
            found = self.values[value]
            if found not in self._extended:
                self._extended[found] = self.as_type(found, i32)
            return self._extended[found]
        numbers = cast(Known, self.fact(value)).numbers
        if isinstance(numbers, Channels):
            return self.constant(Channels(numbers.axis, tuple(low_bits(int(number)) for number in numbers.values)))
        return self.constant(low_bits(int(numbers)))

    def _wrapped(self, value: SSAValue, bits: int) -> SSAValue:
        """A number's low bits, with their sign."""
        rest = self.constant(32 - bits)
        return self.add(arith.ShRSIOp(self.add(arith.ShLIOp(value, rest)), rest))


def low_bits(number: int) -> int:
    """The low 32 bits of an integer, as a signed one."""
    return ((number + (1 << 31)) & ((1 << 32) - 1)) - (1 << 31)
