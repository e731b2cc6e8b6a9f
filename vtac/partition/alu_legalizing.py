"""Elementwise operations of any integers, and floats that are scaled integers, as operations of the integer level."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, IntegerAttr, TensorType, i8, i32
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import FillOp, YieldOp
from xdsl.ir import Attribute, Block, SSAValue

from vtac.analysis.operations.elementwise import NOWHERE, is_elementwise
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.analysis.values.tensor_ranges import TensorRanges
from vtac.partition.alu_building import Loops, number, parallel, put
from vtac.partition.alu_trees import DeclineError, Step, Tree
from vtac.partition.expressions import Element, Expression, Literal, elementwise_expression, literal
from vtac.partition.integer_form import integer_form
from vtac.partition.primitives import STEPS
from vtac.partition.tile_operations import Made
from vtac.rewriting.edits import append


def legalized(op: LinalgStructuredOperation, ranges: TensorRanges) -> Made | str:
    """Operations that compute the same on the ALU, the last one's result; or why there are none."""
    kind = element_of(op.res[0])
    if not is_elementwise(op):
        return "it is no elementwise operation"
    if kind not in (i8, i32):
        return f"its result is {kind}; the VTA stores i8 (and i32 as four planes of bytes)"
    try:
        expression = elementwise_expression(op, _operand, _scalar)
        if isinstance(expression, str):
            return expression
        found = integer_form(expression, lambda element: ranges.of(cast(SSAValue, element.source)))
    except DeclineError as reason:
        return str(reason)
    if found.tree is None:
        return _constant(found.low, op)
    return _Writer(op).run(found.tree)


def _operand(value: SSAValue) -> Expression:
    """A tensor as an element of it, or as the number that all its elements are."""
    if not isinstance(value.type, TensorType):
        return _scalar(value)
    owner, kind = value.owner, element_of(value)
    if isinstance(owner, FillOp):
        return _scalar(owner.inputs[0])
    if isinstance(owner, ConstantOp) and isinstance(owner.value, DenseIntOrFPElementsAttr):
        data, size = owner.value.data.data, owner.value.get_element_type().compile_time_size
        first = owner.value.get_values()[0]
        if data == data[:size] * (len(data) // size) and isinstance(first, int | float):
            return Literal(first, kind)
    if kind not in (i8, i32):
        raise DeclineError(f"it reads a tensor of {kind}; the VTA loads i32 and i8")
    return Element(value, tuple(range(len(shape_of(value)))), kind)


def _scalar(value: SSAValue) -> Expression:
    found = literal(value.owner) if isinstance(value.owner, ConstantOp) else None
    if found is None:
        raise DeclineError("it takes a scalar that is no constant")
    return found


def _constant(value: int, op: LinalgStructuredOperation) -> Made:
    """A tensor of one number."""
    made, kind = Made(), element_of(op.res[0])
    wrapped = ((value + (1 << 31)) & ((1 << 32) - 1)) - (1 << 31)
    fill = made.put(ConstantOp(IntegerAttr(wrapped, i8 if kind == i8 else i32)))
    empty = made.put(tensor.EmptyOp([], op.res[0].type))
    made.put(FillOp([fill], [empty], [empty.type]))
    return made


@dataclass
class _Writer:
    """Writes a tree as the body of one operation."""

    op: LinalgStructuredOperation
    inputs: list[SSAValue] = field(default_factory=list[SSAValue])
    loops: list[Loops] = field(default_factory=list[Loops])
    block: Block = field(default_factory=Block)
    known: dict[Tree, SSAValue] = field(default_factory=dict[Tree, SSAValue])
    arguments: dict[Element, SSAValue] = field(default_factory=dict[Element, SSAValue])

    def run(self, tree: Tree) -> Made | str:
        kind = element_of(self.op.res[0])
        whole = _without_wrap(tree) if kind == i8 else tree
        for part in _in_order(whole):
            if isinstance(part, Element) and NOWHERE in part.dims:
                return "an operand is read at one index of a dimension alone"
            self.known[part] = self._element(part) if isinstance(part, Element) else self._step(part)
        return self._closed(whole, kind)

    def _closed(self, whole: Tree, kind: Attribute) -> Made:
        made = Made()
        result = self.known[whole]
        if isinstance(whole, Element) and whole.kind == kind:
            result = self.arguments[whole]
        elif kind == i8:
            result = put(arith.TruncIOp(result, i8), self.block)
        self.block.insert_arg(kind, len(self.block.args))
        append(YieldOp(result), self.block)
        empty = made.put(tensor.EmptyOp([], TensorType(kind, shape_of(self.op.res[0]))))
        made.put(parallel(self.inputs, self.loops, empty, self.block), self.op.res[0].name_hint)
        return made

    def _element(self, element: Element) -> SSAValue:
        """An operand as i32."""
        self.inputs.append(cast(SSAValue, element.source))
        self.loops.append(element.dims)
        argument = self.block.insert_arg(element.kind, len(self.block.args))
        self.arguments[element] = argument
        return put(arith.ExtSIOp(argument, i32), self.block) if element.kind == i8 else argument

    def _step(self, step: Step) -> SSAValue:
        source, operand = self.known[step.source], step.operand
        if isinstance(operand, int):
            wrapped = ((operand + (1 << 31)) & ((1 << 32) - 1)) - (1 << 31)
            right = number(wrapped, self.block)
        else:
            right = self.known[operand]
        if step.name == "scale":
            return put(arith.MuliOp(source, right), self.block)
        return put(STEPS[step.name](source, right), self.block)


def _in_order(tree: Tree) -> list[Tree]:
    """A tree's parts, each once, what it is made of first."""
    found: dict[Tree, None] = {}
    waiting = [tree]
    while waiting:
        part = waiting[-1]
        inside = [] if isinstance(part, Element) else [p for p in (part.source, part.operand) if not isinstance(p, int)]
        missing = [p for p in inside if p not in found]
        if part in found or not missing:
            found.setdefault(waiting.pop())
        else:
            waiting.extend(reversed(missing))
    return list(found)


def _without_wrap(tree: Tree) -> Tree:
    """Without the steps that only sign-extend the low 8 bits, which a store takes anyway."""
    if isinstance(tree, Step) and (tree.name, tree.operand) == ("shr", 24):
        inner = tree.source
        if isinstance(inner, Step) and (inner.name, inner.operand) == ("shl", 24):
            return inner.source
    return tree
