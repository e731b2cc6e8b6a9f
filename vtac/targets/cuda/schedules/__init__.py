"""Default schedules for tensor cores, of one contraction with its padding and its tail, and those for mma.sync."""

from vtac.lazily import submodules_of
from vtac.targets.cuda.schedules.defaults import default_schedule

__getattr__ = submodules_of(__name__)

__all__ = ["default_schedule"]
