"""From linalg to the vec dialect under host loops."""

from __future__ import annotations

from dataclasses import dataclass

from vtac.passes.linalg.convert_linalg_to_schedule import ConvertLinalgToSchedule
from vtac.passes.schedule.apply_schedule import ApplySchedule
from vtac.passes.schedule.convert_schedule_to_scf import ConvertScheduleToScf
from vtac.passes.schedule.schedule_compact_buffers import ScheduleCompactBuffers
from vtac.passes.schedule.schedule_decompose_reductions import ScheduleDecomposeReductions
from vtac.pipelines import Phase, Pipeline, PipelinePass
from vtac_vec.convert_loops_to_vec import ConvertLoopsToVec
from vtac_vec.vec_assign_registers import VecAssignRegisters

VEC_PIPELINE = Pipeline(
    "lower-to-vec",
    (
        Phase("payload", (ConvertLinalgToSchedule(),)),
        Phase("scheduled", (ApplySchedule(),)),
        Phase("blocked", (ScheduleDecomposeReductions(), ScheduleCompactBuffers())),
        Phase("vec", (ConvertLoopsToVec(), VecAssignRegisters(), ConvertScheduleToScf())),
    ),
)


@dataclass(frozen=True)
class LowerToVec(PipelinePass):
    """The whole pipeline of the vector machine, up to and including one phase.

    requires: a module with one scheduled function, its script in the module.
    ensures:  what the passes of the phases ensure.
    declines: an unknown phase; whatever a pass declines.
    """

    name = "lower-to-vec"
    pipeline = VEC_PIPELINE

    phase: str = "vec"
