"""pack-for-vta: plain linalg -> a host function that packs, calls device functions, and unpacks."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.passes import ModulePass

from vtac.passes.linalg.convert_scaled_floats import ConvertScaledFloats
from vtac.passes.linalg.fuse_elementwise import FuseElementwise
from vtac.passes.linalg.narrow_integers import NarrowIntegers
from vtac.passes.linalg.normalize_linalg import NormalizeLinalg
from vtac.passes.linalg.reduce_wide_shifts import ReduceWideShifts
from vtac.passes.linalg.shape_reductions import ShapeReductions
from vtac.passes.linalg.simplify_alu import SimplifyAlu
from vtac.passes.linalg.split_transposed_convolutions import SplitTransposedConvolutions
from vtac.passes.linalg.take_out_zero_points import TakeOutZeroPoints
from vtac.passes.vta.absorb_channel_moves import AbsorbChannelMoves
from vtac.passes.vta.check_plain_functions import CheckPlainFunctions
from vtac.passes.vta.fit_device_operations import FitDeviceOperations
from vtac.passes.vta.fold_windows import FoldWindows
from vtac.passes.vta.insert_repetitions import InsertRepetitions
from vtac.passes.vta.isolate_host_operations import IsolateHostOperations
from vtac.passes.vta.legalize_for_alu import LegalizeForAlu
from vtac.passes.vta.multiply_channel_moves import MultiplyChannelMoves
from vtac.passes.vta.multiply_transposes import MultiplyTransposes
from vtac.passes.vta.order_features import OrderFeatures
from vtac.passes.vta.outline_device_functions import OutlineDeviceFunctions
from vtac.passes.vta.pack_device_functions import PackDeviceFunctions
from vtac.passes.vta.pool_accumulators import PoolAccumulators
from vtac.passes.vta.propagate_layouts import PropagateLayouts
from vtac.passes.vta.refuse_host_operations import RefuseHostOperations
from vtac.passes.vta.sink_channel_moves import SinkChannelMoves
from vtac.passes.vta.split_device_operations import SplitDeviceOperations
from vtac.passes.vta.split_intermediates import SplitIntermediates
from vtac.passes.vta.swap_factors import SwapFactors
from vtac.passes.vta.widen_operands import WidenOperands
from vtac.pipelines import CompositePass, Phase
from vtac.targets.vta.passes.choose_window_folds import ChooseWindowFolds
from vtac.targets.vta.passes.fold_constants import FoldConstants
from vtac.targets.vta.passes.slice_gathers import SliceGathers

MOST_IN_A_BODY = 40
"""Operations of one elementwise body: what depends on one another farther than this is stored in between."""

_TO_INTEGERS = (
    ConvertScaledFloats(),
    ReduceWideShifts(),
    NarrowIntegers(),
    ShapeReductions(),
    TakeOutZeroPoints(),
    WidenOperands(),
    LegalizeForAlu(),
    SinkChannelMoves(),
    MultiplyChannelMoves(),
    AbsorbChannelMoves(),
    IsolateHostOperations(),
    FuseElementwise(most=MOST_IN_A_BODY),
    SimplifyAlu(),
    InsertRepetitions(),
    OrderFeatures(),
    FoldConstants(),
)
_FOLDS = (ChooseWindowFolds(), FoldWindows())
_TO_TILES = (SplitDeviceOperations(), PackDeviceFunctions(), PropagateLayouts())


def packing_phases(*, host: bool) -> tuple[Phase, ...]:
    """From what frontends print to calls of device functions on tiles; `host=False` refuses operations of the host."""
    refusal: tuple[ModulePass, ...] = () if host else (RefuseHostOperations(),)
    return (
        Phase("normalised", (CheckPlainFunctions(), NormalizeLinalg(), SliceGathers(), SplitTransposedConvolutions())),
        Phase("integer", _TO_INTEGERS),
        Phase(
            "outlined",
            (
                FitDeviceOperations(),
                SwapFactors(),
                MultiplyTransposes(),
                SplitIntermediates(),
                *_FOLDS,
                PoolAccumulators(),
                OutlineDeviceFunctions(),
                *refusal,
            ),
        ),
        Phase("packed", _TO_TILES),
    )


@dataclass(frozen=True)
class PackForVta(CompositePass):
    """Split each function into device functions on packed tensors and a host function around them.

    requires: a function on tensors of static shape, in any layout; the module's `vta.config`.
    ensures:  one device function per product, convolution, pooling or elementwise chain, with
              what follows it elementwise; layout changes only where layouts differ; what the
              VTA cannot execute in `packing.host` segments that say why.
    declines: when `host` is false, host segments, all of them at once, and a function that gives
              the VTA nothing to do.
    """

    name = "pack-for-vta"

    host: bool = True

    @property
    def phases(self) -> tuple[Phase, ...]:
        return packing_phases(host=self.host)
