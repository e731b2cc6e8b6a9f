"""The VTA's pipeline: from linalg to the vta dialect under host loops."""

from __future__ import annotations

from dataclasses import dataclass

from vtac.passes.linalg.convert_linalg_to_schedule import ConvertLinalgToSchedule
from vtac.passes.schedule.apply_schedule import ApplySchedule
from vtac.passes.schedule.convert_schedule_to_scf import ConvertScheduleToScf
from vtac.passes.schedule.schedule_compact_buffers import ScheduleCompactBuffers
from vtac.passes.schedule.schedule_decompose_reductions import ScheduleDecomposeReductions
from vtac.passes.schedule.schedule_partition_guards import SchedulePartitionGuards
from vtac.passes.schedule.schedule_reuse_in_place import ScheduleReuseInPlace
from vtac.passes.schedule.schedule_unroll_loops import ScheduleUnrollLoops
from vtac.passes.vta.convert_alu_to_vta import ConvertAluToVta
from vtac.passes.vta.convert_dma_to_vta import ConvertDmaToVta
from vtac.passes.vta.convert_gemm_to_vta import ConvertGemmToVta
from vtac.passes.vta.schedule_inject_virtual_threads import ScheduleInjectVirtualThreads
from vtac.passes.vta.vta_group_stages import VtaGroupStages
from vtac.passes.vta.vta_insert_dependences import VtaInsertDependences
from vtac.passes.vta.vta_place_buffers import VtaPlaceBuffers
from vtac.passes.vta.vta_rotate_buffers import VtaRotateBuffers
from vtac.pipelines import Phase, Pipeline, PipelinePass
from vtac.rewriting.upstream_cleanups import Canonicalize, EliminateCommonSubexpressions

VTA_PIPELINE = Pipeline(
    "lower-to-vta",
    (
        Phase("payload", (ConvertLinalgToSchedule(),)),
        Phase("scheduled", (ApplySchedule(),)),
        Phase(
            "blocked",
            (
                ScheduleDecomposeReductions(),
                SchedulePartitionGuards(),
                ScheduleUnrollLoops(),
                ScheduleCompactBuffers(),
                ScheduleReuseInPlace(),
            ),
        ),
        Phase("units", (ConvertDmaToVta(), ConvertGemmToVta(), ConvertAluToVta())),
        Phase("tokens", (VtaGroupStages(), VtaInsertDependences())),
        Phase("threads", (ScheduleInjectVirtualThreads(), VtaRotateBuffers())),
        Phase("vta", (Canonicalize(), EliminateCommonSubexpressions(), VtaPlaceBuffers(), ConvertScheduleToScf())),
    ),
)
"""From linalg to the vta dialect under host loops."""


@dataclass(frozen=True)
class LowerToVta(PipelinePass):
    """The whole VTA pipeline, up to and including one phase.

    requires: a module with one scheduled function, its script in the module.
    ensures:  what the passes of the phases ensure.
    declines: an unknown phase; whatever a pass declines.
    """

    name = "lower-to-vta"
    pipeline = VTA_PIPELINE

    phase: str = "vta"
