"""Default schedules: a small search over the tilings of each layer, by traffic and cycles."""

from vtac.targets.vta.schedules.defaults import default_lowering, default_schedule

__all__ = ["default_lowering", "default_schedule"]
