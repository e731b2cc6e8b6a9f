"""Kernels of mma.sync for tests: lowered to the level of numpy, and as programs."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp

from vtac.analysis.kernels.bank_conflicts import BankAccess, bank_accesses
from vtac.pipelines import Runner
from vtac.preparation import prepare
from vtac.targets.cuda.pipeline import WMMA_PIPELINE
from vtac.targets.cuda.target import CUDA
from vtac.text.context import make_context


def lowered(text: str, script: str) -> ModuleOp:
    """A program as a kernel, by a script."""
    module = prepare(text, CUDA, None, script)
    Runner(make_context()).run_phases(WMMA_PIPELINE.phases, module)
    return module


def banks_of(module: ModuleOp) -> list[BankAccess]:
    """The accesses of shared memory of the one kernel of a module."""
    (kernel,) = (op for op in module.ops if isinstance(op, FuncOp))
    return list(bank_accesses(kernel))
