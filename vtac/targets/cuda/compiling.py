"""From a module whose architecture is settled to a CUDA program, of one kernel or of several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation
from xdsl.dialects.linalg.ops import ReduceOp
from xdsl.ir import Operation

from vtac.analysis.ir.gpu_architecture import architecture_of
from vtac.analysis.ir.locations import location_of
from vtac.analysis.kernels.dynamic_grid import NumberOfSizeError
from vtac.analysis.kernels.dynamic_sizes import has_dynamic_size
from vtac.analysis.kernels.kernel_groups import work_of
from vtac.analysis.nests.stage import is_scheduled, stage_of
from vtac.analysis.operations.computations import is_computation
from vtac.dialects.schedule.script import ScriptOp
from vtac.dialects.wmma.attention import AttentionOp
from vtac.dialects.wmma.declared import (
    ALLOW_TF32,
    ARCHITECTURE,
    CUT_TF32,
    DYNAMIC_GRID,
    DYNAMIC_SIZE,
    INSTRUCTIONS,
    SPLIT,
)
from vtac.errors import CompileError, ScheduleError
from vtac.passes.gpu.fuse_attention import FuseAttention
from vtac.passes.gpu.outline_gpu_kernels import OutlineGpuKernels
from vtac.passes.gpu.settle_dynamic_sizes import SettleDynamicSizes
from vtac.passes.gpu.split_products import SplitProducts
from vtac.passes.linalg.expand_numbers import ExpandNumbers
from vtac.passes.linalg.lift_arithmetic import LiftArithmetic, is_tensor_arithmetic
from vtac.passes.linalg.normalize_linalg import NormalizeLinalg
from vtac.pipelines import Phase, Pipeline, Runner
from vtac.preparation import drop_scripts
from vtac.rewriting.edits import append
from vtac.schedule import Schedule
from vtac.targets.cuda.building import to_program
from vtac.targets.cuda.dynamic import CudaDynamic
from vtac.targets.cuda.dynamic_plan import DynamicPlan, GridSize
from vtac.targets.cuda.emit.kernel import emit_cuda, find_kernel, kernel_parts
from vtac.targets.cuda.launch import LaunchRecord
from vtac.targets.cuda.network import MARK, CudaNetwork
from vtac.targets.cuda.pipeline import WMMA_PIPELINE
from vtac.targets.cuda.planning import Planner, main_function
from vtac.targets.cuda.program import CudaProgram
from vtac.targets.cuda.schedules import default_schedule
from vtac.targets.cuda.schedules.measured import Measurements, read_measurements
from vtac.targets.cuda.splitting import splits
from vtac.text.context import make_context

_STAND_INS = 4
"""Numbers that are tried for a dynamic size: what depends on it meets every one of them, an offset by chance few."""
KERNELS_PIPELINE = Pipeline(
    "lower-to-gpu-kernels",
    (
        Phase("fused", (LiftArithmetic(), NormalizeLinalg(), FuseAttention())),
        Phase("normalized", (SplitProducts(), NormalizeLinalg(), ExpandNumbers())),
        Phase("kernels", (OutlineGpuKernels(),)),
    ),
)
"""From a function on tensors to functions of one kernel each, and the calls of them."""


def compile_program(work: ModuleOp, measurements: object = None) -> CudaProgram | CudaNetwork:
    """The program of a module, which is used up: of one kernel where one can hold it, or a schedule says so.

    `measurements` is a file of what tilings took on the device that the program is for, or what was read from one.
    """
    measured = _measurements(measurements)
    if not has_dynamic_size(work):
        return _compiled(work, measured)
    return _with_stand_in(work, measured)


def _with_stand_in(work: ModuleOp, measured: Measurements | None) -> CudaProgram | CudaNetwork:
    """The program of a module of a dynamic size; with another number for it where a kernel has a multiple by chance."""
    first: NumberOfSizeError | None = None
    for passed in range(_STAND_INS):
        attempt = work.clone()
        SettleDynamicSizes(passed=passed).apply(make_context(), attempt)
        try:
            return _compiled(attempt, measured)
        except NumberOfSizeError as error:
            first = first or error
    raise first or ValueError("no number was tried")


def _compiled(work: ModuleOp, measured: Measurements | None) -> CudaProgram | CudaNetwork:
    """The program of a module whose types are static."""
    LiftArithmetic().apply(make_context(), work)
    apart = kernels_apart(work)
    if apart is None and DYNAMIC_SIZE.is_on(work):
        raise _dynamic_alone(work)
    if apart is None:
        return _single(work, measured)
    return _network(apart, [op for op in work.ops if isinstance(op, ScriptOp)], measured)


def _dynamic_alone(work: ModuleOp) -> CompileError:
    """Why a module of a dynamic size does not become kernels."""
    functions = [op for op in work.ops if isinstance(op, FuncOp) and op.body.blocks]
    if len(functions) == 1 and not any(map(_computes, functions[0].body.block.ops)):
        return CompileError(
            "a function that computes nothing; a kernel has to compute its results", location_of(functions[0])
        )
    return CompileError(
        "a function of a dynamic size with a schedule of its own; its kernels are scheduled one by one: give their "
        "scripts, as vtac schedule prints, or static shapes",
        location_of(work),
    )


def _computes(op: Operation) -> bool:
    return isinstance(op, LinalgStructuredOperation | ReduceOp) or is_tensor_arithmetic(op)


def _measurements(given: object) -> Measurements | None:
    if given is None or isinstance(given, Measurements):
        return given
    if isinstance(given, str | Path):
        return read_measurements(given)
    raise CompileError(f"measurements={given!r}: the path of a file that benchmarks/tensor_cores.py writes is required")


def kernels_apart(work: ModuleOp) -> ModuleOp | None:
    """The module cut into functions of one kernel each; None where it is lowered as it is."""
    functions = [op for op in work.ops if isinstance(op, FuncOp) and op.body.blocks]
    names = {function.sym_name.data for function in functions}
    own = any(isinstance(op, ScriptOp) and op.target.data in names for op in work.ops)
    if own or len(functions) != 1 or any(stage_of(one) is not None or is_scheduled(one) for one in functions):
        return None
    ops = functions[0].body.block.ops
    if not any(map(_computes, ops)):
        return None
    parts = splits(functions[0], architecture_of(work))
    is_alone = not parts and not _has_parts(functions[0]) and _is_one_product(functions[0]) and _has_schedule(work)
    if is_alone and not DYNAMIC_SIZE.is_on(work):
        return None
    cut = work.clone()
    drop_scripts(cut)
    runner, (fused, *others) = Runner(make_context()), KERNELS_PIPELINE.phases
    runner.run_phases([fused], cut)
    whole = next(op for op in cut.ops if isinstance(op, FuncOp) and op.body.blocks)
    for op, count in splits(whole, architecture_of(work)).items():
        SPLIT.set(op, count)
    runner.run_phases(others, cut)
    return cut if sum(isinstance(op, FuncOp) for op in cut.ops) > 1 else None


def _has_parts(function: FuncOp) -> bool:
    """Whether the program itself says that a product's sums are taken in parts."""
    return any(SPLIT.is_on(op) for op in function.body.block.ops)


