"""multiply-transposes: a matrix that is read with other lanes than it is stored with is transposed by products.

before: linalg.generic ins(%y, %w) that sums up over the rows of %y : tensor<20x16xi8>
after:  %t = linalg.generic ins(%unit, %y) { acc + unit * y }      : tensor<16x20xi32>, rows of %y in lanes
        linalg.generic ins(%t in bytes, %w)                        that sums up over its columns
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np
from xdsl.context import Context
from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import ModuleOp, TensorType, i8
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern
from xdsl.rewriter import InsertPoint

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.kept_facts import facts_of
from vtac.analysis.ir.target import config_of
from vtac.analysis.types.tensor_types import shape_of
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing.declared import CHOICE
from vtac.partition.alu_building import elementwise, put
from vtac.partition.alu_operations import projection
from vtac.partition.clusters import Clusters
from vtac.partition.device_bodies import multiply_accumulate
from vtac.partition.lane_plan import LanePlan, are_weight_tiles, has_products_of_matrices
from vtac.partition.moves import reading_through
from vtac.partition.tile_operations import Made, contraction, zeros
from vtac.rewriting.edits import stand_for
from vtac.rewriting.integer_tensors import dense
from vtac.rewriting.walker import rewrite_once


@dataclass
class MultiplyTranspose(RewritePattern):
    """An operand whose lanes are rows where it is read is read from its transpose, which a product makes once."""

    config: VTAConfig
    plan: LanePlan
    made: dict[SSAValue, SSAValue] = field(default_factory=dict[SSAValue, SSAValue])

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        cluster = self.plan.clusters.of.get(op)
        if cluster is None:
            return
        found = [(position, self.plan.read(op, position)) for position in range(len(op.inputs))]
        new = op
        for position, needed in found:
            value = op.inputs[position]
            stored = self.plan.stored(value)
            if needed is None or stored is None or needed == stored or self.plan.computed(value) is cluster:
                continue
            new = reading_through(new, position, self._transposed(value, stored, rewriter), (stored, needed))
            stand_for(new, op)
        if new is not op:
            rewriter.replace(op, new)

    def _transposed(self, value: SSAValue, lanes: int, rewriter: PatternRewriter) -> SSAValue:
        """A matrix whose dimension 0 is the one that lies in lanes of another, with the other one in lanes."""
        if value not in self.made and isinstance(value.owner, Operation):
            made = _transpose(value, lanes, self.config.block_in)
            for one in made:
                one.location = value.owner.location
            rewriter.insert(made, InsertPoint.after(value.owner))
            self.made[value] = made[-1].results[0]
        return self.made[value]


def _transpose(value: SSAValue, lanes: int, block: int) -> Made:
    """The transpose of a matrix, dimension `lanes` first, in blocks of that."""
    made, parts, name = Made(), list[SSAValue](), f"{value.name_hint or 'matrix'}_transposed"
    rows, channels = shape_of(value)[1 - lanes], shape_of(value)[lanes]
    for first in range(0, channels, block):
        width = min(block, channels - first)
        part = value
        if width < channels:
            offsets, sizes = ([first, 0], [width, rows]) if lanes == 0 else ([0, first], [rows, width])
            part = made.put(tensor.ExtractSliceOp.from_static_parameters(value, offsets, sizes, [1, 1]))
        parts.append(_block_transposed(part, lanes, made))
        parts[-1].name_hint = name
    steps = -(-rows // block) * channels
    CHOICE.set(
        parts[0].owner,  # pyright: ignore[reportArgumentType]
        f"{rows} x {channels} bytes transposed by products with unit matrices of "
        f"{sum(prod(shape_of(part)) * shape_of(part)[0] for part in parts):,} MACs, {steps:,} cycles of GEMM",
    )
    if len(parts) > 1:
        made.put(tensor.ConcatOp(parts, 0, TensorType(i8, [channels, rows])))
    made[-1].results[0].name_hint = name
    return made


def _block_transposed(part: SSAValue, lanes: int, made: Made) -> SSAValue:
    """The product of a unit matrix with the lanes of a block as its depth."""
    width, rows = shape_of(part)[lanes], shape_of(part)[1 - lanes]
    unit = made.put(dense(np.eye(width, dtype=np.int8), i8), "unit")
    d = [AffineDimExpr(dim) for dim in range(3)]
    read = (d[2], d[1]) if lanes == 0 else (d[1], d[2])
    maps = [AffineMap(3, 0, (d[0], d[2])), AffineMap(3, 0, read), projection((0, 1), 3)]
    sums = made.put(contraction([unit, part], zeros(made, (width, rows)), multiply_accumulate(), maps))
    made += elementwise([sums], [(0, 1)], (width, rows), i8, lambda body: put(arith.TruncIOp(body.args[0], i8), body))
    return made[-1].results[0]


@dataclass(frozen=True)
class MultiplyTransposes(ModulePass):
    """Let GEMM transpose what device functions store and read in different lanes, where the host would have to.

    Rows of what is stored are rows of weight tiles: the unit matrix times such weights has their columns as rows. A
    block of lanes at a time, so that no product meets zeros of the unit matrix alone.

    requires: host functions in the forms of device functions, factors exchanged where that saves a transpose
              (swap-factors); the module's `vta.config`.
    ensures:  matrices of bytes that device functions compute are read in the lanes that they are stored in, each
              transposed once, with a choice that says so.
    declines: nothing; where BLOCK_IN and BLOCK_OUT differ, or BATCH is no divisor of them, stored rows are no weight
              tiles, and the host transposes.
    """

    name = "multiply-transposes"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        config = config_of(op)
        if not are_weight_tiles(config):
            return
        for function in host_functions(op):
            if has_products_of_matrices(function.body.block):
                plan = LanePlan(facts_of(ctx).of(Clusters, function.body.block))
                rewrite_once(function, MultiplyTranspose(config, plan))
