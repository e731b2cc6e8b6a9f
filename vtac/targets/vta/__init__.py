"""The VTA accelerator: default schedules, linking, instruction streams, and the machine that executes them."""

from vtac.lazily import submodules_of

__getattr__ = submodules_of(__name__)
