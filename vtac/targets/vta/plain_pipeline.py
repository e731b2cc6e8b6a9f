"""The plain path: from linalg on plain tensors to instruction streams in the vta dialect and a host function."""

from __future__ import annotations

from dataclasses import dataclass

from vtac.passes.linalg.expand_groups import ExpandGroups
from vtac.passes.linalg.lift_arithmetic import LiftArithmetic
from vtac.passes.linalg.slice_before_moves import SliceBeforeMoves
from vtac.passes.linalg.unroll_batches import UnrollBatches
from vtac.passes.linalg.unroll_loops import UnrollLoops
from vtac.passes.vta.count_contractions import CountContractions
from vtac.passes.vta.explain_choices import ExplainChoices
from vtac.passes.vta.group_device_calls import GroupDeviceCalls
from vtac.passes.vta.isolate_device_functions import IsolateDeviceFunctions
from vtac.passes.vta.merge_device_functions import MergeDeviceFunctions
from vtac.passes.vta.move_constants_into_device_functions import MoveConstantsIntoDeviceFunctions
from vtac.passes.vta.multiply_biases import MultiplyBiases
from vtac.passes.vta.place_tensors import PlaceTensors
from vtac.passes.vta.vta_link_kernels import VtaLinkKernels
from vtac.passes.vta.vta_plan_dram import VtaPlanDram
from vtac.pipelines import CompositePass, Phase, Pipeline
from vtac.targets.vta.passes.check_host_operations import CheckHostOperations
from vtac.targets.vta.passes.fold_constants import FoldConstants
from vtac.targets.vta.passes.lower_device_functions import LowerDeviceFunctions
from vtac.targets.vta.passes.pack_for_vta import packing_phases
from vtac.targets.vta.passes.schedule_device_functions import ScheduleDeviceFunctions

_WRITTEN_OUT = (UnrollLoops(), LiftArithmetic(), CountContractions())


def plain_pipeline(*, host: bool = True) -> Pipeline:
    """The phases of the plain path; `host=False` refuses what would run on the host besides changes of layout.

    Up to `grouped` functions are on tensors and all of them run; from `isolated` on, kernels
    and streams stand in modules within the module, beside the functions that say what they compute.
    """
    *before, packed = packing_phases(host=host)
    return Pipeline(
        "lower-plain-to-vta",
        (
            Phase(
                "expanded",
                (
                    UnrollLoops(),
                    LiftArithmetic(),
                    CountContractions(),
                    FoldConstants(),
                    ExpandGroups(),
                    UnrollBatches(),
                    SliceBeforeMoves(),
                ),
            ),
            *before,
            Phase("packed", (*packed.passes, CheckHostOperations(), FoldConstants(grow=True), MultiplyBiases())),
            Phase("grouped", (GroupDeviceCalls(), ExplainChoices(), PlaceTensors(), MergeDeviceFunctions())),
            Phase("owned", (MoveConstantsIntoDeviceFunctions(), FoldConstants(grow=True))),
            Phase("scripted", (ScheduleDeviceFunctions(),)),
            Phase("isolated", (IsolateDeviceFunctions(),)),
            Phase("kernels", (LowerDeviceFunctions(),)),
            Phase("linked", (VtaLinkKernels(), VtaPlanDram())),
        ),
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
