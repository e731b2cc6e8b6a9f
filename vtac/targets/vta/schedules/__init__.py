"""Default schedules: a small search over the tilings of each layer, by traffic and cycles."""

from vtac.targets.vta.schedules.defaults import default_schedule, lower_by_default

__all__ = ["default_schedule", "lower_by_default"]
