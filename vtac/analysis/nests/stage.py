"""How far a function is lowered: not at all, to a schedule, partly to a target's own dialect, or wholly."""

from __future__ import annotations

from typing import NamedTuple

from xdsl.dialects.func import FuncOp
from xdsl.dialects.memref import AllocOp
from xdsl.ir import Operation

from vtac.analysis.ir.walks import operations_under
from vtac.analysis.nests.nest import scope_of
from vtac.dialects.schedule.attributes import LoopKind
from vtac.dialects.schedule.declared import marks_of
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.dialects.scopes import GLOBAL
from vtac.targets.registry import all_targets
from vtac.targets.target import Level, Target


class Stage(NamedTuple):
    """The target and level that a function has operations of, one of these, and whether it is lowered wholly."""

    target: Target
    level: Level
    op: Operation
    is_whole: bool

    @property
    def whereabouts(self) -> str:
        """Between which phases the IR is, and which can be executed, of a function that is not lowered wholly."""
        levels = self.target.pipeline().levels
        whole = [name for name in levels if name not in self.level.between]
        return (
            f"'{self.op.name}' beside schedule loops, or buffers without a place, is IR from within "
            f"{self.target.pipeline().name}, which is neither executed nor gone on from: take that of a phase among "
            f"{', '.join(whole)}"
        )


def stage_of(function: FuncOp) -> Stage | None:
    """How far a function is lowered; None where it has no operation of a target's own dialect."""
    for target in all_targets():
        for level in target.levels:
            op = level.find(function)
            if op is not None:
                is_whole = not level.between or op is function or not _waits(function)
                return Stage(target, level, op, is_whole)
    return None


def is_lowered(function: FuncOp) -> bool:
    """Whether a function is lowered wholly, so that no pass has anything left to do in it."""
    stage = stage_of(function)
    return stage is not None and stage.is_whole


def is_scheduled(function: FuncOp) -> bool:
    """Whether directives have left their marks on the loops of a function."""
    return any(
        isinstance(op, ForOp) and (op.loop_kind is not LoopKind.SERIAL or bool(marks_of(op)))
        for op in operations_under(function)
    )


def _waits(function: FuncOp) -> bool:
    """Whether a function holds schedule loops, or on-chip buffers without a place, which lowering replaces."""
    return any(
        isinstance(op, ForOp | BlockOp) or (isinstance(op, AllocOp) and scope_of(op.memref) != GLOBAL)
        for op in operations_under(function)
    )
