"""The scheduling API: the directives of the schedule dialect, one method each.

    schedule = vtac.Schedule(module)
    conv = schedule.get_block("res_conv")
    *spatial, ic, dy, dx, k = schedule.get_loops(conv)
    ic_outer, ic_inner = schedule.split(ic, factor=4)
    schedule.show()            # the loop nest so far
    print(schedule)            # the script, as IR
    print(schedule.module)     # the payload so far, as IR

Each method records one directive and applies it at once. An illegal one raises
`ScheduleError` and leaves script and payload as they were.
"""

from vtac.schedule.references import BlockRef, BufferRef, LoopRef
from vtac.schedule.schedule import Schedule, TrialSchedule, used_up

__all__ = ["BlockRef", "BufferRef", "LoopRef", "Schedule", "TrialSchedule", "used_up"]
