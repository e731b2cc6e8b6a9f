"""choose-window-folds: which convolutions get rows and columns of their windows folded into channels by the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import CallOp, FuncOp, ReturnOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter, RewritePattern, op_type_rewrite_pattern

from vtac.analysis.ir.device_functions import device_functions, host_functions
from vtac.analysis.ir.kept_facts import facts_of
from vtac.analysis.ir.target import config_of, copy_target
from vtac.analysis.values.tensor_ranges import TensorRanges
from vtac.dialects.hardware import VTAConfig
from vtac.dialects.packing import HostOp
from vtac.dialects.packing.declared import CHOICE, FOLD
from vtac.errors import NoDefaultScheduleError
from vtac.partition.anchors import match_anchor, source_of
from vtac.partition.clusters import Cluster, Clusters
from vtac.partition.convolutions import Convolution
from vtac.partition.outlines import Outline
from vtac.partition.window_folds import fold_difference
from vtac.passes.vta.isolate_device_functions import isolated
from vtac.passes.vta.pack_device_functions import PackDeviceFunctions
from vtac.passes.vta.pool_accumulators import match_sums, saved_cycles
from vtac.passes.vta.split_device_operations import SplitDeviceOperations
from vtac.rewriting.edits import append
from vtac.rewriting.walker import rewrite_once
from vtac.schedule import TrialSchedule
from vtac.targets.vta.schedules.fold_choice import cheapest_fold, useful_folds
from vtac.targets.vta.schedules.layers import Layer
from vtac.targets.vta.schedules.search import layers_of


class DeviceValues:
    """Which values of a block the VTA computes, themselves or before the host changed their layout."""

    def __init__(self, block: Block, clusters: Clusters) -> None:
        self._found: set[SSAValue] = set()
        for op in block.ops:
            if op in clusters.of or (not isinstance(op, HostOp) and self._reads_any(op)):
                self._found.update(op.results)

    def __contains__(self, value: SSAValue) -> bool:
        return value in self._found

    def _reads_any(self, op: Operation) -> bool:
        return any(value in self._found for inner in op.walk() for value in inner.operands)


def savings_of_whole_windows(function: FuncOp, config: VTAConfig) -> dict[Operation, float]:
    """Cycles that pool-accumulators saves of products whose padded maxima it takes first where windows are folded."""
    ranges, saved = TensorRanges(function.body.block), dict[Operation, float]()
    for op in function.body.block.ops:
        found = match_sums(op, ranges, folded=True)
        if found is not None and any((*found.pads.low, *found.pads.high)):
            saved[found.product.op] = max(0.0, saved_cycles(found, config))
    return saved


@dataclass
class ChooseFold(RewritePattern):
    """A convolution of data that the host has is marked with the fold that costs least, where one costs less."""

    module: ModuleOp
    context: Context
    clusters: Clusters
    values: DeviceValues
    pooled: Mapping[Operation, float]
    """Cycles that are saved where the whole window of a convolution is in channels: maxima are taken of its sums."""

    @op_type_rewrite_pattern
    def match_and_rewrite(self, op: LinalgStructuredOperation, rewriter: PatternRewriter) -> None:
        found = match_anchor(op)
        if not isinstance(found, Convolution) or fold_difference(found) or FOLD.is_on(op):
            return
        kernel = cast(SSAValue, found.kernel)
        if source_of(found)[0] in self.values or kernel in self.values:
            return
        config = config_of(self.module)
        folds = useful_folds(found, config)
        layer = self._layer(self.clusters.of[op]) if folds else None
        if layer is None:
            return
        chosen = cheapest_fold(found, layer, folds, config, self.pooled.get(op, 0))
        if chosen is not None:
            fold, text = chosen
            FOLD.set(op, fold.places)
            known = CHOICE.get(op)
            CHOICE.set(op, f"{known}; {text}" if isinstance(known, str) else text)
            rewriter.notify_op_modified(op)

    def _layer(self, cluster: Cluster) -> Layer | None:
        """The layer that a cluster would be as it is; None where no default schedule knows it, or nothing reads it."""
        escaping = self.clusters.escaping(cluster)
        if not escaping:
            return None
        outline = Outline(cluster, escaping)
        device = outline.function("layer")
        kinds = device.function_type
        body = Block(arg_types=list(kinds.inputs))
        call = CallOp("layer", body.args, list(kinds.outputs))
        append([call, ReturnOp(*call.res)], body)
        work = ModuleOp([FuncOp("host", kinds, Region(body)), device])
        copy_target(self.module, work)
        for one in (SplitDeviceOperations(), PackDeviceFunctions()):
            one.apply(self.context, work)
        try:
            layers = layers_of(TrialSchedule(isolated(device_functions(work)[0], work)))
        except NoDefaultScheduleError:
            return None
        return layers[0] if len(layers) == 1 and layers[0].contraction is not None else None


@dataclass(frozen=True)
class ChooseWindowFolds(ModulePass):
    """Mark convolutions of few channels whose windows the host should lay side by side as channels.

    Columns, rows, or both, in whole or in part (by the stride: space to depth): of all of them the one with the
    least sum of the device function's cycles, the host's copying and a part of the traffic, less what pool-accumulators
    saves of padded maxima where all of a window is in channels. What the VTA computes is a plan of the whole host
    function (`DeviceValues`): the host never comes between two layers for this.

    requires: host functions at the integer level (fit-device-operations), whose intermediates are split.
    ensures:  `packing.fold` and the figures of both ways (`packing.choice`) on convolutions whose data and kernel
              the host has, and where a fold costs less than the layer as it is.
    declines: nothing; whatever is not marked stays as it is.
    """

    name = "choose-window-folds"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in host_functions(op):
            block = function.body.block
            clusters = facts_of(ctx).of(Clusters, block)
            values, pooled = DeviceValues(block, clusters), savings_of_whole_windows(function, config_of(op))
            rewrite_once(function, ChooseFold(op, ctx, clusters, values, pooled))