def _is_one_product(function: FuncOp) -> bool:
    """Whether one product for tensor cores is all that a function reduces."""
    works = [work_of(op) for op in function.body.block.ops if is_computation(op)]
    return works.count("product") == 1 and not {"rows", "window"} & set(works)


def _has_schedule(work: ModuleOp) -> bool:
    """Whether one kernel can compute a module, by its default schedule."""
    try:
        default_schedule(work)
    except ScheduleError:
        return False
    return True


def kernel_modules(
    apart: ModuleOp, scripts: Sequence[ScriptOp] = (), measured: Measurements | None = None
) -> dict[str, ModuleOp]:
    """Each kernel's function as a module of its own, with its script: a given one, else the default schedule's.

    Raises `CompileError` for a script of a function that no kernel is made of.
    """
    given = {script.target.data: script for script in scripts}
    architecture = architecture_of(apart)
    found: dict[str, ModuleOp] = {}
    for function in [op for op in apart.ops if isinstance(op, FuncOp) and op is not main_function(apart)]:
        kernel = function.clone()
        kernel.sym_visibility = StringAttr("public")
        module = ModuleOp([kernel])
        if architecture is not None:
            ARCHITECTURE.set(module, architecture.name)
        DYNAMIC_SIZE.copy(apart, module)
        for choice in (ALLOW_TF32, CUT_TF32, INSTRUCTIONS):
            choice.copy(apart, module)
        name = function.sym_name.data
        if not any(isinstance(op, AttentionOp) for op in kernel.body.block.ops):
            script = given.pop(name, None)
            append((script or default_schedule(module, measured=measured).script).clone(), module.body.block)
        found[name] = module
    if given:
        raise CompileError(
            f"there is a schedule for '{next(iter(given))}'; the kernels of this program are {', '.join(found)}"
        )
    return found


