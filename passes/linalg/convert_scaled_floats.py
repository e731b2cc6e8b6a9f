"""convert-scaled-floats: floats that are integers times powers of two -> the integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import (
    DenseIntOrFPElementsAttr,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    TensorType,
    i8,
    i32,
)
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, GenericOp, TransposeOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.dense_numbers import integers_at
from vtac.analysis.device_functions import host_functions
from vtac.analysis.elementwise import is_elementwise
from vtac.analysis.scaled_integers import INT8, Channels, Known, Scaled, at
from vtac.analysis.scaled_plan import LAYOUTS, ScaledPlan, is_float_tensor
from vtac.analysis.value_facts import element_of, may_round, shape_of
from vtac.dialects.packing.declared import CHOICE
from vtac.rewriting.converted_floats import Conversion, KeepFloats
from vtac.rewriting.edits import append
from vtac.rewriting.integer_bodies import IntegerBody
from vtac.rewriting.integer_tensors import dense, empty, generic, narrowest, spread, tensor_of
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once


@dataclass
class ConvertConstant(RewritePattern):
    """A constant tensor of floats."""

    conversion: Conversion

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: arith.ConstantOp, rewriter: PatternRewriter) -> None:
        if op not in self.conversion.plan.operations or not isinstance(op.value, DenseIntOrFPElementsAttr):
            return
        fact = self.conversion.plan.fact(op.result)
        if isinstance(fact, Scaled):
            self.conversion.replace(op, [dense(integers_at(op.value, fact), narrowest(fact))], rewriter)


@dataclass
class ConvertLayout(RewritePattern):
    """An operation that moves elements."""

    conversion: Conversion

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        if not isinstance(op, LAYOUTS) or op not in self.conversion.plan.operations:
            return
        fact = cast(Scaled, self.conversion.plan.fact(op.results[0]))
        element, made = narrowest(fact), list[Operation]()
        operands = [
            self.conversion.tensor(value, element, fact.exponent, made) if is_float_tensor(value) else value
            for value in op.operands
            if not _is_output(op, value)
        ]
        kind = tensor_of(element, shape_of(op.results[0]))
        if isinstance(op, BroadcastOp | TransposeOp):
            made.append(empty(element, shape_of(op.results[0])))
            operands.append(made[-1].results[0])
        results = [] if isinstance(op, BroadcastOp | TransposeOp) else [kind]
        clone = type(op).create(
            operands=operands,
            result_types=results or [kind],
            properties=op.properties,
            regions=[region.clone() for region in op.regions],
        )
        if isinstance(op, tensor.PadOp):
            clone = self._padded(op, operands[0], kind, fact, element)
        elif isinstance(op, BroadcastOp):
            clone = BroadcastOp(operands[0], operands[1], op.dimensions, kind)
        elif isinstance(op, TransposeOp):
            clone = TransposeOp(operands[0], operands[1], op.permutation, kind)
        self.conversion.replace(op, [*made, clone], rewriter)

    def _padded(
        self, op: tensor.PadOp, source: SSAValue, kind: TensorType[Attribute], fact: Scaled, element: IntegerType
    ) -> Operation:
        edge = self.conversion.plan.fact(cast(Operation, op.region.block.last_op).operands[0])
        number = at(cast(Known, edge).numbers, fact.exponent)
        body = Block(arg_types=[argument.type for argument in op.region.block.args])
        constant = arith.ConstantOp(IntegerAttr(cast(int, number), element))
        append([constant, tensor.YieldOp(constant.result)], body)
        return tensor.PadOp(source, op.low, op.high, Region(body), op.static_low, op.static_high, kind, op.nofold)


def _is_output(op: Operation, value: SSAValue) -> bool:
    return isinstance(op, BroadcastOp | TransposeOp) and value is op.operands[-1]


@dataclass
class ConvertElementwise(RewritePattern):
    """An elementwise operation: one on integers, with the constants that it reads in its body or as vectors."""

    conversion: Conversion

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        plan = self.conversion.plan
        if not isinstance(op, LinalgStructuredOperation) or op not in plan.operations or not is_elementwise(op):
            return
        maps = [attribute.data for attribute in op.get_indexing_maps()]
        kept = [place for place, value in enumerate(op.inputs) if self._is_read(op, place, value)]
        inputs = [self.conversion.integers.get(op.inputs[place], op.inputs[place]) for place in kept]
        old, facts = op.body.block, plan.facts.bodies[op]
        element = self._element(op)
        block = Block(arg_types=[*(element_of(value) for value in inputs), element])
        values: dict[SSAValue, SSAValue] = {
            old.args[place]: argument for place, argument in zip(kept, block.args[:-1], strict=True)
        }
        body = IntegerBody(block, lambda value: facts.get(value, plan.facts.of(value)), values)
        inner = list(old.ops)
        for one in inner[:-1]:
            body.convert(one)
        body.close(inner[-1].operands[0], element)
        for place, value, argument in zip(kept, inputs, block.args, strict=False):
            if body.yielded is argument and maps[place] == maps[-1] and is_float_tensor(op.res[0]):
                self.conversion.integers[op.res[0]] = value
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
        constant = is_float_tensor(value) and isinstance(self.conversion.plan.fact(value), Known)
        return bool(op.body.block.args[place].uses) and not constant and value.type != element_of(value)

    def _element(self, op: LinalgStructuredOperation) -> IntegerType:
        if not is_float_tensor(op.res[0]):
            return cast(IntegerType, element_of(op.res[0]))
        return narrowest(cast(Scaled, self.conversion.plan.fact(op.res[0])))


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
        element = i32 if any(self._is_wide(value) for value in op.inputs) else i8
        inputs = [self.conversion.tensor(value, element, 0, made) for value in op.inputs]
        output = self.conversion.start(op.outputs[0], fact.exponent, made)
        if isinstance(op, GenericOp):
            block = _accumulation(element, [factor.position for factor in found.factors], found.kind == "max")
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
        return not (fact.within(*INT8) if isinstance(fact, Scaled) else set(fact.values) <= set(range(-128, 128)))


def _rounding_choice(op: Operation, fact: Scaled) -> str:
    largest = max(-fact.low, fact.high)
    return f"'{op.name}' in f32, whose sums may reach {largest} and round above 2^24: the exact integers are taken"


def _accumulation(element: Attribute, positions: Sequence[int], is_max: bool) -> Block:
    """acc + a * b, acc + a, or max(acc, a)."""
    block = Block(arg_types=[*[element] * (max(positions) + 1), i32])
    made: list[Operation] = []
    factors: list[SSAValue] = []
    for position in positions:
        argument = block.args[position]
        if element != i32:
            made.append(arith.ExtSIOp(argument, i32))
            argument = made[-1].results[0]
        factors.append(argument)
    if len(factors) == 2:
        made.append(arith.MuliOp(factors[0], factors[1]))
        factors = [made[-1].results[0]]
    made.append((arith.MaxSIOp if is_max else arith.AddiOp)(block.args[-1], factors[0]))
    append([*made, YieldOp(made[-1].results[0])], block)
    return block


@dataclass(frozen=True)
class ConvertScaledFloats(ModulePass):
    """Compute with integers where f32 or f64 tensors hold integers times powers of two.

    Needs a plan of the whole function: what is known of its values, and which are wanted as integers.

    requires: functions on tensors of static shape.
    ensures:  operations that make integers of floats, and products of floats, work on i8 and i32
              where every float that they are computed from is an integer times a power of two, per
              tensor or per channel; `roundeven` is additions and shifts. Where f32 could have
              rounded a sum, the operation's `packing.choice` says that the exact one is taken.
    declines: other floats stay as they are: scales that are no powers of two, integers that 32 bits
              do not hold, functions of more than the ALU's operations.
    """

    name = "convert-scaled-floats"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            convert(function)


def convert(function: FuncOp) -> None:
    """Carry out the plan of one function."""
    conversion = Conversion(ScaledPlan(function))
    if not conversion.plan.operations:
        return
    patterns = (ConvertConstant, ConvertLayout, ConvertElementwise, ConvertContraction)
    rewrite_once(function, *(pattern(conversion) for pattern in patterns))
    unread = DropUnread((FillOp, BroadcastOp, tensor.EmptyOp, arith.ConstantOp))
    rewrite_once(function, KeepFloats(conversion), unread, backwards=True)
