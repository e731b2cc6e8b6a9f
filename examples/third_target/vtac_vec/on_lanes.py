"""on_lanes: a loop of eight iterations becomes the vector instruction that it is."""

from __future__ import annotations

from vtac.dialects.declared import taken_by
from vtac.dialects.schedule.declared import TENSORIZE
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, refusal
from vtac_vec.dialect import OnLanesOp
from vtac_vec.matching import INSTRUCTIONS, match


@rewrites(OnLanesOp)
def on_lanes(op: OnLanesOp, handles: Handles) -> None:
    """Tensorize a loop to the instruction that it matches.

    requires: a loop that is an instruction; the error says why it is none of them.
    """
    loop = handles.loop(op.loop, op)
    if taken_by(loop):
        raise refusal(op, f"loop {describe(loop)} is {taken_by(loop)} already", "map each loop once")
    found = {name: match(name, loop) for name in INSTRUCTIONS}
    fitting = [name for name, one in found.items() if not isinstance(one, str)]
    if not fitting:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in found.items())
        raise refusal(op, f"loop {describe(loop)} is no instruction ({reasons})", "change the schedule to match")
    TENSORIZE.set(loop, fitting[0])
