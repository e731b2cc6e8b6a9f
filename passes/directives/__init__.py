"""Scheduling directives: one file each, which registers its rewrite; `apply_directive` applies them."""

from vtac.passes.directives.apply import apply_directive, rewrites
from vtac.passes.directives.handles import Handles

__all__ = ["Handles", "apply_directive", "rewrites"]
