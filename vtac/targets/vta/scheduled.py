"""A function on tiles whose schedule the program brings: the pipeline alone, and nothing of a search."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.linalg.abstract_ops import LinalgStructuredOperation

from vtac.analysis.programs.contraction_counts import contractions_in
from vtac.dialects.vta.declared import ACC_8BIT
from vtac.pipelines import Runner
from vtac.preparation import scripts_of
from vtac.targets.vta.pipeline import VTA_PIPELINE
from vtac.targets.vta.programs.program import Program
from vtac.targets.vta.stream.build import build_program
from vtac.text.context import make_context


def brings_schedule(work: ModuleOp) -> bool:
    """Whether a module on tiles has a script, or nothing left that one would schedule."""
    return bool(scripts_of(work)) or not any(isinstance(op, LinalgStructuredOperation) for op in work.walk())


def compile_scheduled(work: ModuleOp, *, acc_8bit: bool) -> Program:
    """The program of a module on tiles that brings its schedule; the module is used up."""
    if acc_8bit:
        ACC_8BIT.set(work, True)
    counts = contractions_in(work)
    Runner(make_context(), verified=("vta",)).run_phases(VTA_PIPELINE.phases, work)
    program = build_program(work)
    program.contractions, program.macs = len(counts), sum(count.macs for count in counts)
    return program
