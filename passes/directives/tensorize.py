"""tensorize: compute a loop and all it holds by one hardware intrinsic."""

from __future__ import annotations

from vtac.analysis.nests.nest import enclosing_loops
from vtac.dialects.declared import taken_by
from vtac.dialects.schedule.declared import TENSORIZE
from vtac.dialects.schedule.loop_directives import TensorizeOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, describe, refusal
from vtac.targets.registry import find_intrinsic, intrinsic_names
from vtac.targets.target import Mismatch


@rewrites(TensorizeOp)
def tensorize(op: TensorizeOp, handles: Handles) -> None:
    """Replace a loop by an intrinsic.

    requires: the loop matches the intrinsic in loops, strides, element types and scopes, and for tensor cores in
              the shape of a fragment, the same for all that is tensorized on one buffer; the error names the first
              difference.
    ensures:  the loop stands for the intrinsic, which a lowering pass makes; what is computed stays.
    refused:  an unknown name, with those there are, and a loop that is mapped already or stands in one.
    """
    loop = handles.loop(op.loop, op)
    name = op.intrinsic.data
    intrinsic = find_intrinsic(name)
    if intrinsic is None:
        raise refusal(op, f"no intrinsic '{name}'", f"the intrinsics are {', '.join(intrinsic_names())}")
    for around in [*enclosing_loops(loop), loop]:
        taken = taken_by(around)
        if taken:
            raise refusal(op, f"loop {describe(around)} is {taken} already", "map each loop once")
    match = intrinsic(loop, handles.module)
    mismatch = Mismatch(match) if isinstance(match, str) else match
    if isinstance(mismatch, Mismatch):
        raise refusal(op, f"loop {describe(loop)} is not {name}: {mismatch.found}", mismatch.remedy)
    TENSORIZE.set(loop, name)
