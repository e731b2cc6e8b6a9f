"""annotate: a note of the user's own on a loop or block, for a later pass to read."""

from __future__ import annotations

from vtac.dialects.declared import declared_attributes, owning_prefixes
from vtac.dialects.schedule import DIRECTIVE_NAMES
from vtac.dialects.schedule.block_directives import AnnotateOp
from vtac.dialects.schedule.declared import ANNOTATIONS
from vtac.dialects.schedule.declared import annotate as add_note
from vtac.dialects.schedule.payload import BlockOp, ForOp
from vtac.passes.directives.apply import rewrites
from vtac.passes.directives.handles import Handles, refusal

_PROPERTIES = frozenset(name for op in (ForOp, BlockOp) for name in op.get_irdl_definition().properties)


@rewrites(AnnotateOp)
def annotate(op: AnnotateOp, handles: Handles) -> None:
    """Add an entry to `schedule.annotations`.

    requires: a key that no directive, no dialect and no property of loops and blocks owns.
    ensures:  the note is printed with the loop or block and survives later directives; no pass of vtac reads it.
    refused:  keys of directives and of the compiler, with the directive that sets them.
    """
    target = handles.target(op.target, op)
    key = op.key.data
    _check_free(op, key)
    add_note(target, key, op.value)


def _check_free(op: AnnotateOp, key: str) -> None:
    declared = declared_attributes().get(key)
    directive = key if key in DIRECTIVE_NAMES else declared.directive if declared is not None else ""
    if directive and key != ANNOTATIONS.name:
        what = "is a directive of its own" if directive == key else f"is what {directive} sets"
        raise refusal(op, f"'{key}' {what}", f"use {directive}, which checks what it applies to")
    if declared is not None:
        raise refusal(op, f"'{key}' is the compiler's own ({declared.meaning})", "choose another key")
    prefix, dot, _ = key.partition(".")
    if dot and prefix in owning_prefixes():
        raise refusal(op, f"'{key}': the {prefix} dialect owns names with its prefix", "choose another key")
    if key in _PROPERTIES or not key:
        raise refusal(op, f"'{key}' is what loops and blocks have anyway", "choose another key")
