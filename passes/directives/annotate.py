"""annotate: put an attribute on a loop or block, for a later pass to read."""

from __future__ import annotations

from vtac.dialects.schedule.directives import AnnotateOp
from vtac.dialects.schedule.payload import HARDWARE_ANNOTATIONS
from vtac.passes.directives.handles import Handles, refusal


def annotate(op: AnnotateOp, handles: Handles) -> None:
    """Set an attribute.

    requires: a key that no directive of its own sets.
    """
    target = handles.target(op.target, op)
    key = op.key.data
    if key in HARDWARE_ANNOTATIONS:
        raise refusal(op, f"'{key}' is a directive of its own", f"use {key}, which checks what it applies to")
    target.attributes[key] = op.value
