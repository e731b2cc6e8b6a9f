"""Programs for the subcommands: compiled from a file, or loaded from the directory they were saved in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vtac.dialects.gpu_hardware import gpu_architecture
from vtac.dialects.hardware import VTAConfig
from vtac.errors import VtacError
from vtac.progress import Bar
from vtac.targets.vta.programs.saved_program import load_program
from vtac.targets.vta.programs.vta_program import VtaProgram

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from vtac.targets.cuda.network import CudaNetwork
    from vtac.targets.cuda.program import CudaProgram
    from vtac.targets.target import Target, TargetProgram

_CONFIGURATIONS = 3
"""Configurations that a note names."""

__all__ = ["VtaProgram", "compile_cuda_file", "compile_file", "is_cuda_program", "load_program"]


def parse_program(path: str, function: str | None = None) -> ModuleOp:
    """The file's module, where a function is named with that one alone, its scripts included.

    Raises `VtacError` for a function that is not there.
    """
    from xdsl.dialects.func import FuncOp

    from vtac.dialects.schedule.script import ScriptOp
    from vtac.errors import CompileError
    from vtac.rewriting.edits import erase
    from vtac.text.reports import suggestion
    from vtac.text.source import parse

    module = parse(Path(path))
    if function is None:
        return module
    functions = [op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks]
    names = [op.sym_name.data for op in functions]
    if function not in names:
        hint = suggestion(function, names)
        raise CompileError(f"{path} has no function '{function}'{hint or '; it has ' + (', '.join(names) or 'none')}")
    scripts = [op for op in module.ops if isinstance(op, ScriptOp) and op.target.data in names]
    for op in [op for op in functions if op.sym_name.data != function]:
        erase(op)
    for op in [op for op in scripts if op.target.data != function]:
        erase(op)
    return module


def compile_file(
    path: str,
    config_path: str | None,
    schedule_path: str | None,
    *,
    function: str | None = None,
    host: bool = True,
    acc_8bit: bool = False,
    cache: bool = True,
    schedules: str | None = None,
    jobs: int = 1,
    shows_progress: bool = False,
) -> VtaProgram:
    """Parses and compiles the file at `path` for the VTA; notes on stderr what was chosen. Raises `VtacError`.

    With `cache`, what was compiled before is read from disk, see `vtac cache`.
    `schedules` is the file of a store that vtac tune has filled, `jobs` the processes that share a network's layers.
    With `shows_progress`, stderr says which layer of a network is being compiled.
    """
    from vtac.compiler import compile
    from vtac.preparation import stated_hardware
    from vtac.text.source import parse

    config = None if config_path is None else VTAConfig.from_json(config_path)
    module = parse_program(path, function)
    schedule = None if schedule_path is None else parse(Path(schedule_path))
    bar = Bar(always=True) if shows_progress else None
    try:
        program = compile(
            module,
            "vta",
            config,
            schedule,
            host=host,
            acc_8bit=acc_8bit,
            progress=bar,
            cache=cache,
            schedules=schedules,
            jobs=jobs,
        )
    except VtacError:
        if schedule_path is not None:
            _note_plan(schedule_path, config or stated_hardware(module) or VTAConfig())
        raise
    finally:
        if bar is not None:
            bar.close()
    print(program.work_line, file=sys.stderr)
    for choice in program.choices:
        if schedules is None or not _untuned_name(choice):
            print(f"note: {choice}", file=sys.stderr)
    if schedules is not None and program.devices:
        _note_untuned(schedules, program)
    return program


def _note_plan(schedule_path: str, config: object) -> None:
    """Says for which configuration a schedule is that does not fit, where it begins with that, as vtac tune writes."""
    from vtac.targets.vta.tuning.result import PLANNED_FOR

    first = Path(schedule_path).read_text(encoding="utf-8").partition("\n")[0]
    planned = first.removeprefix(PLANNED_FOR)
    if first != planned and planned != str(config):
        print(f"note: {schedule_path} is for {planned}, and this is compiled for {config}", file=sys.stderr)


def _untuned_name(choice: str) -> str:
    """Which layer a choice says that the store of schedules has nothing of; empty for another choice."""
    from vtac.targets.vta.schedules.known_tilings import UNTUNED

    name, said, _ = choice.partition(f": {UNTUNED}")
    return name if said else ""


def _note_untuned(schedules: str, program: VtaProgram) -> None:
    """Says of which layers a store has no tiling, or that it has none at all that could have been used."""
    from vtac.targets.vta.tuning.stored import has_tilings, tuned_configurations

    names = [name for choice in program.choices if (name := _untuned_name(choice))]
    only = ""
    if not has_tilings(schedules, program.config):
        lack, who = "", "every layer has its default schedule"
        others = [str(one) for one in tuned_configurations(schedules)]
        more = f" and {len(others) - _CONFIGURATIONS} more" if len(others) > _CONFIGURATIONS else ""
        only = f", {program.config}; it has some for {', '.join(others[:_CONFIGURATIONS])}{more}" if others else ""
    elif names:
        lack, who = (
            f" of {', '.join(names)}",
            f"{'it has its' if len(names) == 1 else 'they have their'} default schedule",
        )
    else:
        return
    print(
        f"note: {schedules} has no tiling{lack} for this configuration that this version of vtac has counted{only}: "
        f"{who}; vtac tune FILE --store {schedules} fills it",
        file=sys.stderr,
    )


def compile_cuda_file(
    path: str,
    architecture: str | None,
    schedule_path: str | None,
    function: str | None = None,
    measurements: str | None = None,
) -> CudaProgram | CudaNetwork:
    """Parses and compiles the file at `path` to CUDA text. Raises `VtacError`.

    `measurements` is a file that `benchmarks/tensor_cores.py --record` has written.
    """
    from vtac.compiler import compile
    from vtac.text.source import parse

    record = None if architecture is None else gpu_architecture(architecture)
    module = parse_program(path, function)
    schedule = None if schedule_path is None else parse(Path(schedule_path))
    return compile(module, "cuda", record, schedule, measurements=measurements)


def compile_for(
    target: Target,
    path: str,
    record: object,
    schedule_path: str | None,
    function: str | None = None,
    *,
    cache: bool = True,
) -> TargetProgram:
    """Parses and compiles the file at `path` for any target, whose hardware `record` describes. Raises `VtacError`.

    With `cache`, what a target that keeps programs compiled before is read from disk.
    """
    from vtac.compiler import compile
    from vtac.text.source import parse

    schedule = None if schedule_path is None else parse(Path(schedule_path))
    known = {"cache": cache} if any(option.name == "cache" for option in target.options) else {}
    return compile(parse_program(path, function), target.name, record, schedule, **known)


def is_cuda_program(path: str) -> bool:
    """Whether `path` is a directory that holds a saved CUDA program."""
    return any((Path(path) / name).is_file() for name in ("launch.json", "plan.json"))
