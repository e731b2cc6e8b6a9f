"""Default schedules for tensor cores: one contraction with its padding and its elementwise tail."""

from vtac.targets.cuda.schedules.defaults import default_schedule

__all__ = ["default_schedule"]
