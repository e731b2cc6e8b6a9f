"""multiply-biases: a constant bias is added by GEMM, in one cycle per tile instead of the ALU's two.

before: %b = arith.constant : tensor<4x1x16xi32>       after: %w = arith.constant : tensor<4x16x16xi8>
        func.call @net_0(%x, %b)                              func.call @net_0(%x, %w)
        in @net_0: sum + b(f)                                 in @net_0: sum += over k: [127, .., 127, 1](k) * w(f, k)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, ModuleOp, TensorType, i8
from xdsl.dialects.func import CallOp, FuncOp
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.dialects.tensor import EmptyOp, ExtractSliceOp
from xdsl.ir import BlockArgument, SSAValue
from xdsl.ir.affine import AffineDimExpr
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import calls_of, device_functions, host_functions
from vtac.analysis.ir.target import config_of
from vtac.analysis.types.tensor_types import shape_of
from vtac.analysis.values.dense_numbers import numbers_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing.declared import PLAIN
from vtac.partition.bias_products import BiasProduct, bias_product, is_cheaper
from vtac.partition.primitives import primitive_of
from vtac.partition.tile_operations import bias_added
from vtac.rewriting.edits import replace_by
from vtac.rewriting.integer_tensors import dense
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_once


@dataclass
class MultiplyBias(RewritePattern):
    """One addition of a bias to what GEMM has summed becomes a product; the bias's argument one of weights."""

    biases: Mapping[SSAValue, NDArray[np.int32]]
    config: VTAConfig
    weights: dict[int, BiasProduct]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenericOp, rewriter: PatternRewriter) -> None:
        if len(op.operands) != 3 or op.operands[1] not in self.biases:
            return
        found = primitive_of(op)
        if found is None or (found.kind, found.name) != ("combine", "add"):
            return
        total, bias = op.inputs
        if not bias.has_one_use() or not (total.has_one_use() and _is_by_gemm(total)):
            return
        numbers, shape = self.biases[bias], shape_of(total)
        dims = _bias_dims(op)
        if dims is None or not is_cheaper(prod(shape[:-2]), prod(numbers.shape[:-2]), self.config):
            return
        product = bias_product(numbers, self.config)
        if product is None or not isinstance(bias, BlockArgument):
            return
        self.weights[bias.index] = product
        kind = TensorType(i8, product.weights.shape)
        weights = rewriter.replace_value_with_new_type(bias, kind)
        replace_by(op, bias_added(total, dense(product.inputs, i8), weights, dims), rewriter)


@dataclass
class GiveWeights(RewritePattern):
    """The call of a device function whose biases are products gives it weights."""

    weights: Mapping[str, Mapping[int, BiasProduct]]

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: CallOp, rewriter: PatternRewriter) -> None:
        for index, product in self.weights.get(op.callee.string_value(), {}).items():
            constant = dense(product.weights, i8)
            constant.location = op.location
            constant.result.name_hint = op.arguments[index].name_hint
            rewriter.insert(constant, InsertPoint.before(op))
            op.operands[index] = constant.result
            rewriter.notify_op_modified(op)


def _biases(device: FuncOp, call: CallOp) -> dict[SSAValue, NDArray[np.int32]]:
    """The arguments of a device function that are constants of i32 in its call."""
    found: dict[SSAValue, NDArray[np.int32]] = {}
    for argument, given in zip(device.body.block.args, call.arguments, strict=True):
        owner = given.owner
        if not isinstance(owner, ConstantOp) or not isinstance(owner.value, DenseIntOrFPElementsAttr):
            continue
        numbers = numbers_of(owner.value)
        if numbers is not None and numbers.dtype == np.int32 and numbers.ndim >= 2:
            found[argument] = numbers.astype(np.int32)
    return found


def _is_by_gemm(total: SSAValue) -> bool:
    """Whether accumulators are a sum of products, onto zeros or onto others that are, or maxima of windows of one."""
    owner = total.owner
    while isinstance(owner, GenericOp) and (found := primitive_of(owner)) is not None:
        if (found.kind, found.name) != ("combine", "max"):
            break
        owner = owner.inputs[0].owner
        if isinstance(owner, ExtractSliceOp):
            owner = owner.source.owner
    return isinstance(owner, GenericOp) and any(str(kind.data) == "reduction" for kind in owner.get_iterator_types())


def _bias_dims(op: GenericOp) -> list[int] | None:
    """The loops of a bias's outer dimensions; None unless it has tiles of its own."""
    read = op.indexing_maps.data[1].data.results
    dims = [index.position for index in read if isinstance(index, AffineDimExpr)]
    rank = len(shape_of(op.res[0]))
    return dims[:-2] if len(dims) == len(read) and dims[-2:] == [rank - 2, rank - 1] else None


@dataclass(frozen=True)
class MultiplyBiases(ModulePass):
    """Let GEMM add constant biases where that takes less time than the ALU.

    requires: device functions on tiles that are called once (pack-device-functions), constants folded.
    ensures:  a bias that 127 times the weights of all lanes but one reach, on a sum of GEMM of which each weight tile
              is used in more cycles than it takes to load, is one more product, with constant weights.
    declines: nothing; other biases are added by the ALU.
    """

    name = "multiply-biases"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        found: dict[str, dict[int, BiasProduct]] = {}
        devices = {device.sym_name.data: device for device in device_functions(op) if not PLAIN.is_on(device)}
        calls = calls_of(op, devices)
        often = Counter(call.callee.string_value() for call in calls)
        for call in calls:
            name = call.callee.string_value()
            device, biases = devices[name], _biases(devices[name], call)
            if not biases or often[name] > 1:
                continue
            found[name] = {}
            rewrite_once(device, MultiplyBias(biases, config_of(op), found[name]))
            if found[name]:
                rewrite_once(device, DropUnread((EmptyOp,)), backwards=True)
                device.update_function_type()
        for function in host_functions(op):
            rewrite_once(function, GiveWeights(found))
            rewrite_once(function, DropUnread((ConstantOp,)), backwards=True)
