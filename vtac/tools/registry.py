"""What the tools know by name: dialects, passes and output targets, each imported when first used.

To add one, add a line to a table: the name, then where the class or `Dialect` object stands.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, TypeVar

from xdsl.context import Context
from xdsl.dialects import get_all_dialects
from xdsl.ir import Dialect
from xdsl.passes import ModulePass
from xdsl.transforms import get_all_passes
from xdsl.utils.target import Target

ClassT = TypeVar("ClassT")


class Home(NamedTuple):
    """The module and the attribute in it that a name stands for."""

    module: str
    attribute: str

    def load(self) -> object:
        return getattr(import_module(self.module), self.attribute)


DIALECTS: dict[str, Home] = {
    "arith": Home("vtac.dialects.frontend_arith", "FrontendArith"),
    "linalg": Home("vtac.dialects.named_linalg", "NamedLinalg"),
    "packing": Home("vtac.dialects.packing", "Packing"),
    "schedule": Home("vtac.dialects.schedule", "Schedule"),
    "vta": Home("vtac.dialects.vta", "VTA"),
    "wmma": Home("vtac.dialects.wmma", "WMMA"),
}
"""Our dialects. One that bears the name of an xDSL dialect replaces it."""

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

TARGETS: dict[str, Home] = {
    "cuda": Home("vtac.targets.cuda.emit.kernel", "CudaTarget"),
    "mlir": Home("xdsl.targets.mlir", "MLIRTarget"),
    "vta-asm": Home("vtac.targets.vta.stream.asm_target", "VtaAsmTarget"),
}
"""What `-t` can print."""


def dialect_factories() -> dict[str, Callable[[], Dialect]]:
    """Returns xDSL's dialects and ours by name, none of them loaded yet."""
    return get_all_dialects() | {name: _dialect_factory(home) for name, home in DIALECTS.items()}


def pass_factories() -> dict[str, Callable[[], type[ModulePass]]]:
    """Returns xDSL's passes and ours by name, none of them loaded yet."""
    return get_all_passes() | {name: _class_factory(home, ModulePass) for name, home in PASSES.items()}


def target_factories() -> dict[str, Callable[[], type[Target]]]:
    """Returns the output targets by name, none of them loaded yet."""
    return {name: _class_factory(home, Target) for name, home in TARGETS.items()}


def make_context(*, allow_unregistered: bool = False) -> Context:
    """Returns a context that knows every dialect and loads each one when it is first met."""
    context = Context(allow_unregistered=allow_unregistered)
    for name, factory in dialect_factories().items():
        context.register_dialect(name, factory)
    return context


def _dialect_factory(home: Home) -> Callable[[], Dialect]:
    def load() -> Dialect:
        dialect = home.load()
        if not isinstance(dialect, Dialect):
            raise TypeError(f"{home.module}.{home.attribute} is no Dialect")
        return dialect

    return load


def _class_factory(home: Home, base: type[ClassT]) -> Callable[[], type[ClassT]]:
    def load() -> type[ClassT]:
        found = home.load()
        if not (isinstance(found, type) and issubclass(found, base)):
            raise TypeError(f"{home.module}.{home.attribute} is no subclass of {base.__name__}")
        return found

    return load
