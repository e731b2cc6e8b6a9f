"""tensorize: compute a loop and all it holds by one hardware intrinsic."""

from __future__ import annotations

from vtac.analysis.gemm import INTRINSICS, match_gemm
from vtac.analysis.nest import enclosing_loops
from vtac.analysis.warp_tiles import WMMA_INTRINSICS, match_warp_operation
from vtac.dialects.schedule.directives import TensorizeOp
from vtac.dialects.schedule.payload import HARDWARE_ANNOTATIONS, TENSORIZE
from vtac.passes.directives.handles import Handles, describe, refusal


def tensorize(op: TensorizeOp, handles: Handles) -> None:
    """Replace a loop by an intrinsic.

    requires: the loop matches the intrinsic in loops, strides, element types and scopes;
              the error names the first difference.
    """
    loop = handles.loop(op.loop, op)
    name = op.intrinsic.data
    known = (*INTRINSICS, *WMMA_INTRINSICS)
    if name not in known:
        raise refusal(op, f"no intrinsic '{name}'", f"the intrinsics are {', '.join(known)}")
    for around in [*enclosing_loops(loop), loop]:
        taken = [key for key in HARDWARE_ANNOTATIONS if key in around.attributes]
        if taken:
            raise refusal(op, f"loop {describe(around)} is {taken[0]} already", "map each loop once")
    match = match_gemm(loop, handles.config) if name in INTRINSICS else match_warp_operation(loop, name)
    if isinstance(match, str):
        raise refusal(
            op, f"loop {describe(loop)} is not {name}: {match}", "change the schedule or the program to match"
        )
    loop.attributes[TENSORIZE] = op.intrinsic
