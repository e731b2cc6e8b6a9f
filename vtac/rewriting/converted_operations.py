"""Elementwise operations, products and poolings on i8 and i32 in place of those on other types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import i8, i32
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, GenericOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from vtac.analysis.operations.elementwise import is_elementwise
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.analysis.values.scalar_facts import Lookup
from vtac.analysis.values.scaled_integers import Channels, Known, Scaled
from vtac.analysis.values.value_facts import may_round
from vtac.dialects.packing.declared import CHOICE
from vtac.rewriting.edits import append
from vtac.rewriting.integer_bodies import IntegerBody
from vtac.rewriting.integer_tensors import dense, empty, generic, spread
from vtac.rewriting.tensor_conversion import Conversion, ConvertConstant, ConvertLayout
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once

BodyKind = Callable[[Block, Lookup, dict[SSAValue, SSAValue]], IntegerBody]


@dataclass
class ConvertElementwise(RewritePattern):
    """An elementwise operation: one on integers, with the constants that it reads in its body or as vectors."""

    conversion: Conversion
    body_kind: BodyKind

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        plan = self.conversion.plan
        if not isinstance(op, LinalgStructuredOperation) or op not in plan.operations or not is_elementwise(op):
            return
        maps = [attribute.data for attribute in op.get_indexing_maps()]
        kept = [place for place, value in enumerate(op.inputs) if self._is_read(op, place, value)]
        inputs = [self.conversion.integers.get(op.inputs[place], op.inputs[place]) for place in kept]
        old, facts = op.body.block, plan.facts.bodies[op]
        element = plan.element(op.res[0])
        block = Block(arg_types=[*(element_of(value) for value in inputs), element])
        values: dict[SSAValue, SSAValue] = {
            old.args[place]: argument for place, argument in zip(kept, block.args[:-1], strict=True)
        }
        body = self.body_kind(block, lambda value: facts.get(value, plan.facts.of(value)), values)
        inner = list(old.ops)
        for one in inner[:-1]:
            body.convert(one)
        body.close(inner[-1].operands[0], element, plan.offset(op.res[0]))
        for place, value, argument in zip(kept, inputs, block.args, strict=False):
            if body.yielded is argument and maps[place] == maps[-1]:
                self.conversion.stand_in(op, value, rewriter)
                return
        made: list[Operation] = [empty(element, shape_of(op.res[0]))]
        output = made[0].results[0]
        for vector in body.vectors:
            made.append(dense(spread(Channels(0, vector.values), [len(vector.values)]), i32))
        vectors = [one.results[0] for one in made[1:]]
        loops = maps[-1].num_dims
        axes = [AffineMap(loops, 0, (AffineDimExpr(vector.axis),)) for vector in body.vectors]
        new = generic(
            [*inputs, *vectors],
            output,
            block,
            [*(maps[place] for place in kept), *axes, maps[-1]],
            op.get_iterator_types().data,
        )
        self.conversion.replace(op, [*made, new], rewriter)
        if body.choices:
            CHOICE.set(new, "; ".join(dict.fromkeys(body.choices)))

    def _is_read(self, op: LinalgStructuredOperation, place: int, value: SSAValue) -> bool:
        return bool(op.body.block.args[place].uses) and not self.conversion.plan.is_folded(value)


@dataclass
class ConvertContraction(RewritePattern):
    """A product, convolution or pooling."""

    conversion: Conversion

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        plan = self.conversion.plan
        if not isinstance(op, LinalgStructuredOperation) or op not in plan.operations or is_elementwise(op):
            return
        fact, found = cast(Scaled, plan.fact(op.res[0])), plan.facts.contractions[op]
        made: list[Operation] = []
        tensors = [op.inputs[factor.position] for factor in found.factors]  # a window's elements are not read
        element = i32 if any(map(self._is_wide, tensors)) else i8
        inputs = [self.conversion.tensor(v, element, 0, made) if v in tensors else v for v in op.inputs]
        if found.kind == "max":
            output = self.conversion.least(op.outputs[0], element, fact.exponent, made)
        else:
            output = self.conversion.start(op.outputs[0], fact.exponent, made)
        if isinstance(op, GenericOp):
            positions = [factor.position for factor in found.factors]
            block = accumulation(
                [element_of(v) for v in inputs], element_of(output), positions, is_max=found.kind == "max"
            )
            maps = [attribute.data for attribute in op.get_indexing_maps()]
            new: Operation = generic(inputs, output, block, maps, op.iterator_types.data)
        else:
            new = type(op).create(
                operands=[*inputs, output],
                result_types=[output.type],
                properties=op.properties,
                regions=[type(op).get_hidden_region(inputs, [output])],  # pyright: ignore
            )
        self.conversion.replace(op, [*made, new], rewriter)
        if may_round(fact, element_of(op.res[0])):
            CHOICE.set(new, _rounding_choice(op, fact))

    def _is_wide(self, value: SSAValue) -> bool:
        fact = self.conversion.plan.fact(value)
        if isinstance(fact, Known):
            return not set(fact.values) <= set(range(-128, 128))
        return element_of(self.conversion.integers.get(value, value)) != i8


def _rounding_choice(op: Operation, fact: Scaled) -> str:
    largest = max(-fact.low, fact.high)
    return f"'{op.name}' in f32, whose sums may reach {largest} and round above 2^24: the exact integers are taken"


def accumulation(inputs: Sequence[Attribute], total: Attribute, positions: Sequence[int], *, is_max: bool) -> Block:
    """acc + a * b, acc + a, or max(acc, a), of the inputs at those positions; what the elements of all inputs are."""
    block = Block(arg_types=[*inputs, total])
    made: list[Operation] = []
    factors: list[SSAValue] = []
    for position in positions:
        argument = block.args[position]
        if argument.type != total:
            made.append(arith.ExtSIOp(argument, i32))
            argument = made[-1].results[0]
        factors.append(argument)
    if len(factors) == 2:
        made.append(arith.MuliOp(factors[0], factors[1]))
        factors = [made[-1].results[0]]
    made.append((arith.MaxSIOp if is_max else arith.AddiOp)(block.args[-1], factors[0]))
    append([*made, YieldOp(made[-1].results[0])], block)
    return block


def carry_out(
    conversion: Conversion,
    function: FuncOp,
    body_kind: BodyKind,
    product: RewritePattern,
    keep: RewritePattern,
    unread: tuple[type[Operation], ...],
) -> None:
    """Carry out the plan of one function, and drop what only rewritten operations have read.

    `product` rewrites products and poolings; `keep` gives those who still read a value its old
    form; `unread` are further kinds that go when nothing reads them.
    """
    rewrite_once(
        function,
        ConvertConstant(conversion),
        ConvertLayout(conversion),
        ConvertElementwise(conversion, body_kind),
        product,
    )
    dropped = DropUnread((FillOp, BroadcastOp, tensor.EmptyOp, arith.ConstantOp, *unread))
    rewrite_once(function, keep, dropped, backwards=True)
