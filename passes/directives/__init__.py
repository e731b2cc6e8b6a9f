"""Scheduling directives: one file each, applied by `apply_directive`."""

from vtac.passes.directives.apply import apply_directive
from vtac.passes.directives.handles import Handles

__all__ = ["Handles", "apply_directive"]
