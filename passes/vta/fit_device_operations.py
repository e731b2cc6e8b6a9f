"""fit-device-operations: products, poolings and elementwise operations in the forms that device functions hold.

before: %p = linalg.batch_matmul ins(%x, %w : tensor<1x4x32xi8>, ...) outs(%bias)
after:  %0 = linalg.generic ins(%x, %w : tensor<4x32xi8>, ...) outs(zeros) { acc + x * w }
        %p = linalg.generic ins(%0, %bias) { sum + bias }
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xdsl.context import Context
from xdsl.dialects import tensor
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import (
    IntegerAttr,
    ModuleOp,
    TensorType,
    i8,
    i32,
)
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import BroadcastOp, FillOp, GenericOp, TransposeOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.target import config_of
from vtac.analysis.operations.reshapes import RESHAPES
from vtac.analysis.types.tensor_types import element_of, shape_of
from vtac.analysis.values.tensor_ranges import TensorRanges, type_range
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing.layout import ReshapeOfReshape
from vtac.partition.alu_building import Loops
from vtac.partition.alu_operations import alu_difference, alu_size, operand_loops
from vtac.partition.anchors import every_window_holds_data, start_of
from vtac.partition.body_parts import computed_apart, first_part
from vtac.partition.clusters import MOST_STEPS
from vtac.partition.convolutions import Convolution, match_convolution
from vtac.partition.fitted_operations import (
    are_accumulators,
    constant_number,
    loops_of_source,
    must_keep,
    spare_units,
    splat_number,
    with_border,
    with_same_body,
    with_start_added,
)
from vtac.partition.moves import is_move, moved_from, reading_through
from vtac.partition.pads import unpadded
from vtac.partition.tile_operations import Made
from vtac.partition.unit_dimensions import reshaped, unit_partners, with_loops, without_dimensions
from vtac.partition.unit_moves import UnitsBeforeMove
from vtac.passes.vta.propagate_layouts import ReshapeOfView
from vtac.rewriting.edits import replace_by
from vtac.rewriting.unread import DropUnread
from vtac.rewriting.walker import rewrite_greedily, rewrite_once

_UNREAD = (tensor.EmptyOp, FillOp, tensor.PadOp, ConstantOp, BroadcastOp, TransposeOp, GenericOp, *RESHAPES)
"""What is gone when nothing reads it any more."""


class ReadThroughMove(RewritePattern):
    """What reads a transposed tensor reads the tensor itself, at other indices; so does what reads a repeated one."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        moved = [(position, found) for position, value in enumerate(op.inputs) if (found := _moved_here(value, op))]
        if not moved or is_move(op) or isinstance(op, FillOp) or len(op.res) != 1 or must_keep(op):
            return
        for position, (source, dims) in moved:
            value = op.inputs[position]
            if len(dims) == len(shape_of(value)) or alu_difference(op) == "":
                rewriter.replace(op, reading_through(op, position, source, dims))
                return


def _moved_here(value: SSAValue, op: Operation) -> tuple[SSAValue, Loops] | None:
    """The tensor that an operand is, transposed or repeated beside the operation; and where its dimensions are."""
    if not isinstance(value.owner, Operation) or value.owner.parent is not op.parent:
        return None
    return moved_from(value) if isinstance(value.type, TensorType) else None


class DropUnitsOfProduct(RewritePattern):
    """A product or pooling has the dimensions of its rows, channels, features and window alone."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        found = match_convolution(op)
        if isinstance(found, str) or found.zero_points:
            return
        kept = {found.data: found.data_dims, op.outputs[0]: found.result_kept}
        if found.kernel is not None:
            kept[found.kernel] = found.kernel_dims
        if found.data is found.kernel or all(len(dims) == len(shape_of(value)) for value, dims in kept.items()):
            return
        replace_by(op, without_dimensions(op, kept), rewriter)


class StartAsAddition(RewritePattern):
    """A sum that starts from a tensor, or a number, starts from zeros, and that is added to it."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        found = match_convolution(op)
        if isinstance(found, str) or found.kind == "max" or found.zero_points or element_of(op.res[0]) != i32:
            return
        start = start_of(found)
        if start == 0:
            return
        shape, made = shape_of(op.res[0]), Made()
        zero = made.put(ConstantOp(IntegerAttr(0, i32)))
        empty = made.put(tensor.EmptyOp([], TensorType(i32, shape)))
        zeros = made.put(FillOp([zero], [empty], [empty.type]))
        sums = op.clone({op.outputs[0]: zeros})
        total = made.put(sums, op.res[0].name_hint)
        if (number := start if start is not None else splat_number(op.outputs[0])) != 0:
            made.extend(with_start_added(total, op.outputs[0], number))
        replace_by(op, made, rewriter)


