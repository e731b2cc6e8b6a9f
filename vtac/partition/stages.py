"""Long chains of layers in stages, so that none is reached through all the others.

A layer's device function is made when the layer that reads it asks for it. In a network of hundreds of layers that
would be hundreds of calls inside each other; so what lies a whole stage back is made first, stage by stage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from vtac.partition.expressions import Expression

STAGE = 24
"""Layers that ask for one another in one go: each takes some 25 frames of Python's stack of 1,000."""

Layer: TypeAlias = tuple[Expression, tuple[int, ...], str]
"""What is stored: an expression, its shape, and a name for it."""


def ends_of_stages(root: Layer, reads: Callable[[Layer], Sequence[Layer]]) -> list[Layer]:
    """The layers that end a stage on the way to `root`, the earliest first; `reads` tells what a layer waits for."""
    levels: dict[Layer, int] = {}
    known: dict[Layer, Sequence[Layer]] = {}
    waiting = [root]
    ends: list[Layer] = []
    while waiting:
        layer = waiting[-1]
        if layer in levels:
            waiting.pop()
            continue
        if layer not in known:
            known[layer] = reads(layer)
            waiting.extend(reversed(known[layer]))
            continue
        # A layer that reads itself, through a value of its own, is no longer than what it reads besides.
        levels[layer] = 1 + max((levels.get(earlier, 0) for earlier in known[layer]), default=0)
        if levels[layer] % STAGE == 0:
            ends.append(layer)
        waiting.pop()
    return ends
