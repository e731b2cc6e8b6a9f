"""MLIR text in: parsing with locations, verification, diagnostics."""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
