"""Default schedules: a small search over the tilings of each layer, by traffic and cycles."""

from vtac.autoschedule.search import default_schedule

__all__ = ["default_schedule"]
