"""CUDA C++ text and its launch record: compile check, execution without a GPU, launch on one."""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
