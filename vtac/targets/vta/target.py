"""The VTA as a target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vtac.dialects.hardware import VTAConfig
from vtac.targets.target import Hardware, Intrinsic, Level, Mismatch, Option, Target, TargetProgram
from vtac.targets.vta.reach import REACH

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


def _read(module: ModuleOp) -> VTAConfig | None:
    from vtac.analysis.ir.target import config_of
    from vtac.dialects.vta.declared import CONFIG

    return config_of(module) if CONFIG.is_on(module) else None


def _default() -> VTAConfig:
    from vtac.analysis.ir.target import default_config

    return default_config()


def _write(module: ModuleOp, config: VTAConfig) -> None:
    from vtac.analysis.ir.target import set_config

    set_config(module, config)


def _difference(own: VTAConfig, given: VTAConfig) -> tuple[str, str]:
    mine, theirs = own.all_fields(), given.all_fields()
    field = next(key for key in mine if mine[key] != theirs[key])
    return f"has {field} = {mine[field]}", str(theirs[field])


def _pipeline() -> Pipeline:
    from vtac.targets.vta.pipeline import VTA_PIPELINE

    return VTA_PIPELINE


def _takes_apart(module: ModuleOp) -> Pipeline | None:
    from vtac.partition.layouts import needs_packing
    from vtac.targets.vta.plain_pipeline import plain_pipeline

    return plain_pipeline() if needs_packing(module) else None


def _schedules(module: ModuleOp) -> Sequence[HasScript]:
    from vtac.targets.vta.choosing import schedules

    return schedules(module)


def _build(module: ModuleOp) -> TargetProgram:
    from vtac.targets.vta.stream.build import build_program

    return build_program(module)


def _compile(
    module: ModuleOp,
    *,
    host: bool,
    acc_8bit: bool,
    progress: Callable[[str, int, int], None] | None,
    cache: bool | None,
    schedules: object,
    jobs: int,
) -> TargetProgram:
    from vtac.targets.vta.compiling import compile_program

    return compile_program(
        module, host=host, acc_8bit=acc_8bit, progress=progress, cache=cache, schedules=schedules, jobs=jobs
    )


def _load(directory: Path) -> TargetProgram:
    from vtac.targets.vta.programs.saved_program import load_program

    return load_program(directory)


def _match_gemm(loop: ForOp, module: ModuleOp) -> object:
    from vtac.analysis.ir.target import config_of
    from vtac.analysis.vta.gemm import match_gemm

    found = match_gemm(loop, config_of(module))
    return Mismatch(found, _remedy_of(found)) if isinstance(found, str) else found


def _remedy_of(difference: str) -> str:
    """What to do about the first difference between a loop and a GEMM tile."""
    if "to end in a" in difference:
        return (
            "the tiles are BATCH x BLOCK of the configuration: pack the program for it, or give Schedule and compile "
            "the configuration that it is packed for"
        )
    if "several statements" in difference:
        return "move the others to an outer loop with compute_at, or tensorize a loop further in"
    if "in scope vta.acc" in difference:
        return "give the sums that scope with cache_write(block, 0, 'vta.acc') or set_scope(block, 0, 'vta.acc')"
    if "in scope" in difference:
        return "copy the data with cache_read into 'vta.inp', the weights into 'vta.wgt'"
    return "change the schedule or the program to match"


def _operation(function: FuncOp) -> Operation | None:
    from vtac.analysis.ir.walks import operations_under

    return next((op for op in operations_under(function) if op.name.startswith("vta.")), None)


def _evaluate(module: ModuleOp, arrays: Arrays) -> NDArray[np.generic] | Arrays:
    return _build(module)(*arrays)


def _assembly() -> type[Format]:
    from vtac.targets.vta.stream.asm_target import VtaAsmTarget

    return VtaAsmTarget


VTA = Target(
    name="vta",
    title="VTA",
    hardware=Hardware(
        record=VTAConfig,
        noun="configuration",
        required="a VTAConfig is required, or the path of a vta_config.json",
        attribute="vta.config",
        parse=VTAConfig.from_json,
        read=_read,
        write=_write,
        difference=_difference,
        default=_default,
    ),
    pipeline=_pipeline,
    schedules=_schedules,
    build=_build,
    load=_load,
    saved_as=("host.mlir", "program.json", "insn.bin", "uop.bin", "dram.bin"),
    compile=_compile,
    takes_apart=_takes_apart,
    reach=REACH,
    options=(
        Option("host", True, "what the VTA cannot do runs on the host; otherwise it is refused"),
        Option("acc_8bit", False, "for simulators only: i8 may be loaded into accumulators"),
        Option("progress", None, "called with the layer that is next, how many are done and how many there are"),
        Option("cache", None, "what was compiled before is read from disk; None: where VTAC_CACHE_DIR names a folder"),
        Option("schedules", None, "a store that vtac.tune has filled, whose tilings are taken; a Store or its path"),
        Option("jobs", 1, "processes that lower the layers of a network"),
    ),
    scopes={
        "vta.inp": "the input buffer: tiles of BATCH x BLOCK_IN",
        "vta.wgt": "the weight buffer: tiles of BLOCK_OUT x BLOCK_IN",
        "vta.acc": "the accumulators: tiles of BATCH x BLOCK_OUT, 32 bits each",
    },
    intrinsics=(Intrinsic("vta.gemm", _match_gemm),),
    levels=(Level("vta", _operation, _evaluate, ("units", "tokens", "threads")),),
    formats={"vta-asm": _assembly},
)
"""Programs are instruction streams, and host programs around them."""
