"""Default schedules under a short name: `vtac.autoschedule.default_schedule(module)`."""

from vtac.targets.vta.schedules import default_lowering, default_schedule

__all__ = ["default_lowering", "default_schedule"]
