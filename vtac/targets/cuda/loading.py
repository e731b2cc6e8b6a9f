"""Reads saved CUDA programs back, of one kernel or of several, without the compiler and without xDSL."""

from __future__ import annotations

from pathlib import Path

from vtac.targets.cuda.network import CudaNetwork
from vtac.targets.cuda.plan_record import PLAN_FILE
from vtac.targets.cuda.program import CudaProgram, load_cuda_program
from vtac.targets.cuda.saved_network import load_cuda_network


def load(directory: str | Path) -> CudaProgram | CudaNetwork:
    """Read back what `save` of a CUDA program wrote. Raises `CompileError`, `ConfigError`."""
    folder = Path(directory)
    return load_cuda_network(folder) if (folder / PLAN_FILE).is_file() else load_cuda_program(folder)
