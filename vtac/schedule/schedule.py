"""A schedule: every directive as a method."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp

from vtac.dialects.schedule.script import ScriptOp
from vtac.schedule.block_directives import BlockDirectives
from vtac.schedule.gpu_directives import GpuDirectives
from vtac.schedule.lookups import Lookups
from vtac.schedule.loop_directives import LoopDirectives


class Schedule(GpuDirectives, BlockDirectives, LoopDirectives, Lookups):
    """A schedule of one function, in the making.

    `module` is IR, text or a path; it is copied. The function may be named when the module
    has several. `config` is the hardware record of a target, such as a `vtac.VTAConfig`, or what names one:
    "sm_90", the path of a `vta_config.json`. Without it the module's counts, else the target's default.
    """


class TrialSchedule(Schedule):
    """A schedule that a search writes: of a module that nobody changes meanwhile, with directives that are well formed.

    So it needs no copy to know what it started from, and does not verify directives before it applies them.
    """

    _copies_start = False
    _verifies = False


def used_up(schedule: Schedule) -> tuple[ScriptOp, ModuleOp]:
    """The directives of a schedule and the module that they have made, themselves and no copies."""
    return schedule._script, schedule.module  # pyright: ignore[reportPrivateUsage]
