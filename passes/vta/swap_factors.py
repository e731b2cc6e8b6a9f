"""swap-factors: the products whose results are read transposed compute them so, with data and weights exchanged.

before: %p = linalg.generic ins(%x, %w) { acc + x * w }      %y of the sums, features in lanes
        linalg.generic ins(%y, ...) that sums up over its rows
after:  %p = linalg.generic ins(%w, %x) { acc + w * x }      the same sums, rows in lanes
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, ModuleOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import GenericOp
from xdsl.ir import Region
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import host_functions
from vtac.analysis.ir.kept_facts import facts_of
from vtac.analysis.ir.target import config_of
from vtac.analysis.types.tensor_types import shape_of
from vtac.dialects.hardware import VTAConfig
from vtac.partition.clusters import Cluster, Clusters
from vtac.partition.convolutions import Convolution
from vtac.partition.lane_plan import LanePlan, are_weight_tiles, has_products_of_matrices
from vtac.rewriting.edits import stand_for
from vtac.rewriting.walker import rewrite_once


@dataclass
class ExchangeFactors(RewritePattern):
    """A matrix product of which every reader needs the rows in lanes has its factors exchanged.

    Weight tiles hold rows of what is stored, so that the data of one product are the weights of another.
    """

    config: VTAConfig
    plan: LanePlan

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        cluster = self.plan.clusters.of.get(op)
        anchor = None if cluster is None else cluster.anchor
        if cluster is None or anchor is None or anchor.op is not op or anchor.windows or anchor.kernel is None:
            return
        if _is_read_by_rows(self.plan, cluster) and self._is_cheaper(anchor):
            rewriter.replace(op, _exchanged(op))
            self.plan = LanePlan(Clusters(self.plan.clusters.block))

    def _is_cheaper(self, anchor: Convolution) -> bool:
        """Whether the exchanged product takes no more of GEMM than the product and a transpose."""
        rows, features = (shape_of(anchor.op.res[0])[dim] for dim in anchor.result_dims)
        depth = -(-anchor.terms // self.config.block_in)
        batch, block = self.config.batch, self.config.block_out
        turned = -(-features // batch) * -(-rows // block)
        return turned * depth <= -(-rows // batch) * -(-features // block) * depth + turned


def _is_read_by_rows(plan: LanePlan, cluster: Cluster) -> bool:
    """Whether what reads the bytes of a product needs its rows in lanes, and nothing its features."""
    read = [(wanted, plan.stored(value)) for value in plan.clusters.escaping(cluster) if (wanted := plan.wanted(value))]
    return bool(read) and all(stored is not None and wanted == {1 - stored} for wanted, stored in read)


def _exchanged(op: LinalgStructuredOperation) -> GenericOp:
    """The same product with its factors in the other order."""
    left, right, result = op.get_indexing_maps()
    body = Region()
    op.body.clone_into(body)
    maps = ArrayAttr([right, left, result])
    inputs = [op.inputs[1], op.inputs[0]]
    swapped = GenericOp(inputs, list(op.outputs), body, maps, op.get_iterator_types(), [op.res[0].type])
    stand_for(swapped, op)
    return swapped


@dataclass(frozen=True)
class SwapFactors(ModulePass):
    """Let products compute the transposes of their results where these are what is read.

    requires: host functions in the forms of device functions (fit-device-operations); the module's `vta.config`.
    ensures:  a matrix product of which all that reads its bytes sums up over its rows, or computes with matrices whose
              rows lie in lanes, has weights as data, and data as weights, unless that takes more products than a
              transpose.
    declines: nothing; where BLOCK_IN and BLOCK_OUT differ, or BATCH is no divisor of them, stored rows are no weight
              tiles, and products stay as they are.
    """

    name = "swap-factors"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        config = config_of(op)
        if not are_weight_tiles(config):
            return
        for function in host_functions(op):
            if has_products_of_matrices(function.body.block):
                clusters = facts_of(ctx).of(Clusters, function.body.block)
                rewrite_once(function, ExchangeFactors(config, LanePlan(clusters)), backwards=True)
