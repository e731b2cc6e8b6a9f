"""fuse-elementwise: elementwise operations in a row -> one."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, i8, i32
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.ops import FillOp, GenericOp, YieldOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.ir.affine import AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.expressions.numbers import number_of
from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.programs.fusion_groups import Group, fusion_groups
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.analysis.values.scalar_facts import range_of
from vtac.analysis.values.scaled_integers import INT8
from vtac.analysis.values.value_facts import ValueFacts
from vtac.dialects.packing.declared import CHOICE
from vtac.rewriting.edits import append, stand_for
from vtac.rewriting.integer_tensors import empty, generic
from vtac.rewriting.unread import DropDead, DropUnread
from vtac.rewriting.walker import rewrite_once


@dataclass
class FuseGroup(RewritePattern):
    """The last operation of a group becomes the whole group, whose others nothing reads then."""

    groups: dict[Operation, Group]
    facts: ValueFacts

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenericOp, rewriter: PatternRewriter) -> None:
        group = self.groups.get(op)
        if group is None:
            return
        fused = FusedBody(group, self.facts)
        for one in group.operations:
            fused.add(one)
        block = fused.closed(op)
        output = empty(element_of(op.res[0]), shape_of(op.res[0]))
        maps = [*fused.maps, AffineMap.identity(op.get_indexing_maps().data[-1].data.num_dims)]
        whole = generic(fused.inputs, output.tensor, block, maps, op.iterator_types.data)
        stand_for(whole, op)
        choices = [str(CHOICE.get(one)) for one in group.operations if CHOICE.get(one) is not None]
        if choices:
            CHOICE.set(whole, "; ".join(dict.fromkeys(choices)))
        output.location = op.location
        whole.results[0].name_hint = op.res[0].name_hint
        rewriter.replace(op, [output, whole])


class FusedBody:
    """The body of a group: one argument for each place of a tensor that is read from outside."""

    def __init__(self, group: Group, facts: ValueFacts) -> None:
        self.group = group
        self.facts = facts
        self.inputs: list[SSAValue] = []
        self.maps: list[AffineMap] = []
        self.block = Block()
        self._values: dict[SSAValue, SSAValue] = {}
        self._arguments: dict[tuple[SSAValue, AffineMap], SSAValue] = {}
        self._constants: dict[int, SSAValue] = {}

    def add(self, op: GenericOp) -> None:
        """Append one operation's body."""
        place = self.group.places[op]
        maps = [attribute.data for attribute in op.get_indexing_maps()]
        for argument, value, indices in zip(op.body.block.args, op.inputs, maps, strict=False):
            if argument.uses:
                self._values[argument] = self._values.get(value) or self._argument(value, indices.compose(place))
        for inner in op.body.block.ops:
            if isinstance(inner, YieldOp):
                self._values[op.res[0]] = self._result(op, inner.operands[0])
            elif not isinstance(inner, arith.TruncIOp):
                self._values[inner.results[0]] = self._computed(inner)

    def _argument(self, value: SSAValue, indices: AffineMap) -> SSAValue:
        key = (value, indices)
        if key not in self._arguments:
            self.inputs.append(value)
            self.maps.append(indices)
            self._arguments[key] = self.block.insert_arg(element_of(value), len(self.block.args))
        return self._arguments[key]

    def _computed(self, inner: Operation) -> SSAValue:
        if isinstance(inner, arith.ConstantOp) and isinstance(inner.value, IntegerAttr):
            return self._constant(inner.value.value.data)
        if isinstance(inner, arith.ExtSIOp):
            return self._wide(self._values[inner.input])
        mapper = {operand: self._operand(operand) for operand in inner.operands}
        clone = inner.clone(mapper)
        append(clone, self.block)
        return clone.results[0]

    def _operand(self, value: SSAValue) -> SSAValue:
        number = number_of(value)
        if value not in self._values and number is not None:
            return self._constant(number)
        return self._values.get(value, value)

    def _wide(self, value: SSAValue) -> SSAValue:
        """A scalar as i32: what was computed in the group is."""
        if value.type == i32:
            return value
        if value not in self._values:
            append(wide := arith.ExtSIOp(value, i32), self.block)
            self._values[value] = wide.result
        return self._values[value]

    def _constant(self, number: int) -> SSAValue:
        if number not in self._constants:
            append(constant := arith.ConstantOp(IntegerAttr(number, i32)), self.block)
            self._constants[number] = constant.result
        return self._constants[number]

    def _result(self, op: GenericOp, value: SSAValue) -> SSAValue:
        """What others in the group read: in i32, with its upper bits cut off where they may count."""
        owner = value.owner
        if not isinstance(owner, arith.TruncIOp):
            return self._values.get(value, value)
        found = self._values[owner.input]
        low, high = range_of(owner.input, self.facts.bodies[op].get(owner.input, ""))
        if op is self.group.operations[-1] or (INT8[0] <= low and high <= INT8[1]):
            return found
        rest = self._constant(24)
        append(up := arith.ShLIOp(found, rest), self.block)
        append(down := arith.ShRSIOp(up.result, rest), self.block)
        return down.result

    def closed(self, op: GenericOp) -> Block:
        """The body, which yields the last operation's result."""
        found = self._values[op.res[0]]
        owner = found.owner
        if element_of(op.res[0]) == i8 and isinstance(owner, arith.ExtSIOp) and owner.input.type == i8:
            found = owner.input
        elif element_of(op.res[0]) == i8 and found.type == i32:
            append(narrow := arith.TruncIOp(found, i8), self.block)
            found = narrow.result
        elif element_of(op.res[0]) == i32:
            found = self._wide(found)
        append(YieldOp(found), self.block)
        self.block.insert_arg(element_of(op.res[0]), len(self.block.args))
        return self.block


def fuse(function: FuncOp, most: int) -> None:
    """Carry out the plan of one function."""
    groups: dict[Operation, Group] = {group.operations[-1]: group for group in fusion_groups(function, most)}
    if groups:
        rewrite_once(function, FuseGroup(groups, ValueFacts(function)))
        unread = DropUnread((GenericOp, FillOp, tensor.EmptyOp, arith.ConstantOp))
        rewrite_once(function, unread, DropDead(), backwards=True)


@dataclass(frozen=True)
class FuseElementwise(ModulePass):
    """Make one operation of elementwise operations whose only reader is the next.

    Needs a plan of the whole function: which operations belong together.

    requires: elementwise operations with identity output maps, computing in i32, as
              normalize-linalg and narrow-integers leave them.
    ensures:  chains, and diamonds that one operation closes, are one linalg.generic; a value that
              others read stays one, and so do bytes that are multiplied or subtracted. At most
              `most` operations stand in a body, and it reads the sums of one product at most.
    declines: other bodies and maps; operands that would be computed once per index that they lack.
    """

    name = "fuse-elementwise"

    most: int = 4096

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            fuse(function, self.most)
