"""Pipelines as named tuples of passes, in phases whose output can be printed and run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from vtac.errors import CompileError
from vtac.passes.gpu.convert_blocks_to_memory import ConvertBlocksToMemory
from vtac.passes.gpu.convert_guards_to_conditions import ConvertGuardsToConditions
from vtac.passes.gpu.convert_loops_to_gpu import ConvertLoopsToGpu
from vtac.passes.gpu.convert_tiles_to_wmma import ConvertTilesToWmma
from vtac.passes.gpu.gpu_check_shared_memory import GpuCheckSharedMemory
from vtac.passes.gpu.gpu_check_threads import GpuCheckThreads
from vtac.passes.gpu.gpu_double_buffer_fragments import GpuDoubleBufferFragments
from vtac.passes.gpu.gpu_insert_barriers import GpuInsertBarriers
from vtac.passes.gpu.gpu_pipeline_loops import GpuPipelineLoops
from vtac.passes.linalg.convert_linalg_to_schedule import ConvertLinalgToSchedule
from vtac.passes.schedule.apply_schedule import ApplySchedule
from vtac.passes.schedule.convert_schedule_to_scf import ConvertScheduleToScf
from vtac.passes.schedule.schedule_align_storage import ScheduleAlignStorage
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


class Phase(NamedTuple):
    """Passes that belong together, and the name of the IR after them."""

    name: str
    passes: tuple[ModulePass, ...]


VTA_PIPELINE: tuple[Phase, ...] = (
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
    Phase("vta", (VtaPlaceBuffers(), ConvertScheduleToScf())),
)
"""From linalg to the vta dialect under host loops."""

WMMA_PIPELINE: tuple[Phase, ...] = (
    Phase("payload", (ConvertLinalgToSchedule(),)),
    Phase("scheduled", (ApplySchedule(),)),
    Phase(
        "blocked",
        (
            ScheduleDecomposeReductions(),
            ScheduleCompactBuffers(),
            ScheduleAlignStorage(),
            ConvertGuardsToConditions(),
        ),
    ),
    Phase("tiles", (ConvertTilesToWmma(), GpuDoubleBufferFragments())),
    Phase("memory", (ConvertBlocksToMemory(), GpuPipelineLoops())),
    Phase(
        "wmma",
        (GpuCheckThreads(), ConvertLoopsToGpu(), GpuCheckSharedMemory(), GpuInsertBarriers(), ConvertScheduleToScf()),
    ),
)
"""From linalg to a kernel of the wmma dialect."""

PHASES: tuple[str, ...] = ("input", *(phase.name for phase in VTA_PIPELINE))


def continue_after(module: ModuleOp, context: Context, done: str) -> None:
    """Run what is left of the VTA pipeline on a module that is in phase `done` already."""
    names = [phase.name for phase in VTA_PIPELINE]
    for phase in VTA_PIPELINE[names.index(done) + 1 :]:
        for step in phase.passes:
            step.apply(context, module)


def run_phases(
    module: ModuleOp, context: Context, last: str = "vta", pipeline: tuple[Phase, ...] = VTA_PIPELINE
) -> None:
    """Run a pipeline on a module, up to and including the phase `last`."""
    if last == "input":
        return
    for phase in pipeline:
        for step in phase.passes:
            step.apply(context, module)
        if phase.name == last:
            return
    known = ", ".join(("input", *(phase.name for phase in pipeline)))
    raise CompileError(f"no phase '{last}'; the phases are {known}")


@dataclass(frozen=True)
class LowerToVta(ModulePass):
    """The whole VTA pipeline, up to and including one phase.

    requires: a module with one scheduled function, its script in the module.
    ensures:  what the passes of the phases ensure.
    declines: an unknown phase; whatever a pass declines.
    """

    name = "lower-to-vta"

    phase: str = "vta"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        run_phases(op, ctx, self.phase)


@dataclass(frozen=True)
class LowerToWmma(ModulePass):
    """The whole tensor-core pipeline, up to and including one phase.

    requires: a module with one scheduled function, its script in the module.
    ensures:  what the passes of the phases ensure.
    declines: an unknown phase; whatever a pass declines.
    """

    name = "lower-to-wmma"

    phase: str = "wmma"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        run_phases(op, ctx, self.phase, WMMA_PIPELINE)
