"""Pictures of runs: timelines and traces."""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
