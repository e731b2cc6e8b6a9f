"""Default schedules for tensor cores: one contraction with its padding and its elementwise tail."""

from vtac.cuda.autoschedule.defaults import default_schedule

__all__ = ["default_schedule"]
