"""The plain path: from linalg on plain tensors to instruction streams in the vta dialect and a host function."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.passes import ModulePass

from vtac.passes.linalg.convert_scaled_floats import ConvertScaledFloats
from vtac.passes.linalg.expand_groups import ExpandGroups
from vtac.passes.linalg.fuse_elementwise import FuseElementwise
from vtac.passes.linalg.narrow_integers import NarrowIntegers
from vtac.passes.linalg.normalize_linalg import NormalizeLinalg
from vtac.passes.linalg.reduce_wide_shifts import ReduceWideShifts
from vtac.passes.linalg.simplify_alu import SimplifyAlu
from vtac.passes.linalg.take_out_zero_points import TakeOutZeroPoints
from vtac.passes.linalg.unroll_batches import UnrollBatches
from vtac.passes.vta.group_device_calls import GroupDeviceCalls
from vtac.passes.vta.isolate_device_functions import IsolateDeviceFunctions
from vtac.passes.vta.merge_device_functions import MergeDeviceFunctions
from vtac.passes.vta.move_constants_into_device_functions import MoveConstantsIntoDeviceFunctions
from vtac.passes.vta.pack_for_vta import PackForVta
from vtac.passes.vta.vta_link_kernels import VtaLinkKernels
from vtac.passes.vta.vta_plan_dram import VtaPlanDram
from vtac.pipelines import CompositePass, Phase, Pipeline
from vtac.targets.vta.passes.check_host_operations import CheckHostOperations
from vtac.targets.vta.passes.fold_constants import FoldConstants
from vtac.targets.vta.passes.lower_device_functions import LowerDeviceFunctions
from vtac.targets.vta.passes.schedule_device_functions import ScheduleDeviceFunctions

MOST_IN_A_BODY = 40
"""Operations of one elementwise body: what depends on one another farther than this is stored in between."""


def plain_pipeline(*, host: bool = True) -> Pipeline:
    """The phases of the plain path; `host=False` refuses what would run on the host besides changes of layout.

    Up to `grouped` functions are on tensors and all of them run; from `isolated` on, kernels
    and streams stand in modules within the module, beside the functions that say what they compute.
    """
    return Pipeline(
        "lower-plain-to-vta",
        (
            Phase("expanded", (FoldConstants(), ExpandGroups(), UnrollBatches())),
            Phase("normalised", (NormalizeLinalg(),)),
            Phase("integer", _to_integers()),
            Phase("packed", (PackForVta(host=host), CheckHostOperations(), FoldConstants(grow=True))),
            Phase("grouped", (GroupDeviceCalls(), MergeDeviceFunctions())),
            Phase("owned", (MoveConstantsIntoDeviceFunctions(), FoldConstants(grow=True))),
            Phase("scripted", (ScheduleDeviceFunctions(),)),
            Phase("isolated", (IsolateDeviceFunctions(),)),
            Phase("kernels", (LowerDeviceFunctions(),)),
            Phase("linked", (VtaLinkKernels(), VtaPlanDram())),
        ),
    )


def _to_integers() -> tuple[ModulePass, ...]:
    """From what frontends print to products of bytes and the ALU's operations in 32 bits."""
    return (
        ConvertScaledFloats(),
        ReduceWideShifts(),
        NarrowIntegers(),
        TakeOutZeroPoints(),
        FuseElementwise(most=MOST_IN_A_BODY),
        SimplifyAlu(),
        FoldConstants(),
    )


@dataclass(frozen=True)
class LowerPlainToVta(CompositePass):
    """The whole plain path, up to and including one phase.

    requires: a function on plain tensors; scripts, if any, are for the device functions that it becomes.
    ensures:  what the passes of the phases ensure.
    declines: an unknown phase; whatever a pass declines.
    """

    name = "lower-plain-to-vta"

    phase: str = "linked"
    host: bool = True

    @property
    def phases(self) -> tuple[Phase, ...]:
        return plain_pipeline(host=self.host).through(self.phase)
