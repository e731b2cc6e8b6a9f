"""From a module whose configuration is settled to a VTA program: kept from before, by its own schedule, or by a search.

Nothing of the search is loaded for a program that brings its schedule, or that is in the cache.
"""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp

from vtac.errors import CompileError
from vtac.partition.layouts import needs_packing
from vtac.progress import Progress
from vtac.targets.vta.programs.program_cache import cached_program
from vtac.targets.vta.programs.vta_program import VtaProgram
from vtac.targets.vta.scheduled import brings_schedule, compile_scheduled


def compile_program(
    work: ModuleOp,
    *,
    host: bool,
    acc_8bit: bool,
    progress: Progress | None,
    cache: bool | None = None,
    schedules: object = None,
    jobs: int = 1,
) -> VtaProgram:
    """The program of a module, which is used up; the options are those of the target `vta`.

    One whose tilings come from a store is not kept in the cache, and not looked for there.
    """
    refuse_jobs(jobs)
    if schedules is not None:
        from vtac.targets.vta.choosing import compile_tuned

        return compile_tuned(work, schedules, jobs, host=host, acc_8bit=acc_8bit, progress=progress)
    cached = cached_program(work, wanted=cache, host=host, acc_8bit=acc_8bit)
    known = None if cached is None else cached.find()
    if known is not None:
        return known
    program: VtaProgram
    if not needs_packing(work) and brings_schedule(work):
        program = compile_scheduled(work, acc_8bit=acc_8bit)
    else:
        from vtac.targets.vta.choosing import compile_kept

        program = compile_kept(work, cache, jobs, host=host, acc_8bit=acc_8bit, progress=progress)
    if cached is not None:
        cached.keep(program)
    return program


def refuse_jobs(jobs: object) -> None:
    """Raises `CompileError` for what is no number of processes."""
    if not isinstance(jobs, int) or isinstance(jobs, bool) or jobs < 1:
        raise CompileError(f"cannot compile with jobs={jobs!r}; a number of processes is required, at least 1")
