"""Programs for the VTA: one stream or a host function around several, in memory and as saved directories."""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