def schedules(module: ModuleOp) -> list[Schedule | ScriptOf]:
    """The schedule that a module without one gets, or those of the kernels that it becomes."""
    lifted = module.clone()
    SettleDynamicSizes().apply(make_context(), lifted)
    LiftArithmetic().apply(make_context(), lifted)
    apart = kernels_apart(lifted)
    if apart is None:
        return [default_schedule(lifted)]
    return [ScriptOf(op) for kernel in kernel_modules(apart).values() for op in kernel.ops if isinstance(op, ScriptOp)]


class ScriptOf:
    """A script of its own."""

    def __init__(self, script: ScriptOp) -> None:
        self.script = script

    def __str__(self) -> str:
        return str(self.script)


def _single(work: ModuleOp, measured: Measurements | None) -> CudaProgram:
    functions = [op for op in work.ops if isinstance(op, FuncOp) and op.body.blocks]
    if functions and all(stage_of(function) is not None for function in functions):
        return to_program(work)
    scripted = any(isinstance(op, ScriptOp) for op in work.ops)
    if not scripted and not any(map(is_scheduled, functions)):
        append(default_schedule(work, measured=measured).script.clone(), work.body.block)
    Runner(make_context()).run_phases(WMMA_PIPELINE.phases, work)
    return to_program(work)


def _network(apart: ModuleOp, scripts: Sequence[ScriptOp], measured: Measurements | None) -> CudaNetwork:
    records: dict[str, LaunchRecord] = {}
    grids: dict[str, GridSize] = {}
    texts: dict[str, str] = {}
    for name, module in kernel_modules(apart, scripts, measured).items():
        Runner(make_context()).run_phases(WMMA_PIPELINE.phases, module)
        program = to_program(module)
        records[name], texts[program.launch.kernel] = program.launch, emit_cuda(module)
        rule = DYNAMIC_GRID.get(find_kernel(module))
        if rule is not None:
            grids[name] = GridSize(*rule)
    planner = Planner(main_function(apart), records, grids)
    plan, size = planner.plan(), DYNAMIC_SIZE.get(apart)
    if size is not None and planner.size is None:
        main = main_function(apart)
        raise CompileError(
            f"no kernel of '{main.sym_name.data}' takes the dynamic size: leave the argument out, or give it an extent",
            location_of(main),
        )
    if size is None or planner.size is None:
        return CudaNetwork(joined(texts), plan, planner.constants)
    number = plan.buffers[planner.size].name
    dynamic = DynamicPlan(plan, size, tuple(map(grids.get, records)), number)
    return CudaDynamic(joined(texts), dynamic.at(1), planner.constants, dynamic=dynamic)


def joined(texts: dict[str, str]) -> str:
    """Kernels in one text: what they include and call once, then each after a line with its name."""
    parts = {name: kernel_parts(text) for name, text in texts.items()}
    heads = dict.fromkeys(line for head, _ in parts.values() for line in head)
    lines = sorted(heads, key=lambda part: (not part.startswith("#include"), "__device__" in part))
    bodies = [f"{MARK}{name}\n{body}" for name, (_, body) in parts.items()]
    return "\n".join(["\n".join(lines), "", *bodies])
