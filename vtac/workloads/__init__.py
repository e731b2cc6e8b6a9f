"""Layers in the VTA's packed layouts: as linalg programs, with schedules and numpy references."""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
