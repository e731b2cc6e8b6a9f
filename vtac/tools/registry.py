"""What the tools know by name: passes and output formats, each imported when first used.

To add a pass, add a line to the table: the name, then where the class stands. What other packages
add as xDSL universes and as targets is known too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from xdsl.passes import ModulePass
from xdsl.targets.mlir import MLIRTarget
from xdsl.transforms import get_all_passes
from xdsl.utils.target import Target as Format

from vtac.targets.registry import all_targets
from vtac.text.context import Home, add_new, installed_universes

ClassT = TypeVar("ClassT")

PASSES: dict[str, Home] = {
    "apply-schedule": Home("vtac.passes.schedule.apply_schedule", "ApplySchedule"),
    "convert-alu-to-vta": Home("vtac.passes.vta.convert_alu_to_vta", "ConvertAluToVta"),
    "convert-dma-to-vta": Home("vtac.passes.vta.convert_dma_to_vta", "ConvertDmaToVta"),
    "convert-gemm-to-vta": Home("vtac.passes.vta.convert_gemm_to_vta", "ConvertGemmToVta"),
    "convert-linalg-to-schedule": Home("vtac.passes.linalg.convert_linalg_to_schedule", "ConvertLinalgToSchedule"),
    "convert-schedule-to-scf": Home("vtac.passes.schedule.convert_schedule_to_scf", "ConvertScheduleToScf"),
    "convert-blocks-to-memory": Home("vtac.passes.gpu.convert_blocks_to_memory", "ConvertBlocksToMemory"),
    "convert-loops-to-gpu": Home("vtac.passes.gpu.convert_loops_to_gpu", "ConvertLoopsToGpu"),
    "convert-guards-to-conditions": Home("vtac.passes.gpu.convert_guards_to_conditions", "ConvertGuardsToConditions"),
    "convert-tiles-to-wmma": Home("vtac.passes.gpu.convert_tiles_to_wmma", "ConvertTilesToWmma"),
    "group-device-calls": Home("vtac.passes.vta.group_device_calls", "GroupDeviceCalls"),
    "gpu-check-threads": Home("vtac.passes.gpu.gpu_check_threads", "GpuCheckThreads"),
    "gpu-check-shared-memory": Home("vtac.passes.gpu.gpu_check_shared_memory", "GpuCheckSharedMemory"),
    "gpu-double-buffer-fragments": Home("vtac.passes.gpu.gpu_double_buffer_fragments", "GpuDoubleBufferFragments"),
    "gpu-insert-barriers": Home("vtac.passes.gpu.gpu_insert_barriers", "GpuInsertBarriers"),
    "gpu-pipeline-loops": Home("vtac.passes.gpu.gpu_pipeline_loops", "GpuPipelineLoops"),
    "lower-to-vta": Home("vtac.targets.vta.pipeline", "LowerToVta"),
    "lower-to-wmma": Home("vtac.targets.cuda.pipeline", "LowerToWmma"),
    "schedule-align-storage": Home("vtac.passes.schedule.schedule_align_storage", "ScheduleAlignStorage"),
    "expand-groups": Home("vtac.passes.linalg.expand_groups", "ExpandGroups"),
    "pack-for-vta": Home("vtac.passes.vta.pack_for_vta", "PackForVta"),
    "schedule-compact-buffers": Home("vtac.passes.schedule.schedule_compact_buffers", "ScheduleCompactBuffers"),
    "schedule-decompose-reductions": Home(
        "vtac.passes.schedule.schedule_decompose_reductions", "ScheduleDecomposeReductions"
    ),
    "schedule-inject-virtual-threads": Home(
        "vtac.passes.vta.schedule_inject_virtual_threads", "ScheduleInjectVirtualThreads"
    ),
    "schedule-partition-guards": Home("vtac.passes.schedule.schedule_partition_guards", "SchedulePartitionGuards"),
    "schedule-reuse-in-place": Home("vtac.passes.schedule.schedule_reuse_in_place", "ScheduleReuseInPlace"),
    "schedule-unroll-loops": Home("vtac.passes.schedule.schedule_unroll_loops", "ScheduleUnrollLoops"),
    "unroll-batches": Home("vtac.passes.linalg.unroll_batches", "UnrollBatches"),
    "vta-group-stages": Home("vtac.passes.vta.vta_group_stages", "VtaGroupStages"),
    "vta-insert-dependences": Home("vtac.passes.vta.vta_insert_dependences", "VtaInsertDependences"),
    "merge-device-functions": Home("vtac.passes.vta.merge_device_functions", "MergeDeviceFunctions"),
    "vta-link-kernels": Home("vtac.passes.vta.vta_link_kernels", "VtaLinkKernels"),
    "vta-plan-dram": Home("vtac.passes.vta.vta_plan_dram", "VtaPlanDram"),
    "vta-place-buffers": Home("vtac.passes.vta.vta_place_buffers", "VtaPlaceBuffers"),
    "vta-rotate-buffers": Home("vtac.passes.vta.vta_rotate_buffers", "VtaRotateBuffers"),
    "vta-set-config": Home("vtac.passes.vta.vta_set_config", "VtaSetConfig"),
}
"""Our passes, by the name that `-p` takes, which is also the class's `name`."""


def pass_factories() -> dict[str, Callable[[], type[ModulePass]]]:
    """All passes by name, none of them loaded yet."""
    known = get_all_passes() | {name: _class_factory(home, ModulePass) for name, home in PASSES.items()}
    for name, universe in installed_universes().items():
        add_new(known, universe.all_passes, f"pass of universe {name}")
    return known


def format_factories() -> dict[str, Callable[[], type[Format]]]:
    """What `-t` can print, by name: MLIR, and the formats of all targets; none of them loaded yet."""
    known: dict[str, Callable[[], type[Format]]] = {"mlir": lambda: MLIRTarget}
    for target in all_targets():
        add_new(known, target.formats, f"format of target {target.name}")
    return known


def _class_factory(home: Home, base: type[ClassT]) -> Callable[[], type[ClassT]]:
    def load() -> type[ClassT]:
        found = home.load()
        if not (isinstance(found, type) and issubclass(found, base)):
            raise TypeError(f"{home.module}.{home.attribute} is no subclass of {base.__name__}")
        return found

    return load
