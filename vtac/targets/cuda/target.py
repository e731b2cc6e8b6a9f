"""Tensor cores as a target: CUDA programs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vtac.dialects.gpu_hardware import WARPGROUP_SHAPES, GpuArchitecture, gpu_architecture
from vtac.targets.target import Hardware, Intrinsic, Level, Option, Reach, Target, TargetProgram

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.dialects.func import FuncOp
    from xdsl.ir import Operation
    from xdsl.utils.target import Target as Format

    from vtac.dialects.schedule.payload import ForOp
    from vtac.pipelines import Pipeline
    from vtac.targets.target import Arrays, HasScript


_ON_TENSORS = "wmma.attention"
"""The operation of the dialect that kernels are made from."""


def _read(module: ModuleOp) -> GpuArchitecture | None:
    from vtac.analysis.ir.gpu_architecture import architecture_of

    return architecture_of(module)


def _write(module: ModuleOp, architecture: GpuArchitecture) -> None:

    from vtac.dialects.wmma.declared import ARCHITECTURE

    ARCHITECTURE.set(module, architecture.name)


def _difference(own: GpuArchitecture, given: GpuArchitecture) -> tuple[str, str]:
    return f"is {own.name}", given.name


def _pipeline() -> Pipeline:
    from vtac.targets.cuda.pipeline import WMMA_PIPELINE

    return WMMA_PIPELINE


def _compile(module: ModuleOp, measurements: object) -> TargetProgram:
    from vtac.targets.cuda.compiling import compile_program

    return compile_program(module, measurements)


def _schedules(module: ModuleOp) -> Sequence[HasScript]:
    from vtac.targets.cuda.compiling import schedules

    return schedules(module)


def _takes_apart(module: ModuleOp) -> Pipeline | None:
    from vtac.targets.cuda.compiling import KERNELS_PIPELINE, kernels_apart

    return None if kernels_apart(module) is None else KERNELS_PIPELINE


def _build(module: ModuleOp) -> TargetProgram:
    from vtac.targets.cuda.building import to_program

    return to_program(module)


def _load(directory: Path) -> TargetProgram:
    from vtac.targets.cuda.loading import load

    return load(directory)


def _match(name: str, loop: ForOp, _module: ModuleOp) -> object:
    from vtac.analysis.tensor_cores.fragment_shapes import match_fragments

    return match_fragments(loop, name)


def _match_mma(name: str, loop: ForOp, _module: ModuleOp) -> object:
    from vtac.analysis.tensor_cores.mma_intrinsics import match_intrinsic

    return match_intrinsic(loop, name)


def _match_wgmma(name: str, loop: ForOp, _module: ModuleOp) -> object:
    from vtac.analysis.tensor_cores.wgmma_tiles import match_group_intrinsic

    return match_group_intrinsic(loop, name)


def _match_box(loop: ForOp, _module: ModuleOp) -> object:
    from vtac.analysis.bulk_copies.box_copies import match_box_intrinsic

    return match_box_intrinsic(loop)


def _match_stored_box(loop: ForOp, _module: ModuleOp) -> object:
    from vtac.analysis.bulk_copies.box_stores import match_store_intrinsic

    return match_store_intrinsic(loop)


def _kernel(function: FuncOp) -> Operation | None:
    from vtac.analysis.ir.walks import operations_under
    from vtac.dialects.wmma.declared import KERNEL

    if KERNEL.is_on(function):
        return function
    of_kernels = (
        op
        for op in operations_under(function)
        if op.name.startswith(("wmma.", "mma.", "wgmma.", "tma.")) and op.name != _ON_TENSORS
    )
    return next(of_kernels, None)


def _evaluate(module: ModuleOp, arrays: Arrays) -> NDArray[np.generic] | Arrays:
    from vtac.evaluate.kernel import evaluate_whole_kernel

    return evaluate_whole_kernel(module, arrays)


def _text() -> type[Format]:
    from vtac.targets.cuda.emit.kernel import CudaTarget

    return CudaTarget


CUDA = Target(
    name="cuda",
    title="CUDA",
    hardware=Hardware(
        record=GpuArchitecture,
        noun="architecture",
        required="a GpuArchitecture is required, or its name, as in 'sm_90'",
        attribute="wmma.architecture",
        parse=gpu_architecture,
        read=_read,
        write=_write,
        difference=_difference,
        option="arch",
    ),
    pipeline=_pipeline,
    schedules=_schedules,
    build=_build,
    compile=_compile,
    takes_apart=_takes_apart,
    inlines_calls=True,
    options=(Option("measurements", None, "a file of what tilings took on the device that the program is for"),),
    reach=Reach("a kernel counts elements in integers of 32 bits", items=(1 << 31) - 1),
    load=_load,
    saved_as=("launch.json", "kernel.cu", "plan.json", "kernels.cu"),
    scopes={
        "shared": "memory that the threads of one block share",
        "wmma.matrix_a": "fragments of a product's first operand, in the registers of a warp",
        "wmma.matrix_b": "fragments of a product's second operand",
        "wmma.accumulator": "fragments that a product adds to",
        "local": "registers or the stack of one thread",
    },
    intrinsics=(
        *(
            Intrinsic(name, partial(_match, name))
            for name in ("wmma.load_matrix_sync", "wmma.mma_sync", "wmma.store_matrix_sync", "wmma.fill_fragment")
        ),
        *(
            Intrinsic(name, partial(_match_mma, name))
            for name in ("mma.m16n8k16", "mma.m16n8k8", "mma.m16n8k32", "mma.ldmatrix", "mma.store", "mma.stmatrix")
        ),
        *(
            Intrinsic(
                f"wgmma.m64nNk{depth}",
                members=tuple(f"wgmma.{shape}" for shape in WARPGROUP_SHAPES if shape.endswith(f"k{depth}")),
                match_member=_match_wgmma,
            )
            for depth in (16, 8, 32)
        ),
        Intrinsic("tma.load", _match_box),
        Intrinsic("tma.store", _match_stored_box),
    ),
    levels=(Level("wmma", _kernel, _evaluate, ("tiles", "memory")),),
    formats={"cuda": _text},
)
"""Programs are one kernel, or several with a plan of their launches.

Without an architecture a kernel keeps to what all architectures have in common.
"""
