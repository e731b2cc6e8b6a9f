"""take-out-zero-points: products of (a - z) -> products of bytes, and constants that are added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.builtin import DenseArrayBase, IndexType, ModuleOp, i8, i32, i64
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import GenericOp, QuantizedMatmulOp, TransposeOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern

from vtac.analysis.integer_plans.offset_plan import OffsetPlan, has_offsets
from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.programs.callers_values import is_from_caller
from vtac.analysis.types.tensor_types import shape_of
from vtac.dialects import named_products as products
from vtac.dialects import named_windows as windows
from vtac.dialects.named_operation import NamedOp
from vtac.dialects.packing import HostOp
from vtac.dialects.packing import YieldOp as HostYieldOp
from vtac.dialects.packing.declared import CHOICE
from vtac.partition.convolutions import Convolution, match_convolution
from vtac.partition.pads import Pads, no_pads, unpadded
from vtac.partition.weight_sums import weight_sum, weight_sum_ops
from vtac.rewriting.converted_operations import accumulation, carry_out
from vtac.rewriting.edits import append
from vtac.rewriting.integer_bodies import NarrowBody
from vtac.rewriting.integer_tensors import dense, empty, generic, tensor_of
from vtac.rewriting.tensor_conversion import Conversion, KeepIntegers
from vtac.rewriting.zero_points import Integers, Kernel, number, plus, sum_of_weights

_PLAIN: dict[type[Operation], type[NamedOp]] = {
    QuantizedMatmulOp: products.MatmulOp,
    products.QuantizedBatchMatmulOp: products.BatchMatmulOp,
    windows.Conv2DNchwFchwQOp: windows.Conv2DNchwFchwOp,
    windows.Conv2DNhwcFhwcQOp: windows.Conv2DNhwcFhwcOp,
    windows.Conv2DNhwcHwcfQOp: windows.Conv2DNhwcHwcfOp,
    windows.Conv2DNgchwGfchwQOp: windows.Conv2DNgchwGfchwOp,
    windows.DepthwiseConv2DNhwcHwcQOp: windows.DepthwiseConv2DNhwcHwcOp,
}


@dataclass
class TakeOutOfProduct(RewritePattern):
    """One product or convolution."""

    conversion: Conversion

    def match_and_rewrite(self, op: Operation, rewriter: PatternRewriter) -> None:
        plan = cast(OffsetPlan, self.conversion.plan)
        if not isinstance(op, LinalgStructuredOperation) or op not in plan.operations:
            return
        found = plan.facts.contractions.get(op)
        convolution = match_convolution(op)
        if found is None or isinstance(convolution, str):
            return
        bytes_, offsets = dict[SSAValue, SSAValue](), dict[SSAValue, int]()
        for factor in found.factors:
            value = op.inputs[factor.position]
            bytes_[value] = self.conversion.integers.get(value, value)
            offsets[value] = plan.offset(value) - (plan.zero_point(op, factor) or 0)
        data, kernel = convolution.data, cast(SSAValue, convolution.kernel)
        made: list[Operation] = []
        read, pads = _without_padding(bytes_[data], convolution, offsets[data], made)
        weights = Kernel(bytes_[kernel], offsets[kernel])
        total = op.outputs[0]
        parts = weights.parts(made)
        positions = [factor.position for factor in found.factors]
        for part in parts:
            inputs = [read if op.inputs[place] is data else part for place in positions]
            made.append(_product(op, inputs, total, positions))
            total = made[-1].results[0]
            if len(parts) > 1:
                CHOICE.set(made[-1], f"weights of more than 8 bits as the sum of {len(parts)} kernels of bytes")
        if offsets[data]:
            made += _correction(convolution, total, weights, offsets[data], pads)
        self.conversion.replace(op, made, rewriter)


def _without_padding(
    value: SSAValue, convolution: Convolution, offset: int, made: list[Operation]
) -> tuple[SSAValue, Pads]:
    """The data with zeros as padding where that stands for zeros, and how much of it there is.

    Data that the host has keeps its padding: the host packs it anyway, and every place of the result adds the same.
    """
    spatial = convolution.data_dims[2:]
    source, pads, edge = unpadded(value, spatial)
    if not offset or edge != -offset or source is value or is_from_caller(source):
        return value, no_pads(spatial)
    low, high = [0] * len(shape_of(value)), [0] * len(shape_of(value))
    for dim, before, after in zip(spatial, pads.low, pads.high, strict=True):
        low[dim], high[dim] = before, after
    zero = number(0)
    body = Block(arg_types=[IndexType()] * len(low))
    append([zero, tensor.YieldOp(zero.result)], body)
    made.append(tensor.PadOp(source, [], [], Region(body), low, high, tensor_of(i8, shape_of(value))))
    made[-1].results[0].name_hint = value.name_hint
    return made[-1].results[0], pads


def _product(
    op: LinalgStructuredOperation, inputs: Sequence[SSAValue], total: SSAValue, positions: Sequence[int]
) -> Operation:
    """The product of bytes in place of one with zero points or wide factors."""
    if isinstance(op, GenericOp):
        every = [attribute.data for attribute in op.get_indexing_maps()]
        maps = [*(every[place] for place in positions), every[-1]]
        block = accumulation([i8] * len(positions), i32, range(len(positions)), is_max=False)
        return generic(inputs, total, block, maps, op.iterator_types.data)
    kind = cast("type[NamedOp]", _PLAIN.get(type(op), type(op)))
    properties = {
        name: op.properties[name] for name in ("strides", "dilations", "indexing_maps") if name in op.properties
    }
    region = kind.get_hidden_region(inputs, [total])
    return kind(inputs, [total], [[total.type]], properties=properties, hidden_region=region)


def _correction(convolution: Convolution, total: SSAValue, weights: Kernel, offset: int, pads: Pads) -> list[Operation]:
    """What the data's offset adds: its product with the sums of the weights."""
    found = weight_sum(convolution, offset, pads)
    result = [convolution.result_kept[dim] for dim in convolution.result_dims]
    kept = [result[1], *(result[2:] if found.reached else ())]
    order = sorted(kept)
    made: list[Operation] = []
    reached = [np.array(axis, dtype=np.int64) for axis in found.reached]

    def sums_of(numbers: Integers) -> Operation:
        sums = sum_of_weights(numbers, found.feature, found.taps, reached) * offset
        return dense(sums.transpose([kept.index(dim) for dim in order]), i32)

    if weights.numbers is not None:
        made.append(sums_of(weights.numbers))
    else:
        made += _sum_on_host(weight_sum_ops(found, weights.value), [kept.index(dim) for dim in order])
        if weights.offset:
            sums = made[-1].results[0]
            made.append(sums_of(np.full(shape_of(weights.value), weights.offset, np.int64)))
            made += plus(sums, made[-1].results[0], range(len(order)))
    made[-1].results[0].name_hint = "zero_point"
    return [*made, *plus(total, made[-1].results[0], order)]


