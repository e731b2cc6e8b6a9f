"""The tensor cores' pipeline: from linalg to a kernel of the wmma dialect."""

from __future__ import annotations

from dataclasses import dataclass

from vtac.passes.gpu.convert_attention_to_memory import ConvertAttentionToMemory
from vtac.passes.gpu.convert_blocks_to_memory import ConvertBlocksToMemory
from vtac.passes.gpu.convert_copies_to_boxes import ConvertCopiesToBoxes
from vtac.passes.gpu.convert_copies_to_stores import ConvertCopiesToStores
from vtac.passes.gpu.convert_guards_to_conditions import ConvertGuardsToConditions
from vtac.passes.gpu.convert_loops_to_gpu import ConvertLoopsToGpu
from vtac.passes.gpu.convert_tiles_to_mma import ConvertTilesToMma
from vtac.passes.gpu.convert_tiles_to_wgmma import ConvertTilesToWgmma
from vtac.passes.gpu.convert_tiles_to_wmma import ConvertTilesToWmma
from vtac.passes.gpu.gpu_carry_copies import GpuCarryCopies
from vtac.passes.gpu.gpu_carry_counters import GpuCarryCounters
from vtac.passes.gpu.gpu_check_bounds import GpuCheckBounds
from vtac.passes.gpu.gpu_check_shared_memory import GpuCheckSharedMemory
from vtac.passes.gpu.gpu_check_threads import GpuCheckThreads
from vtac.passes.gpu.gpu_double_buffer_fragments import GpuDoubleBufferFragments
from vtac.passes.gpu.gpu_guard_sizes import GpuGuardSizes
from vtac.passes.gpu.gpu_hoist_indices import GpuHoistIndices
from vtac.passes.gpu.gpu_insert_barriers import GpuInsertBarriers
from vtac.passes.gpu.gpu_insert_wgmma_waits import GpuInsertWgmmaWaits
from vtac.passes.gpu.gpu_merge_conditions import GpuMergeConditions
from vtac.passes.gpu.gpu_name_numbers import GpuNameNumbers
from vtac.passes.gpu.gpu_name_values import GpuNameValues
from vtac.passes.gpu.gpu_outline_copies import GpuOutlineCopies
from vtac.passes.gpu.gpu_pipeline_boxes import GpuPipelineBoxes
from vtac.passes.gpu.gpu_pipeline_loops import GpuPipelineLoops
from vtac.passes.gpu.gpu_place_shared_memory import GpuPlaceSharedMemory
from vtac.passes.gpu.gpu_simplify_indices import GpuSimplifyIndices
from vtac.passes.gpu.gpu_specialize_warps import GpuSpecializeWarps
from vtac.passes.gpu.gpu_swizzle_accesses import GpuSwizzleAccesses
from vtac.passes.linalg.convert_linalg_to_schedule import ConvertLinalgToSchedule
from vtac.passes.schedule.apply_schedule import ApplySchedule
from vtac.passes.schedule.convert_schedule_to_scf import ConvertScheduleToScf
from vtac.passes.schedule.schedule_align_storage import ScheduleAlignStorage
from vtac.passes.schedule.schedule_compact_buffers import ScheduleCompactBuffers
from vtac.passes.schedule.schedule_decompose_reductions import ScheduleDecomposeReductions
from vtac.passes.schedule.schedule_swizzle_storage import ScheduleSwizzleStorage
from vtac.pipelines import Phase, Pipeline, PipelinePass
from vtac.rewriting.upstream_cleanups import Canonicalize, EliminateCommonSubexpressions

WMMA_PIPELINE = Pipeline(
    "lower-to-wmma",
    (
        Phase("payload", (ConvertAttentionToMemory(), ConvertLinalgToSchedule())),
        Phase("scheduled", (ApplySchedule(),)),
        Phase(
            "blocked",
            (
                ScheduleDecomposeReductions(),
                ScheduleCompactBuffers(),
                ScheduleAlignStorage(),
                ScheduleSwizzleStorage(),
                ConvertGuardsToConditions(),
            ),
        ),
        Phase(
            "tiles",
            (
                ConvertCopiesToStores(),
                ConvertTilesToWmma(),
                ConvertTilesToWgmma(),
                ConvertTilesToMma(),
                ConvertCopiesToBoxes(),
                GpuDoubleBufferFragments(),
            ),
        ),
        Phase("memory", (ConvertBlocksToMemory(), GpuPipelineBoxes(), GpuPipelineLoops())),
        Phase(
            "wmma",
            (
                Canonicalize(),
                EliminateCommonSubexpressions(),
                GpuCheckThreads(),
                ConvertLoopsToGpu(),
                GpuSpecializeWarps(),
                GpuCarryCopies(),
                GpuPlaceSharedMemory(),
                GpuCheckSharedMemory(),
                GpuInsertBarriers(),
                GpuInsertWgmmaWaits(),
                ConvertScheduleToScf(),
                GpuCheckBounds(),
                GpuSwizzleAccesses(),
                GpuSimplifyIndices(),
                EliminateCommonSubexpressions(),
                GpuMergeConditions(),
                GpuOutlineCopies(),
                GpuCarryCounters(),
                GpuNameValues(),
                GpuHoistIndices(),
                GpuNameNumbers(),
                GpuGuardSizes(),
                ConvertScheduleToScf(),  # the new constants, too, stand at the start, each once
            ),
        ),
    ),
)
"""From linalg to a kernel of the wmma dialect."""


@dataclass(frozen=True)
class LowerToWmma(PipelinePass):
    """The whole tensor-core pipeline, up to and including one phase.

    requires: a module with one scheduled function, its script in the module.
    ensures:  what the passes of the phases ensure.
    declines: an unknown phase; whatever a pass declines.
    """

    name = "lower-to-wmma"
    pipeline = WMMA_PIPELINE

    phase: str = "wmma"
