"""Tensor cores under a short name: architectures, bfloat16 in numpy, and saved programs, which need no xDSL."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from vtac.dialects.gpu_hardware import GpuArchitecture, gpu_architecture, gpu_architectures
from vtac.targets.cuda.loading import load

if TYPE_CHECKING:
    from vtac.evaluate import bfloat16

__all__ = ["GpuArchitecture", "bfloat16", "gpu_architecture", "gpu_architectures", "load"]


def __getattr__(name: str) -> ModuleType:
    if name != "bfloat16":
        raise AttributeError(f"module 'vtac.cuda' has no attribute {name!r}")
    return import_module("vtac.evaluate.bfloat16")
