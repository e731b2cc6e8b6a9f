"""The machines that vtac compiles for: what belongs to one lives in its folder."""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
