"""Which integer tensors of a function get 32 bits, or 8 where a product reads them.

The low 32 bits of a wider integer follow from those of its operands where it is a sum, difference,
product or shift to the left; elsewhere its operands have to fit 32 bits. Factors of products whose
integers fit 8 bits, such as sign-extended bytes, become bytes.
"""

from __future__ import annotations

from xdsl.dialects import arith
from xdsl.dialects.builtin import IntegerType, i8, i32
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.dialects.linalg.ops import FillOp, GenericOp
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.traits import IsTerminator

from vtac.analysis.integer_plans.tensor_plan import LAYOUTS, TensorPlan, read_operands
from vtac.analysis.types.element_kinds import element_kinds
from vtac.analysis.types.tensor_types import element_of
from vtac.analysis.values.integer_ranges import Range, width_of
from vtac.analysis.values.scalar_facts import Lookup, range_of
from vtac.analysis.values.scaled_integers import INT8, INT32, Channels, Known, Scaled

_OF_LOW_BITS = (arith.ConstantOp, arith.ExtSIOp, arith.TruncIOp, arith.AddiOp, arith.SubiOp, arith.MuliOp)


def may_narrow(function: FuncOp) -> bool:
    """Whether a function may have anything for a plan, by one look: other integers, or what may become bytes."""
    return any(map(is_unusual, element_kinds(function))) or any(map(_may_start, function.body.block.ops))


def _may_start(op: Operation) -> bool:
    """Whether a plan may start at an operation of a function without other integers."""
    if not isinstance(op, LinalgStructuredOperation) or len(op.res) != 1 or isinstance(op, FillOp):
        return False
    if all(kind.data is IteratorType.PARALLEL for kind in op.get_iterator_types()):
        return not is_usual_body(op)
    computed = [value for value in op.operands if isinstance(value.owner, Operation)]
    return any(element_of(value) != i8 and not isinstance(value.owner, FillOp) for value in computed)


class NarrowPlan(TensorPlan):
    """The operations of a function that are rewritten on i8 and i32."""

    def __init__(self, function: FuncOp) -> None:
        self.bytes: set[SSAValue] = set()
        super().__init__(function)

    def must_convert(self, value: SSAValue) -> bool:
        return is_tensor(value) and is_unusual(element_of(value))

    def is_folded(self, value: SSAValue) -> bool:
        fact = self.facts.of(value)
        return isinstance(fact, Known) and (self.must_convert(value) or not isinstance(fact.numbers, Channels))

    def converted_operands(self, op: Operation) -> list[SSAValue]:
        found = super().converted_operands(op)
        if self._reads_bytes(op):
            found += [v for v in read_operands(op) if v in self.bytes and element_of(v) != i8 and v not in found]
        return found

    def _reads_bytes(self, op: Operation) -> bool:
        if isinstance(op, LAYOUTS):
            return op.results[0] in self.wanted and self.fits_byte(op.results[0])
        found = self.facts.contractions.get(op)
        return found is not None and all(factor.widening in (None, "signed") for factor in found.factors)

    def fits_byte(self, value: SSAValue) -> bool:
        """Whether a tensor's integers fit 8 bits."""
        fact = self.facts.of(value)
        return isinstance(fact, Scaled) and fact.within(*INT8)

    def is_start(self, op: Operation) -> bool:
        if not isinstance(op, LinalgStructuredOperation) or len(op.res) != 1:
            return False
        if op in self.facts.contractions:
            return any(map(self.must_convert, (*op.operands, op.res[0]))) or bool(self.converted_operands(op))
        if op not in self.facts.bodies or element_of(op.res[0]) not in (i8, i32):
            return False
        return any(map(self.must_convert, op.inputs)) or not is_usual_body(op)

    def is_convertible(self, op: Operation) -> bool:
        found = self._is_convertible(op)
        if found and len(op.results) == 1 and is_tensor(op.results[0]) and self.fits_byte(op.results[0]):
            sources = read_operands(op) if isinstance(op, LAYOUTS) else ()
            if all(v in self.bytes or element_of(v) == i8 or not is_tensor(v) for v in sources):
                self.bytes.add(op.results[0])
        return found

    def _is_convertible(self, op: Operation) -> bool:
        if len(op.results) != 1 or not isinstance(element_of(op.results[0]), IntegerType):
            return False
        if isinstance(op, (arith.ConstantOp, *LAYOUTS)):
            return is_tensor(op.results[0]) and isinstance(self.facts.of(op.results[0]), Scaled)
        if not isinstance(op, LinalgStructuredOperation) or len(op.outputs) != 1:
            return False
        if not all(isinstance(element_of(value), IntegerType) for value in op.operands):
            return False
        if op in self.facts.contractions:
            return self._is_narrow_contraction(op)
        if op not in self.facts.bodies or op.body.block.args[-1].uses:
            return False
        return all(is_narrowable(inner, self._lookup(op)) for inner in op.body.block.ops)

    def _lookup(self, op: LinalgStructuredOperation) -> Lookup:
        facts = self.facts.bodies[op]
        return lambda value: facts[value] if value in facts else self.facts.of(value)

    def _is_narrow_contraction(self, op: LinalgStructuredOperation) -> bool:
        found = self.facts.contractions[op]
        if any(factor.widening == "unsigned" for factor in found.factors):
            return False
        if isinstance(op, GenericOp) and any(factor.zero_point is not None for factor in found.factors):
            return False
        fact = self.facts.of(op.res[0])
        return found.kind != "max" or (isinstance(fact, Scaled) and fact.within(*INT32))


def is_tensor(value: SSAValue) -> bool:
    """Whether a value is a tensor."""
    return value.type is not element_of(value)


def is_unusual(kind: Attribute) -> bool:
    """Whether a type is an integer of neither 8 nor 32 bits."""
    return isinstance(kind, IntegerType) and kind.bitwidth not in (1, 8, 32)


def is_usual_body(op: LinalgStructuredOperation) -> bool:
    """Whether a body computes in i32: extends its bytes before, and truncates what it yields after."""
    *inner, last = op.body.block.ops
    for one in inner:
        if isinstance(one, arith.ConstantOp | arith.ExtSIOp) and one.results[0].type == i32:
            continue
        is_last = isinstance(one, arith.TruncIOp) and last.operands[0] is one.results[0]
        if any(value.type != i32 for value in (*one.operands, *one.results)) and not is_last:
            return False
    return True


def is_narrowable(op: Operation, fact: Lookup) -> bool:
    """Whether the low 32 bits of an operation's result follow from those of its operands, or from whole operands."""
    if op.has_trait(IsTerminator):
        return True
    if not all(isinstance(value.type, IntegerType) for value in (*op.operands, *op.results)):
        return False
    if isinstance(op, _OF_LOW_BITS):
        return True
    ranges = [range_of(value, fact(value)) for value in op.operands]
    if isinstance(op, arith.ExtUIOp):
        return ranges[0][0] >= 0 or width_of(op.input.type) in (8, 16, 32)
    if isinstance(op, arith.ShLIOp):
        return within(ranges[1], (0, 31))
    if isinstance(op, arith.ShRSIOp):
        return within(ranges[0], INT32) and ranges[1][0] >= 0 and (ranges[1][1] <= 31 or ranges[1][0] == ranges[1][1])
    return isinstance(op, arith.MaxSIOp | arith.MinSIOp) and all(within(found, INT32) for found in ranges)


def within(found: Range, bounds: Range) -> bool:
    """Whether a range lies within another."""
    return bounds[0] <= found[0] and found[1] <= bounds[1]
