"""Tensor cores under a short name: the architectures that programs are compiled for, and bfloat16 in numpy."""

from vtac.dialects.gpu_hardware import GpuArchitecture, gpu_architecture, gpu_architectures
from vtac.evaluate import bfloat16

__all__ = ["GpuArchitecture", "bfloat16", "gpu_architecture", "gpu_architectures"]
