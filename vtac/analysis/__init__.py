"""Analyses that every pass shares: quasi-affine expressions, blocks, regions, dependences."""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