def _sum_on_host(ops: list[Operation], order: Sequence[int]) -> list[Operation]:
    """The sums of weights that are no constants, their axes in another order, computed by the host."""
    if list(order) != sorted(order):
        found = shape_of(ops[-1].results[0])
        output = empty(i32, [found[axis] for axis in order])
        permutation = DenseArrayBase.from_list(i64, order)
        ops = [*ops, output, TransposeOp(ops[-1].results[0], output.tensor, permutation, output.tensor.type)]
    kind = ops[-1].results[0].type
    append(ops, body := Block())
    append(HostYieldOp(operands=[[ops[-1].results[0]]]), body)
    return [HostOp.get("the sum of a kernel that is no constant, for the zero point of the data", [kind], Region(body))]


def take_out(function: FuncOp) -> None:
    """Carry out the plan of one function, if there is any."""
    if not has_offsets(function):
        return
    conversion = Conversion(OffsetPlan(function))
    if not conversion.plan.operations:
        return
    carry_out(conversion, function, NarrowBody, TakeOutOfProduct(conversion), KeepIntegers(conversion), (tensor.PadOp,))


@dataclass(frozen=True)
class TakeOutZeroPoints(ModulePass):
    """Multiply bytes where the program multiplies bytes less a constant.

    Needs a plan of the whole function: which tensors are bytes and an offset.

    requires: functions on tensors of static shape, in integers of 8 and 32 bits.
    ensures:  products, quantised forms included, multiply i8 by i8 and subtract nothing: a zero point of
              the data is an addition to the result, which padding with it leaves smaller at the
              border, unless the host has the data and pads it; one of a constant kernel is in the
              kernel, or in a second one.
    declines: zero points that are no constants, or beyond 1,024; factors of more than 256 different values.
    """

    name = "take-out-zero-points"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            take_out(function)
