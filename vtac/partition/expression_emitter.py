"""From ALU trees to the operations of a device function, with their operands packed as they take them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import cast

from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    TensorType,
    i32,
)
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from vtac.partition.alu_trees import IMMEDIATE, Step, Tree, TreeName
from vtac.partition.convolutions import Convolution
from vtac.partition.device import DeviceBuilder, starts_in_its_loops
from vtac.partition.expressions import Element
from vtac.partition.factors import Factors
from vtac.partition.operands import Operand, Operands, Tensors
from vtac.partition.products import is_narrow
from vtac.partition.stored import Order


class Emitter:
    """Emits trees into one device function; `order` are the result's dimensions in packed order."""

    def __init__(self, layers: Tensors, device: DeviceBuilder, order: Order, trees: Sequence[Tree]) -> None:
        self.layers = layers
        self.host = layers.host
        self.device = device
        self.operands = Operands(layers, device, order)
        self.config = layers.config
        self.identity = AffineMap.identity(len(device.shape))
        self.factors = Factors(layers, device, self.operands)
        self.choices = self.operands.choices
        self._uses = _uses(trees)
        self._known: dict[Tree, Operand] = {}

    def operand(self, tree: Tree) -> Operand:
        """The value of a tree, and how the result's loops index it."""
        if tree not in self._known:
            self._known[tree] = self._operand(tree)
        return self._known[tree]

    def root(self, tree: Tree, *, loaded: bool, shared: bool) -> SSAValue:
        """The first result: written by GEMM or ALU, and with every dimension; `loaded` says that it may not be.

        What other results go on from (`shared`) also has to start in its own loops.
        """
        value, indices = self.operand(tree)
        if loaded or indices != self.identity or (shared and not starts_in_its_loops(value)):
            value = self.device.step("add", value, indices, 0)
            self._known[tree] = value, self.identity
        return value

    def is_by_gemm(self, tree: Tree) -> bool:
        """Whether GEMM brings a tree to the accumulators, or adds it to them: i8, without an 8-bit load of its own."""
        return is_narrow(tree) and not (self.layers.acc_8bit and isinstance(tree, Element))

    def _operand(self, tree: Tree) -> Operand:
        if self.is_by_gemm(tree):
            return self.operands.widened(*_scaled_element(tree))
        if isinstance(tree, Element) and is_narrow(tree):
            return self.operands.loaded_narrow(tree)
        if isinstance(tree, Step):
            return self._step(tree), self.identity
        if isinstance(tree.source, Convolution):
            return self.factors.product(tree.source), self.identity
        return self.operands.loaded(tree)

    def _step(self, step: Step) -> SSAValue:
        if step.name == "scale":
            raise ValueError("a factor of something that is no i8 element")
        if step.name == "add" and not isinstance(step.operand, int):
            return self._sum(self._terms(step))
        source, indices = self.operand(step.source)
        if not isinstance(step.operand, int):
            return self._combine(step.name, (source, indices), self.operand(step.operand))
        number = ((step.operand + (1 << 31)) & ((1 << 32) - 1)) - (1 << 31)
        if IMMEDIATE[0] <= number <= IMMEDIATE[1]:
            return self.device.step(step.name, source, indices, number)
        if step.name == "add" and 2 * IMMEDIATE[0] <= number <= 2 * IMMEDIATE[1]:
            half = self.device.step("add", source, indices, number // 2)
            return self.device.step("add", half, self.identity, number - number // 2)
        return self._combine(step.name, (source, indices), self._constant_tile(number))

    def _combine(self, name: TreeName, left: Operand, right: Operand) -> SSAValue:
        """One ALU operation of two values, the one that has the result's layout first."""
        if left[1] != self.identity and name not in ("shr", "shl"):
            left, right = right, left
        return self.device.combine(name, [left[0], right[0]], [left[1], right[1]])

    def _terms(self, step: Step) -> list[Tree]:
        """What a sum adds up; a part that is used elsewhere too is one term."""
        terms: list[Tree] = []
        rest: list[Tree] = [step]
        while rest:
            tree = rest.pop()
            is_whole = tree is not step and self._uses[tree] > 1
            if is_whole or not isinstance(tree, Step) or tree.name != "add" or isinstance(tree.operand, int):
                terms.append(tree)
            else:
                rest += [tree.operand, tree.source]
        return terms

    def _sum(self, terms: Sequence[Tree]) -> SSAValue:
        """GEMM adds what is i8 onto the other terms; onto the first of its kind where there are none."""
        wide = [self.operand(term) for term in terms if not self.is_by_gemm(term)]
        wide.sort(key=lambda one: one[1] != self.identity)
        narrow = [_scaled_element(term) for term in terms if self.is_by_gemm(term)]
        if not wide or wide[0][1] != self.identity:
            narrow.sort(key=lambda one: not self.operands.has_every_dimension(one[0]))
            if narrow and (not wide or self.operands.has_every_dimension(narrow[0][0])):
                wide.insert(0, self.operands.widened(*narrow.pop(0)))
        total = wide[0]
        for other in wide[1:]:
            total = self._combine("add", total, other), self.identity
        for element, factor in narrow:
            if element.steps or total[1] != self.identity:
                value = self._combine("add", total, self.operands.widened(element, factor))
            else:
                value = self.operands.accumulated(total[0], element, factor)
            total = value, self.identity
        return total[0]

    def _constant_tile(self, number: int) -> Operand:
        """A number that does not fit an immediate, as one tile."""
        shape = self.device.shape[-2:]
        contents = DenseIntOrFPElementsAttr.from_list(TensorType(i32, shape), [number])
        value = self.host.add(arith.ConstantOp(contents), "number")
        rank = len(self.device.shape)
        indices = AffineMap(rank, 0, (AffineDimExpr(rank - 2), AffineDimExpr(rank - 1)))
        return self.device.argument(value, "number"), indices


def _scaled_element(tree: Tree) -> tuple[Element, int]:
    """An i8 element and its factor."""
    if isinstance(tree, Step):
        return cast(Element, tree.source), cast(int, tree.operand)
    return tree, 1


def _uses(trees: Sequence[Tree]) -> Counter[Tree]:
    """How often each tree is an operand, or a result."""
    uses: Counter[Tree] = Counter()
    rest = list(trees)
    while rest:
        tree = rest.pop()
        uses[tree] += 1
        if isinstance(tree, Step) and uses[tree] == 1:
            rest += [part for part in (tree.source, tree.operand) if not isinstance(part, int)]
    return uses
