"""Computations: what operations of several dialects say of the tensors that they give."""

from __future__ import annotations

from xdsl.traits import OpTrait


class ComputesTensor(OpTrait):
    """The operation computes its result as a whole, as those of linalg do, and names no part of what there is."""