class CutLongBody(RewritePattern):
    """An elementwise operation of more steps than a device function takes in a row is several, one after the other."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenericOp, rewriter: PatternRewriter) -> None:
        while alu_size(op) > MOST_STEPS and not alu_difference(op):
            part = first_part(op, MOST_STEPS)
            if part is None:
                return
            made, rest = computed_apart(op, part)
            for one in made:
                one.location = op.location
            rewriter.replace(op, [*made, rest], rest.results)
            op = rest


@dataclass
class PadOfMaximum(RewritePattern):
    """Padding that no maximum takes is zeros, or the least number of i8, as is a start that none takes."""

    ranges: TensorRanges

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        found = match_convolution(op)
        if isinstance(found, str) or found.kind != "max" or element_of(op.res[0]) not in (i8, i32):
            return
        source, pads, edge = unpadded(found.data, found.data_dims[2:])
        low, start = self.ranges.of(source)[0], start_of(found)
        is_padded = any((*pads.low, *pads.high))
        least = type_range(element_of(op.res[0]))[0]
        made, values = Made(), dict[SSAValue, SSAValue]()
        if start is not None and least < start <= low and (not is_padded or start <= edge):
            value = made.put(constant_number(least, element_of(op.res[0])))
            empty = made.put(tensor.EmptyOp([], op.res[0].type))
            values[op.outputs[0]] = made.put(FillOp([value], [empty], [empty.type]))
        border = self._border(found, edge, low) if is_padded else None
        if border is not None and border != edge:
            values[found.data] = made.put(with_border(found, source, border), "padded")
        if values:
            made.put(op.clone(values), op.res[0].name_hint)
            replace_by(op, made, rewriter)

    def _border(self, found: Convolution, edge: int | float, low: int) -> int | None:
        """What may stand in place of a number around data not below `low`, which every window has some of."""
        if edge == 0 or edge > low or not every_window_holds_data(found):
            return None
        if low >= 0:
            return 0
        return -128 if element_of(found.data) == i8 else None


class SinkReshape(RewritePattern):
    """An elementwise operation on views of accumulators alone is one on the first of them, with its unit dimensions."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenericOp, rewriter: PatternRewriter) -> None:
        rank = len(shape_of(op.res[0])) if len(op.res) == 1 else 0
        if not any(isinstance(value.owner, RESHAPES) for value in op.inputs):
            return
        if alu_difference(op) or any(are_accumulators(value, rank) for value in op.inputs):
            return
        for position, (value, at) in enumerate(zip(op.inputs, operand_loops(op), strict=True)):
            view = value.owner
            if element_of(value) != i32 or not isinstance(view, RESHAPES) or len(at) != rank:
                continue
            source = view.operands[0]
            partners = unit_partners(shape_of(source), shape_of(value))
            if partners is not None and isinstance(source.owner, LinalgStructuredOperation):
                made = with_loops(op, *loops_of_source(source, at, partners, position))
                replace_by(op, made, rewriter)
                return


@dataclass
class FlattenElementwise(RewritePattern):
    """An elementwise operation of another rank than 2 and 4 is one on rows of its last dimension."""

    config: VTAConfig

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: GenericOp, rewriter: PatternRewriter) -> None:
        shape = shape_of(op.res[0]) if len(op.res) == 1 else ()
        if len(shape) in (2, 4) or alu_difference(op):
            return
        units = spare_units(shape)
        if units is not None:
            replace_by(op, with_loops(op, [d for d in range(len(shape)) if d not in units]), rewriter)
            return
        rank = len(shape)
        if any(at not in (tuple(range(rank)), (rank - 1,), ()) for at in operand_loops(op)):
            return
        replace_by(op, self._as_rows(op, shape), rewriter)

    def _as_rows(self, op: GenericOp, shape: tuple[int, ...]) -> Made:
        lanes, rows = (shape[-1] if shape else 1), prod(shape[:-1])
        tile = self.config.batch * self.config.block_out
        whole = len(shape) == 1 and lanes % tile == 0 and all(len(at) == 1 for at in operand_loops(op))
        if whole:
            rows, lanes = self.config.batch, lanes // self.config.batch
        made = Made()
        inputs, loops = list[SSAValue](), list[Loops]()
        for value, at in zip(op.inputs, operand_loops(op), strict=True):
            if len(at) == len(shape):
                inputs.append(reshaped(value, (rows, lanes), made))
                loops.append((0, 1))
            else:
                inputs.append(value)
                loops.append((1,) if at else ())
        body = op.body.clone()
        empty, generic = with_same_body(inputs, loops, (rows, lanes), op, body)
        made.put(empty)
        reshaped(made.put(generic, op.res[0].name_hint), shape, made)
        return made


@dataclass(frozen=True)
class FitDeviceOperations(ModulePass):
    """Give operations the shapes and starts that device functions compute, with views of their operands and results.

    requires: host functions at the integer level.
    ensures:  products and poolings have dimensions with a role alone, and start from zeros; padding of maxima
              that changes none of them is zeros, or -128; elementwise operations have 2 or 4 dimensions where
              their operands allow it, those of the product that they follow; bodies that one scalar at a time
              crosses have no more steps than a device function takes in a row.
    declines: nothing; what does not fit stays as it is.
    """

    name = "fit-device-operations"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        views = (ReshapeOfReshape(), ReshapeOfView())
        for function in host_functions(op):
            rewrite_greedily(function, UnitsBeforeMove(), ReadThroughMove())
            rewrite_once(function, PadOfMaximum(TensorRanges(function.body.block)))
            rewrite_once(function, DropUnitsOfProduct())
            rewrite_once(function, StartAsAddition())
            rewrite_greedily(function, *views, SinkReshape())
            rewrite_once(function, FlattenElementwise(config_of(op)))
            rewrite_greedily(function, *views, SinkReshape())
            rewrite_once(function, CutLongBody())
            rewrite_once(function, DropUnread(_UNREAD), backwards=True)
